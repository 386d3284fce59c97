//! Who waits for whom: what players tell of their waits, and whose fault one without end is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

use crate::message::{Failure, Wait};
use crate::session::LONG;

/// How long a player waits for another before the driver gives the session up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What was said is true for so long: players repeat it more often.
const FRESH: Duration = LONG.saturating_mul(2);

/// The last word of each player of what it does: that it goes on, or what has lasted long.
#[derive(Debug, Default)]
pub(super) struct Waits(BTreeMap<String, (Option<Wait>, Instant)>);

impl Waits {
    /// `player` waits, or works.
    pub(super) fn note(&mut self, player: &PlayerName, wait: Option<Wait>) {
        self.0.insert(player.as_str().to_owned(), (wait, Instant::now()));
    }

    /// `player` has gone on.
    pub(super) fn forget(&mut self, player: &PlayerName) {
        self.0.remove(player.as_str());
    }

    /// Whether `player` said of late that it is at work.
    pub(super) fn works(&self, player: &str) -> bool {
        matches!(self.said(player), Some(None))
    }

    /// A failure with who waits for whom is at fault, and where, unless it says so.
    pub(super) fn explain(&self, mut failure: Failure) -> Failure {
        let waits = self.0.keys().filter_map(|waiter| Some((waiter, self.said(waiter)?.as_ref()?)));
        let waits = waits.filter(|(_, wait)| wait.on == failure.player);
        if let Some((waiter, Wait { node, millis, .. })) = waits.max_by_key(|(_, wait)| wait.millis)
            && !failure.reason.contains(" waits ")
        {
            let seconds = *millis as f64 / 1e3;
            failure.reason += &format!("; {waiter} waits {seconds:.1} s for it at {node}");
        }
        failure
    }

    fn said(&self, player: &str) -> Option<&Option<Wait>> {
        let (wait, at) = self.0.get(player)?;
        (at.elapsed() < FRESH).then_some(wait)
    }

    /// Whose fault it is that `waiter` waits, if its patience is over: the player at the end of the
    /// chain, who waits for nobody.
    pub(super) fn at_fault(&self, waiter: &PlayerName) -> Option<Failure> {
        let mut waiter = waiter.as_str();
        let mut wait = self.said(waiter)?.as_ref()?;
        if Duration::from_millis(wait.millis) < PATIENCE {
            return None;
        }
        let mut passed = BTreeSet::new();
        while let Some(Some(next)) = self.said(&wait.on)
            && passed.insert(&wait.on)
        {
            (waiter, wait) = (&wait.on, next);
        }
        let Wait { on, node, millis } = wait;
        let reason = format!(
            "{waiter} waits {} s for it at {node}, and it says neither that it works nor that it \
             waits for another: look into its log",
            millis / 1000
        );
        (!self.works(on)).then(|| Failure::new(on, reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: &[(&str, Option<(&str, u64)>)]) -> Waits {
        let mut waits = Waits::default();
        for (player, wait) in told {
            let wait = wait.map(|(on, seconds)| Wait {
                on: on.into(),
                node: format!("{on}/share"),
                millis: seconds * 1000,
            });
            waits.note(&PlayerName::new(player).unwrap(), wait);
        }
        waits
    }

    #[test]
    fn the_last_of_a_chain_is_at_fault_when_patience_is_over() {
        let chain = |first| {
            let waits = told(&[
                ("owner", Some(("server", first))),
                ("server", Some(("carol", 58))),
                ("ann", Some(("owner", 3))),
            ]);
            waits.at_fault(&PlayerName::new("owner").unwrap())
        };
        assert_eq!(chain(59), None);
        let failure = chain(60).unwrap();
        assert_eq!(failure.player, "carol");
        assert!(failure.reason.starts_with("server waits 58 s for it at carol/share"), "{failure}");
    }

    #[test]
    fn a_failure_says_who_waits_longest_where() {
        let waits = told(&[("ann", Some(("bob", 2))), ("carol", Some(("bob", 3))), ("dave", None)]);
        let explained =
            |player: &str, reason: &str| waits.explain(Failure::new(player, reason)).to_string();
        assert_eq!(explained("bob", "gone"), "bob: gone; carol waits 3.0 s for it at bob/share");
        assert_eq!(explained("bob", "ann waits for it"), "bob: ann waits for it");
        assert_eq!(explained("ann", "gone"), "ann: gone");
    }

    #[test]
    fn nobody_is_at_fault_for_working() {
        let owner = PlayerName::new("owner").unwrap();
        let mut waits = told(&[("owner", Some(("server", 90))), ("server", None)]);
        assert!(waits.works("server") && !waits.works("owner"));
        assert_eq!(waits.at_fault(&owner), None);
        waits.forget(&PlayerName::new("server").unwrap());
        assert_eq!(waits.at_fault(&owner).unwrap().player, "server");
    }

    #[test]
    fn players_who_wait_for_each_other_end_the_chain() {
        let waits = told(&[("ann", Some(("bob", 61))), ("bob", Some(("ann", 61)))]);
        assert!(waits.at_fault(&PlayerName::new("ann").unwrap()).is_some());
    }
}
