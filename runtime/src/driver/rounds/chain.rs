//! The plans of a function that is run in rounds, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use sordino_graph::{Digest, PlayerName, Role};

use super::Participation;
use crate::driver::publications::Publications;
use crate::driver::{Prepared, RunError, Session};
use crate::message::{Halted, SessionId};

/// The plans of a function, one after the other.
#[derive(Default)]
pub(in crate::driver) struct Chain {
    /// Steps done, those before the session was resumed included.
    pub(super) done: u64,
    /// The number of the step that comes next.
    pub(super) next: u64,
    pub(super) current: Option<Current>,
    /// Owners that were late, and it seemed to be for another's sake, since the last step done.
    pub(super) excused: BTreeSet<PlayerName>,
}

/// The plan of those who are there.
pub(super) struct Current {
    pub(super) prepared: Prepared,
    pub(super) owners: Vec<PlayerName>,
    /// Players whose variables it changes.
    pub(super) holders: BTreeSet<PlayerName>,
    /// What may be published of the steps asked for last.
    pub(super) publications: Publications,
}

impl Chain {
    /// The current plan has done the steps with numbers before `end`; those before `next` are not to
    /// be run.
    pub(super) fn count(&mut self, end: u64, next: u64, participation: &mut Vec<Participation>) {
        let owners = self.current.as_ref().map(|current| &current.owners);
        if let Some(owners) = owners.filter(|_| end > self.next) {
            self.excused.clear();
            let steps = self.done..self.done + (end - self.next);
            self.done = steps.end;
            match participation.last_mut() {
                Some(last) if last.owners == *owners && last.end() == self.next => {
                    last.steps.end = steps.end;
                }
                _ => {
                    let (number, owners) = (self.next, owners.clone());
                    participation.push(Participation { steps, number, owners });
                }
            }
        }
        self.next = next;
    }
}

impl Participation {
    /// The number behind that of the last step.
    fn end(&self) -> u64 {
        self.number + (self.steps.end - self.steps.start)
    }
}

impl Current {
    /// Steps before the result are done, as players say who have dropped the plan.
    pub(super) fn done(
        &self,
        ends: &BTreeMap<PlayerName, Halted>,
    ) -> Result<Option<u64>, RunError> {
        let counts = |name: &PlayerName| match self.holders.is_empty() {
            true => !self.owners.contains(name),
            false => self.holders.contains(name),
        };
        let done = ends.iter().filter(|(name, _)| counts(name));
        let done: Vec<_> = done.map(|(name, end)| (name.clone(), end.done)).collect();
        let least = done.iter().map(|(_, done)| *done).min();
        if self.holders.is_empty() || done.iter().all(|(_, done)| Some(*done) == least) {
            return Ok(least);
        }
        Err(RunError::Apart { function: self.prepared.plan.recorded.name().to_owned(), done })
    }
}

/// Players whose variables a plan changes. Owners may have none.
pub(super) fn holders(
    prepared: &Prepared,
    owners: &[PlayerName],
) -> Result<BTreeSet<PlayerName>, RunError> {
    let mut holders = BTreeSet::new();
    for (_, node) in prepared.plan.lowered.nodes() {
        let Some(player) = node.place.player() else { continue };
        let uses = matches!(node.op.role, Role::ReadVariable | Role::AssignVariable);
        if uses && owners.contains(player) {
            return Err(RunError::OwnVariable {
                player: player.clone(),
                function: prepared.plan.recorded.name().to_owned(),
                variable: node.attributes.text("variable").unwrap_or_default().to_owned(),
            });
        }
        if node.op.role == Role::AssignVariable {
            holders.insert(player.clone());
        }
    }
    Ok(holders)
}

/// Under what checkpoints count the steps of a function that is run in rounds, of which `all` is the
/// graph with all owners: not as those of that graph, which are done by all.
pub(in crate::driver) fn key(all: &Digest) -> [u8; 32] {
    Sha256::new().chain_update(b"sordino rounds v1").chain_update(all.0).finalize().into()
}

impl Session {
    /// The chain of a function, of which `all` is the graph with all owners.
    pub(super) fn chain(&mut self, all: &Digest) -> Chain {
        if let Some(chain) = self.chains.remove(all) {
            return chain;
        }
        let prepared =
            self.prepared.values().find(|prepared| prepared.plan.recorded_digest == *all);
        let before = self.checkpoints.steps_of_key(&key(all));
        let done = before.or_else(|| Some(prepared?.steps));
        let done = done.unwrap_or_else(|| self.checkpoints.steps_of(all));
        let next = if self.checkpoints.is_resumed(self.id) { done + ahead(self.id) } else { done };
        Chain { done, next, ..Chain::default() }
    }
}

/// How far ahead a resumed session counts its rounds: what broke off may have run steps behind the
/// checkpoint, with other owners than are there now. None of their numbers is met again by chance.
fn ahead(session: SessionId) -> u64 {
    let [a, b, c, d, e, ..] = session.0;
    u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]) + 1
}
