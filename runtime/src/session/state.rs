//! What a session has on a player, all of it under one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

use super::wait::Patience;
use crate::host::PlanHost;
use crate::machine::{Action, Machine};
use crate::message::{Digests, Failure, GroupSecret, PlanIndex};
use crate::meter::Meter;
use crate::turns::brief;

pub(super) struct State {
    pub(super) plans: BTreeMap<PlanIndex, PlanState>,
    /// Plans that were halted. What arrives for them is late.
    pub(super) halted: BTreeSet<PlanIndex>,
    /// The plan that is being checked.
    pub(super) building: Option<PlanIndex>,
    /// Greetings for plans that are not known yet.
    pub(super) early: Vec<Greeting>,
    /// Peers that were greeted anew.
    pub(super) again: HashSet<PlayerName>,
    /// What the driver asked for and is not done: the first is running.
    pub(super) queue: VecDeque<(PlanIndex, u64)>,
    /// Threads that are, or will soon be, in `PlayerSession::turn`.
    pub(super) workers: usize,
    /// Those of them that wait where others may go before.
    pub(super) queued: usize,
    pub(super) meter: Meter,
    /// For each peer, the transport's counter up to which bytes sent to it have been reported.
    pub(super) reported: BTreeMap<PlayerName, u64>,
    /// When something last arrived or was computed, or whom this player is ahead of went on.
    pub(super) moved: Instant,
    pub(super) told: Instant,
    /// When those who may be ahead were last told that it goes on.
    pub(super) signed: Instant,
    /// When a long wait was last told.
    pub(super) pulsed: Instant,
    /// Whether steps were asked for since the last checkpoint.
    pub(super) unsaved: bool,
    /// The last checkpoint that was written.
    pub(super) checkpoint: Option<u64>,
    pub(super) failed: Option<Failure>,
}

/// What a thread does next for a session.
pub(super) struct Turn {
    pub(super) plan: PlanIndex,
    pub(super) action: Action,
    pub(super) host: Arc<PlanHost>,
    /// What the request cost that this turn ends.
    pub(super) ended: Option<Meter>,
}

pub(super) type Greeting = (PlayerName, PlanIndex, Digests, Vec<GroupSecret>);

/// A plan on its way to being ready, and then ready.
pub(super) struct PlanState {
    pub(super) host: Arc<PlanHost>,
    pub(super) machine: Machine,
    pub(super) digests: Digests,
    /// Groups of this plan that this player belongs to.
    pub(super) groups: HashSet<Vec<PlayerName>>,
    /// Players that have not greeted yet.
    pub(super) expected: HashSet<PlayerName>,
    /// Secrets for others, until it is known that they have them.
    pub(super) gifts: HashMap<PlayerName, Vec<GroupSecret>>,
    /// Whom this player has greeted.
    pub(super) told: HashSet<PlayerName>,
    pub(super) greeted: bool,
    pub(super) ready: bool,
    pub(super) patience: Patience,
    /// Of this step and later ones there is no value of an optional player here.
    pub(super) begun: u64,
    /// It does nothing more, and is dropped when no kernel runs.
    pub(super) halting: bool,
    /// For each task, how long its kernel would have taken on one thread the last time, at most; of a sum,
    /// for a term.
    pub(super) took: Vec<Duration>,
}

impl State {
    /// Of a session in which nothing has happened. `reported` are the transport's counters.
    pub(super) fn new(reported: BTreeMap<PlayerName, u64>) -> Self {
        let now = Instant::now();
        Self {
            plans: BTreeMap::new(),
            halted: BTreeSet::new(),
            building: None,
            early: Vec::new(),
            again: HashSet::new(),
            queue: VecDeque::new(),
            workers: 0,
            queued: 0,
            meter: Meter::default(),
            reported,
            moved: now,
            told: now,
            signed: now,
            pulsed: now,
            unsaved: false,
            checkpoint: None,
            failed: None,
        }
    }

    /// Starts the first request of the queue.
    pub(super) fn begin(&mut self) {
        if let Some(&(plan, steps)) = self.queue.front() {
            self.meter = Meter::start(steps);
            if let Some(plan) = self.plans.get_mut(&plan) {
                plan.machine.ask(steps);
            }
        }
    }

    /// What the running plan's machine says; `None` when nothing can be done now. A request that
    /// is done makes way for the next one.
    pub(super) fn next(&mut self) -> Option<Turn> {
        let &(index, _) = self.queue.front()?;
        let plan = self.plans.get_mut(&index).filter(|plan| !plan.halting)?;
        let action = plan.machine.next();
        if let Action::Wait = action {
            let idle = !plan.machine.is_running();
            self.meter.idle(idle);
            return None;
        }
        self.meter.idle(false);
        if let Action::Send { to, value, .. } = &action {
            // Counted here, under the lock under which the request may end.
            self.meter.sent(to, value.as_bytes().len());
        }
        let host = Arc::clone(&plan.host);
        let ended = matches!(action, Action::Done).then(|| {
            let meter = std::mem::take(&mut self.meter);
            self.queue.pop_front();
            self.begin();
            meter
        });
        Some(Turn { plan: index, action, host, ended })
    }

    /// Whether [`next`](Self::next) has something to say.
    pub(super) fn can_act(&mut self) -> bool {
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get_mut(plan));
        running.is_some_and(|plan| !plan.halting && plan.machine.can_act())
    }

    /// Whether what [`next`](Self::next) would say may be done in a brief turn.
    pub(super) fn is_brief(&mut self) -> bool {
        if !self.can_act() {
            return true;
        }
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get(plan));
        let kernel = running.and_then(|plan| {
            let (task, inputs) = plan.machine.next_job()?;
            let terms = plan.machine.schedule().tasks[task].terms(inputs);
            Some(plan.took[task].saturating_mul(terms))
        });
        brief::fits(kernel.unwrap_or_default())
    }

    pub(super) fn jobs(&self) -> usize {
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get(plan));
        running.map_or(0, |plan| plan.machine.ready_jobs())
    }

    pub(super) fn is_idle(&self) -> bool {
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get(plan));
        running.is_some_and(|plan| !plan.machine.is_running() && plan.machine.ready_jobs() == 0)
    }
}
