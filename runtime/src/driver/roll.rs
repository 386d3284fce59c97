//! Which of the data owners are there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

/// Between two attempts to reach an owner that is gone.
const PAUSE: Duration = Duration::from_secs(1);

/// An owner that has said nothing for so long, though there is a connection to it, has nothing to
/// answer: longer than it takes to find that a connection is dead.
const QUIET: Duration = Duration::from_secs(5);

/// The longest that an owner is left alone which is late again and again, as a power of two of
/// seconds.
const LONGEST: u32 = 6;

/// The owners of a session.
#[derive(Debug, Default)]
pub(super) struct Roll(BTreeMap<PlayerName, Owner>);

#[derive(Debug, Default)]
struct Owner {
    /// How often it left since it last finished a step.
    tries: u32,
    away: Option<Away>,
    /// Whether it is back, and that was not told.
    back: bool,
}

#[derive(Debug)]
struct Away {
    reason: String,
    /// Whether that was told.
    told: bool,
    contact: Contact,
    since: Instant,
    /// Not before this it is asked to come back, or dialled.
    next: Instant,
}

/// What the driver knows of an owner that is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contact {
    /// Nothing was heard of it since.
    Silent,
    /// It has said something.
    There,
    /// There is no connection.
    Cut,
    /// A connection is being made.
    Dialled,
    /// It cannot take part, and says so: it is asked again when it has connected anew.
    Failed,
}

impl Roll {
    /// Adds owners that are not known yet. They are taken to be there.
    pub(super) fn enlist(&mut self, owners: &[PlayerName]) {
        for owner in owners {
            self.0.entry(owner.clone()).or_default();
        }
    }

    pub(super) fn knows(&self, player: &PlayerName) -> bool {
        self.0.contains_key(player)
    }

    pub(super) fn is_away(&self, player: &PlayerName) -> bool {
        self.0.get(player).is_some_and(|owner| owner.away.is_some())
    }

    /// An owner is left out: true if it was there before.
    pub(super) fn leave(&mut self, player: &PlayerName, reason: &str) -> bool {
        let Some(owner) = self.0.get_mut(player).filter(|owner| owner.away.is_none()) else {
            return false;
        };
        // At once after the first time, then after 1, 3, 7, … seconds.
        let pause = Duration::from_secs((1 << owner.tries.min(LONGEST)) - 1);
        owner.tries += 1;
        let (reason, since) = (reason.to_owned(), Instant::now());
        let (contact, next) = (Contact::Silent, since + pause);
        owner.back = false;
        owner.away = Some(Away { reason, told: false, contact, since, next });
        true
    }

    fn away(&mut self, player: &PlayerName) -> Option<&mut Away> {
        self.0.get_mut(player)?.away.as_mut()
    }

    /// An owner that is away has said something.
    pub(super) fn heard(&mut self, player: &PlayerName) {
        if let Some(away) = self.away(player).filter(|away| away.contact == Contact::Silent) {
            away.contact = Contact::There;
        }
    }

    /// The connection to an owner has ended.
    pub(super) fn cut(&mut self, player: &PlayerName, reason: &str) {
        self.leave(player, reason);
        if let Some(away) = self.away(player).filter(|away| away.contact != Contact::Dialled) {
            (away.contact, away.reason) = (Contact::Cut, reason.to_owned());
            // Others find that it is gone within a keep-alive of each other, and take a connection
            // that it makes before for the end of the old one.
            away.next = away.next.max(Instant::now() + PAUSE);
        }
    }

    /// An owner says that it has failed: by itself, or because of another.
    pub(super) fn failed(&mut self, player: &PlayerName, by_itself: bool, reason: &str) {
        self.leave(player, reason);
        if let Some(away) = self.away(player) {
            away.contact = if by_itself { Contact::Failed } else { Contact::There };
        }
    }

    /// The outcome of dialling an owner.
    pub(super) fn dialled(&mut self, player: &PlayerName, reached: bool) {
        if let Some(away) = self.away(player).filter(|away| away.contact == Contact::Dialled) {
            away.contact = if reached { Contact::There } else { Contact::Cut };
            away.next = if reached { away.next } else { Instant::now() + PAUSE };
        }
    }

    /// Owners to be dialled at `now`.
    pub(super) fn due_for_dialling(&mut self, now: Instant) -> Vec<PlayerName> {
        let mut due = Vec::new();
        for (name, owner) in &mut self.0 {
            if let Some(away) = owner.away.as_mut().filter(|away| away.is_due(now)) {
                away.contact = Contact::Dialled;
                due.push(name.clone());
            }
        }
        due
    }

    /// Takes those back in who can come back; true if there are any.
    pub(super) fn take_back(&mut self) -> bool {
        let mut any = false;
        for owner in self.0.values_mut().filter(|owner| owner.can_return()) {
            (owner.away, owner.back) = (None, true);
            any = true;
        }
        any
    }

    /// Who of `owners` is back, unless that was told.
    pub(super) fn newly_back(&mut self, owners: &[PlayerName]) -> Vec<PlayerName> {
        let untold = |name: &&PlayerName| {
            let owner = self.0.get_mut(*name);
            owner.is_some_and(|owner| std::mem::take(&mut owner.back))
        };
        owners.iter().filter(untold).cloned().collect()
    }

    /// Those who are there have finished a step.
    pub(super) fn progressed(&mut self) {
        for owner in self.0.values_mut().filter(|owner| owner.away.is_none()) {
            owner.tries = 0;
        }
    }

    /// Who of `owners` is away, and why.
    pub(super) fn missing(&self, owners: &[PlayerName]) -> Vec<(PlayerName, String)> {
        let away = |name: &PlayerName| {
            let reason = &self.0.get(name)?.away.as_ref()?.reason;
            Some((name.clone(), reason.clone()))
        };
        owners.iter().filter_map(away).collect()
    }

    /// Who of `owners` is away, and why, unless that was told.
    pub(super) fn newly_missing(&mut self, owners: &[PlayerName]) -> Vec<(PlayerName, String)> {
        let untold = |name: &&PlayerName| {
            let away = self.away(name);
            away.is_some_and(|away| !std::mem::replace(&mut away.told, true))
        };
        let untold: Vec<_> = owners.iter().filter(untold).cloned().collect();
        self.missing(&untold)
    }

    /// Who of `owners` cannot take part, and says so.
    pub(super) fn unable(&self, owners: &[PlayerName]) -> Vec<(PlayerName, String)> {
        let unable = |name: &PlayerName| {
            let away = self.0.get(name).and_then(|owner| owner.away.as_ref());
            away.is_some_and(|away| away.contact == Contact::Failed)
        };
        self.missing(owners).into_iter().filter(|(name, _)| unable(name)).collect()
    }
}

impl Away {
    fn is_due(&self, now: Instant) -> bool {
        match self.contact {
            Contact::Cut => self.next <= now,
            Contact::Silent => self.next.max(self.since + QUIET) <= now,
            Contact::There | Contact::Dialled | Contact::Failed => false,
        }
    }
}

impl Owner {
    fn can_return(&self) -> bool {
        let there = |away: &Away| away.contact == Contact::There && away.next <= Instant::now();
        self.away.as_ref().is_some_and(there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_nothing_to_answer_is_asked_again() {
        let owners = [PlayerName::new("owner").unwrap()];
        let mut roll = Roll::default();
        roll.enlist(&owners);
        roll.leave(&owners[0], "another says that it is gone");
        let now = Instant::now();
        assert!(roll.due_for_dialling(now).is_empty(), "it may answer yet");
        assert!(!roll.take_back());
        assert_eq!(roll.due_for_dialling(now + QUIET), owners);
        assert!(roll.due_for_dialling(now + 2 * QUIET).is_empty(), "once is enough");
        roll.dialled(&owners[0], true);
        assert!(roll.take_back());
        assert_eq!(roll.newly_back(&owners), owners);
        assert!(roll.newly_back(&owners).is_empty(), "it was told");
    }
}
