//! The end of a session in which a player was told to stop: with a step that all have done.

use std::sync::Arc;

use super::PlayerSession;
use crate::message::{Control, PlanIndex};
use crate::turns::Order;

impl PlayerSession {
    /// This player was told to stop. The driver, which knows whether there is something to keep, ends
    /// the session; one in which nothing happened since its last checkpoint ends here.
    pub(crate) fn leave(self: &Arc<Self>) {
        let nothing_to_keep = {
            let state = self.state();
            state.queue.is_empty() && !state.unsaved
        };
        match nothing_to_keep {
            true => self.fail(&self.me, "was told to stop"),
            false => self.answer(Control::Leaving { session: self.id }),
        }
    }

    /// The driver asks to begin no further step.
    pub(crate) fn hold(self: &Arc<Self>, plan: PlanIndex) {
        let begun = self.state().plans.get_mut(&plan).map(|plan| plan.machine.hold());
        match begun {
            Some(begun) => self.answer(Control::Held { session: self.id, plan, begun }),
            None => self.fail(&self.driver, &format!("holds plan {plan}, which nobody prepared")),
        }
    }

    /// The driver says with which step to end.
    pub(crate) fn end_at(self: &Arc<Self>, plan: PlanIndex, end: u64) {
        let held = self.state().plans.get_mut(&plan).is_some_and(|plan| plan.machine.end_at(end));
        if held {
            self.kick(Order::Then);
        } else {
            self.fail(&self.driver, &format!("cannot end plan {plan} before step {end}"));
        }
    }
}
