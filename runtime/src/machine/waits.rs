//! Whom a machine waits for, and at which node.

use sordino_graph::PlayerName;

use super::{Machine, Step};
use crate::schedule::TaskKind;

impl Machine {
    /// Whom the machine waits for, at which node, in the first step that is not finished.
    #[must_use]
    pub fn waiting_for(&self) -> Option<(&PlayerName, &str)> {
        match self.steps.front() {
            Some(step) => self.open_receives(step).next(),
            None => Some((self.ahead_of()?, "the end of an earlier step")),
        }
    }

    /// Who has to get further before another step may start, when all that started are finished: none
    /// is further behind.
    #[must_use]
    pub fn ahead_of(&self) -> Option<&PlayerName> {
        let behind = |target: &&PlayerName| self.credit(target) + self.window <= self.done;
        self.schedule.targets.iter().find(behind).filter(|_| self.steps.is_empty())
    }

    /// The node at which the first step that is not finished waits for `peer`.
    #[must_use]
    pub fn waits_at(&self, peer: &PlayerName) -> Option<&str> {
        let mut open = self.open_receives(self.steps.front()?);
        open.find_map(|(from, node)| (from == peer).then_some(node))
    }

    fn open_receives(&self, step: &Step) -> impl Iterator<Item = (&PlayerName, &str)> {
        let open = |task: &usize| step.needs[*task] > 0;
        let mut receives: Vec<_> = self.schedule.incoming.values().copied().filter(open).collect();
        receives.sort_unstable();
        receives.into_iter().filter_map(|task| match &self.schedule.tasks[task].kind {
            TaskKind::Receive { from, .. } => Some((from, &*self.schedule.names[task])),
            _ => None,
        })
    }
}
