//! The end of a round's plan: who has done how much of it, and who is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;
use sordino_players::roster::driver_name;

use super::Request;
use super::chain::Chain;
use crate::driver::{Event, RunError, SILENCE, Session};
use crate::message::{Control, Failure, Frame, Halted};

/// How long an owner may take to say that it has dropped a plan, before it is left out.
const DROP: Duration = Duration::from_secs(1);

impl Session {
    /// Has all players drop the current plan, and leaves those out that are `late`, unless they
    /// waited themselves for a player that is needed.
    pub(super) fn halt(
        &mut self,
        chain: &mut Chain,
        late: Vec<(PlayerName, String)>,
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        let Some(current) = chain.current.as_mut() else { return Ok(()) };
        let index = current.prepared.index;
        for player in &current.prepared.players {
            let message = Control::Halt { session: self.id, plan: index };
            self.network.send(player, Frame::Control(message));
        }
        let mut ends: BTreeMap<PlayerName, Halted> = BTreeMap::new();
        let begun = Instant::now();
        loop {
            let owes = |name: &&PlayerName| !ends.contains_key(*name) && !self.roll.is_away(name);
            let waiting: BTreeSet<_> =
                current.prepared.players.iter().filter(owes).cloned().collect();
            let patience = begun.elapsed() < DROP;
            let counts = |name: &PlayerName| patience || !request.owners.contains(name);
            if !waiting.iter().any(counts) {
                break;
            }
            if begun.elapsed() >= SILENCE {
                return Err(self.silence(&waiting));
            }
            match self.look(request)? {
                Some((from, Control::Halted { plan, end, .. })) if plan == index => {
                    request.outcome.run.count(&from, end.report.clone());
                    ends.insert(from, end);
                }
                Some((from, message)) => {
                    let (run, watch) = (&mut request.outcome.run, &mut *request.watch);
                    let publications = &mut current.publications;
                    let mut finished = BTreeSet::from([from.clone()]);
                    run.take(index, &from, message, publications, &mut finished, watch)
                        .map_err(|reason| self.blame(&from, reason))?;
                }
                None => {}
            }
        }
        for (owner, reason) in late {
            let needed = |end: &Halted| {
                let on = end.waits_for.as_deref();
                on.is_some_and(|on| request.owners.iter().all(|owner| owner.as_str() != on))
            };
            // Who holds a value back may say that, too: it is believed once.
            let excused = ends.get(&owner).is_some_and(needed);
            if !(excused && chain.excused.insert(owner.clone())) {
                self.roll.leave(&owner, &reason);
            }
        }
        for owner in &current.owners {
            if !ends.contains_key(owner) {
                self.roll.leave(owner, "does not answer");
            } else {
                self.roll.heard(owner);
            }
        }
        self.settle(chain, &ends, request)
    }

    /// Counts what a plan did that was halted.
    fn settle(
        &mut self,
        chain: &mut Chain,
        ends: &BTreeMap<PlayerName, Halted>,
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        let Some(current) = chain.current.as_ref() else { return Ok(()) };
        let done = match current.done(ends) {
            Ok(done) => done.unwrap_or(chain.next).max(chain.next),
            Err(error) => {
                self.give_up(&Failure::new(driver_name().as_str(), error.to_string()));
                return Err(error);
            }
        };
        let begun = ends.values().map(|end| end.begun).max().unwrap_or(done).max(done);
        request.outcome.run.published.retain(|(_, value)| value.step < done);
        let missing = self.roll.newly_missing(&current.owners);
        chain.count(done, begun, &mut request.outcome.participation);
        chain.current = None;
        for (player, reason) in &missing {
            (request.watch)(Event::Left { player, step: chain.done, reason });
        }
        Ok(())
    }
}
