//! What a session says of itself to the player's operator.

use sordino_graph::Digest;

use super::{PlanState, PlayerSession, State};
use crate::status::{PlanStatus, SessionState, SessionStatus, WaitStatus};

impl PlayerSession {
    /// What it does now.
    pub(crate) fn status(&self) -> SessionStatus {
        let state = self.state();
        SessionStatus {
            session: self.id.to_string(),
            driver: self.driver.as_str().to_owned(),
            seconds: self.opened.elapsed().as_secs(),
            state: state.doing(),
            plans: state.plans.values().map(PlanState::status).collect(),
            wait: state.wait_status(),
            checkpoint: state.checkpoint,
        }
    }
}

impl State {
    fn doing(&self) -> SessionState {
        if !self.queue.is_empty() {
            SessionState::Running
        } else if self.plans.values().all(|plan| plan.ready) {
            SessionState::Idle
        } else {
            SessionState::Preparing
        }
    }

    fn wait_status(&self) -> Option<WaitStatus> {
        let (_, plan) = self.running()?;
        let (player, node) = plan.waits()?;
        let seconds = self.moved.elapsed().as_secs_f64();
        Some(WaitStatus { player: player.as_str().to_owned(), node: node.to_owned(), seconds })
    }
}

impl PlanState {
    fn status(&self) -> PlanStatus {
        PlanStatus {
            function: self.machine.schedule().graph.name().to_owned(),
            digest: Digest(self.digests.recorded).to_string(),
            done: self.machine.done(),
            left: self.machine.left(),
        }
    }
}
