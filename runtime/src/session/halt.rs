//! The end of a plan before its time: another set of players goes on with another plan.
//!
//! Nothing of a step that is cut off stays: neither values nor secrets, nor what it did to variables.

use std::sync::Arc;

use sordino_graph::PlayerName;

use super::{PlayerSession, State};
use crate::message::{Control, Frame, Halted, PlanIndex};
use crate::turns::Order;

/// Plans whose late values are known for such.
const MOST_HALTED: usize = 1000;

impl PlayerSession {
    /// The driver drops a plan. It is told when no kernel of it runs any more.
    pub(crate) fn halt(self: &Arc<Self>, index: PlanIndex) {
        {
            let mut state = self.state();
            if let Some(plan) = state.plans.get_mut(&index) {
                plan.halting = true;
            } else if !state.note_halted(index) {
                return;
            } else {
                // Whoever still prepares it finds that it is halted.
                drop(state);
                return self.say_halted(index, Halted::default());
            }
        }
        self.end_halt(index);
    }

    /// Drops a plan that is to be halted, once no kernel of it runs.
    pub(super) fn end_halt(self: &Arc<Self>, index: PlanIndex) {
        let end = {
            let mut state = self.state();
            let due = state.plans.get(&index);
            if !due.is_some_and(|plan| plan.halting && !plan.machine.is_running()) {
                return;
            }
            state.drop_plan(index, &self.me, &self.network.wire_bytes())
        };
        if let Some(end) = end {
            self.say_halted(index, end);
            self.kick(Order::Then);
        }
    }

    fn say_halted(&self, plan: PlanIndex, end: Halted) {
        let message = Control::Halted { session: self.id, plan, end };
        self.network.send(&self.driver, Frame::Control(message));
    }
}

impl State {
    /// Notes that a plan was halted: false if it is known. Of more than can be late it keeps the last.
    fn note_halted(&mut self, index: PlanIndex) -> bool {
        let new = self.halted.insert(index);
        if self.halted.len() > MOST_HALTED {
            self.halted.pop_first();
        }
        new
    }

    /// Forgets a plan and what its unfinished step did.
    fn drop_plan(
        &mut self,
        index: PlanIndex,
        me: &PlayerName,
        wire: &[(PlayerName, u64, u64)],
    ) -> Option<Halted> {
        let was_running = self.running().is_some_and(|(running, _)| running == index);
        let plan = self.plans.remove(&index)?;
        self.note_halted(index);
        self.queue.retain(|(queued, _)| *queued != index);
        let done = plan.machine.done();
        plan.host.journal.undo(done, &plan.host.variables);
        let mut end = Halted { done, begun: plan.begun.max(done), ..Halted::default() };
        if was_running {
            let on = plan.machine.waiting_for().map(|(on, _)| on.as_str().to_owned());
            end.waits_for = on.filter(|_| plan.machine.left() > 0);
            end.report = self.meter.report(me, &mut self.reported, wire);
            end.report.steps = end.report.steps.saturating_sub(plan.machine.left());
            self.begin();
        }
        Some(end)
    }
}
