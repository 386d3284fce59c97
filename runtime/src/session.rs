//! A player's side of a session: its plans, what arrives for them, its end.

mod checkpoint;
mod greeting;
mod halt;
mod leave;
mod state;
mod status;
mod turn;
mod wait;

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use sordino_graph::{PlayerName, Type};
use sordino_ops::Tensor;

use crate::host::Variables;
use crate::memory::{Room, Share};
use crate::message::{Control, DataHeader, Failure, Frame, PlanIndex, SessionId};
use crate::plans;
use crate::player::PlayerOptions;
use crate::transport::{Network, Refused};
use crate::turns::{self, Order};

use self::state::{Greeting, PlanState, State, Turn};
pub(crate) use self::wait::LONG;
use self::wait::Patience;

/// Greetings of one peer kept for plans that this player has not checked yet. Drivers prepare one
/// plan at a time.
const MOST_EARLY: usize = 8;

/// Requests of the driver that wait for the one that runs.
const MOST_QUEUED: usize = 1000;

/// Steps end here, so that counting on from any of them does not overflow.
const MOST_STEPS: u64 = 1 << 48;

/// How often a player tells the driver how far it is.
const PROGRESS: Duration = Duration::from_millis(50);

/// How often a player that goes on says so to those who may be ahead of it, if its kernels are shorter,
/// however long its steps take: more often than a wait is told.
const SIGN: Duration = Duration::from_secs(1);

/// A player's side of a session.
pub(crate) struct PlayerSession {
    id: SessionId,
    me: PlayerName,
    driver: PlayerName,
    opened: Instant,
    network: Arc<dyn Network>,
    options: PlayerOptions,
    /// What it has of the player's memory.
    room: Share,
    variables: Arc<Variables>,
    agreed: OnceLock<checkpoint::Agreed>,
    restored: OnceLock<checkpoint::Restored>,
    /// Whether something is done with checkpoints.
    at_disk: AtomicBool,
    state: Mutex<State>,
}

impl PlayerSession {
    pub(crate) fn new(
        id: SessionId,
        me: PlayerName,
        driver: PlayerName,
        network: Arc<dyn Network>,
        options: PlayerOptions,
        room: &Arc<Room>,
    ) -> Arc<Self> {
        let wire = network.wire_bytes().into_iter();
        let state = Mutex::new(State::new(wire.map(|(peer, sent, _)| (peer, sent)).collect()));
        let variables = Arc::default();
        Arc::new(Self {
            id,
            me,
            driver,
            opened: Instant::now(),
            network,
            options,
            room: Share::of(room),
            variables,
            agreed: OnceLock::new(),
            restored: OnceLock::new(),
            at_disk: AtomicBool::new(false),
            state,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    /// Who opened it, and alone asks for anything in it.
    pub(crate) fn driver(&self) -> &PlayerName {
        &self.driver
    }

    /// Why the session failed, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.state().failed.clone()
    }

    /// Everyone that this player exchanges values or secrets with.
    fn peers(&self) -> HashSet<PlayerName> {
        let state = self.state();
        let mut peers: HashSet<_> =
            state.plans.values().flat_map(PlanState::peers).cloned().collect();
        peers.remove(&self.me);
        peers
    }

    /// Runs `visit` so that a panic in it, a bug, fails this session and not the process.
    pub(crate) fn guard(self: &Arc<Self>, visit: impl FnOnce(&Arc<Self>)) {
        if let Err(bug) = guarded(|| visit(self)) {
            self.fail(&self.me, &bug);
        }
    }

    /// Has a thread of the pool run `work`, [guarded](Self::guard).
    pub(crate) fn spawn(
        self: &Arc<Self>,
        order: Order,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) {
        let session = Arc::clone(self);
        turns::spawn(order, move || session.guard(work));
    }

    /// The driver asks for steps.
    pub(crate) fn run(self: &Arc<Self>, plan: PlanIndex, steps: u64) {
        let queued = {
            let mut state = self.state();
            let ready = state.plans.get(&plan).is_some_and(|plan| plan.ready);
            if !ready {
                Err(format!("asked to run plan {plan}, which is not ready"))
            } else if state.queue.len() >= MOST_QUEUED {
                Err(format!("asked for more than {MOST_QUEUED} runs at once"))
            } else {
                state.queue.push_back((plan, steps));
                state.moved = Instant::now();
                state.unsaved = true;
                if state.queue.len() == 1 {
                    state.begin();
                }
                Ok(())
            }
        };
        match queued {
            Ok(()) => {
                // All are ready, or the driver would not ask.
                plans::forget();
                self.kick(Order::Then);
            }
            Err(reason) => self.fail(&self.driver, &reason),
        }
    }

    pub(crate) fn on_announce(
        self: &Arc<Self>,
        from: &PlayerName,
        header: &DataHeader,
        length: u64,
    ) -> Result<Type, Refused> {
        let checked = {
            let state = self.state();
            match state.plans.get(&header.plan) {
                None if state.halted.contains(&header.plan) => {
                    return Err(Refused(format!("plan {} was halted", header.plan)));
                }
                None => Err(format!("sent a value of plan {}, which nobody prepared", header.plan)),
                Some(plan) => {
                    let (step, edge) = (header.step, header.edge);
                    let checked = plan.machine.on_announced(from, step, edge, length);
                    checked.cloned().map_err(|error| error.to_string())
                }
            }
        };
        checked.map_err(|reason| {
            self.fail(from, &reason);
            Refused(reason)
        })
    }

    pub(crate) fn on_data(self: &Arc<Self>, from: &PlayerName, header: DataHeader, value: Tensor) {
        let taken = {
            let mut state = self.state();
            state.moved = Instant::now();
            let Some(plan) = state.plans.get_mut(&header.plan) else { return };
            let taken = plan.machine.on_received(from, header.step, header.edge, value);
            if plan.patience.is_optional(from) {
                plan.begun = plan.begun.max(header.step.saturating_add(1));
            }
            taken
        };
        match taken {
            Ok(()) => self.kick(Order::First),
            Err(error) => self.fail(from, &error.to_string()),
        }
    }

    pub(crate) fn on_credit(self: &Arc<Self>, from: &PlayerName, plan: PlanIndex, done: u64) {
        let credited = {
            let state = &mut *self.state();
            state.note_sign(from, plan);
            match state.plans.get_mut(&plan) {
                Some(plan) => plan.machine.on_credit(from, done).map_err(|error| error.to_string()),
                None if state.halted.contains(&plan) => return,
                None => Err(format!("says how far plan {plan} is, which nobody prepared")),
            }
        };
        match credited {
            // It lets a step begin.
            Ok(true) => self.kick(Order::Then),
            Ok(false) => {}
            Err(reason) => self.fail(from, &reason),
        }
    }

    /// Ends the session and tells everyone in it.
    pub(crate) fn fail(&self, at_fault: &PlayerName, reason: &str) {
        self.spread(Failure::new(at_fault.as_str(), reason));
    }

    /// A peer says that the session has failed. It is told on, since not everyone hears everyone.
    pub(crate) fn on_abort(&self, from: &PlayerName, failure: Failure) {
        if *from == self.driver {
            self.spread(failure);
        } else if self.peers().contains(from) {
            let failure = failure.told_by(from);
            if self.goes_on_without(from) {
                self.miss(from, failure.to_string());
            } else {
                self.spread(failure);
            }
        }
    }

    fn spread(&self, failure: Failure) {
        if self.end(failure.clone()) {
            let told = self.peers().into_iter().chain([self.driver.clone()]);
            for to in told {
                let message = Control::Abort { session: self.id, failure: failure.clone() };
                self.network.send(&to, Frame::Control(message));
            }
        }
    }

    /// Ends the session without a word to others; false if it had ended before.
    pub(crate) fn end(&self, failure: Failure) -> bool {
        let mut state = self.state();
        let first = state.failed.is_none();
        if first {
            state.failed = Some(failure);
            state.queue.clear();
        }
        first
    }
}

/// Runs our own code so that a panic in it, a bug, fails one session and not the process. The
/// panic's message is left out: it may hold values.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let run = std::panic::AssertUnwindSafe(run);
    std::panic::catch_unwind(run).map_err(|_| "panicked: a bug of Sordino's".to_owned())
}

#[cfg(test)]
mod tests;
