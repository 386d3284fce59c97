//! Waits: what a player tells of them, and what becomes of those for whom it waits in vain.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

use super::{PlanState, PlayerSession, State};
use crate::message::{Control, Failure, Frame, Optional, PlanIndex, Wait};

/// How long a player waits, or works on one thing, before it says so, and then says so again.
pub(crate) const LONG: Duration = Duration::from_secs(2);

/// Whom a plan need not wait for.
#[derive(Debug, Default)]
pub(super) struct Patience {
    optional: Vec<PlayerName>,
    timeout: Duration,
}

impl Patience {
    pub(super) fn new(optional: &Optional) -> Result<Self, String> {
        let names = optional.players.iter().map(|name| PlayerName::new(name));
        let names: Result<_, _> = names.collect();
        let timeout = Duration::from_millis(optional.timeout);
        Ok(Self { optional: names.map_err(|error| error.to_string())?, timeout })
    }

    /// Whether the plan can be halted.
    pub(super) fn is_limited(&self) -> bool {
        !self.optional.is_empty()
    }

    pub(super) fn is_optional(&self, player: &PlayerName) -> bool {
        self.optional.contains(player)
    }

    /// When it is told next that `player` is waited for, since `moved` and last told at `told`.
    fn due(&self, player: &PlayerName, moved: Instant, told: Instant) -> Instant {
        let again = moved.max(told) + LONG;
        let timeout = self.is_optional(player).then(|| moved.checked_add(self.timeout)).flatten();
        timeout.filter(|timeout| told < *timeout).map_or(again, |timeout| timeout.min(again))
    }
}

impl PlayerSession {
    /// Looks whether a wait, or some work, has grown long, and tells the driver of it. Returns the
    /// wait, for the log.
    pub(crate) fn check_patience(&self) -> Option<Wait> {
        let (plan, wait) = self.state().long()?;
        let message = Control::Pulse { session: self.id, plan, wait: wait.clone() };
        self.network.send(&self.driver, Frame::Control(message));
        wait
    }

    /// A peer is gone, or is not there. The session fails if it has to do with it, unless it goes
    /// on without: the driver then is told.
    pub(crate) fn on_lost(self: &Arc<Self>, peer: &PlayerName, reason: &str) {
        if *peer == self.driver {
            self.end(Failure::new(peer.as_str(), format!("the driver is gone: {reason}")));
            return;
        }
        let dispensable = !self.peers().contains(peer) || self.goes_on_without(peer);
        if dispensable || !self.greets_again(peer, reason) {
            self.lose(peer, reason);
        }
    }

    /// A peer is gone for good.
    pub(super) fn lose(&self, peer: &PlayerName, reason: &str) {
        if !self.peers().contains(peer) {
            return;
        }
        let wait = {
            let state = self.state();
            let running = state.running().map(|(_, plan)| plan);
            let node = running.and_then(|plan| plan.machine.waits_at(peer));
            node.map(|node| (node.to_owned(), state.moved.elapsed()))
        };
        let reason = match wait {
            Some((node, waited)) => format!(
                "{reason}; {} waits {:.1} s for it at {node}",
                self.me,
                waited.as_secs_f64()
            ),
            None => reason.to_owned(),
        };
        if self.goes_on_without(peer) {
            self.miss(peer, reason);
        } else {
            self.fail(peer, &reason);
        }
    }

    /// Whether no plan here needs `player`.
    pub(super) fn goes_on_without(&self, player: &PlayerName) -> bool {
        let state = self.state();
        let mut with = state.plans.values().filter(|plan| plan.peers().any(|peer| peer == player));
        with.all(|plan| plan.patience.is_optional(player))
    }

    /// Tells the driver that an optional player is gone.
    pub(super) fn miss(&self, player: &PlayerName, reason: String) {
        let failure = Failure::new(player.as_str(), reason);
        let message = Control::Missing { session: self.id, failure };
        self.network.send(&self.driver, Frame::Control(message));
    }
}

impl PlanState {
    /// Everyone that this player exchanges values or secrets with, itself included.
    pub(super) fn peers(&self) -> impl Iterator<Item = &PlayerName> {
        let schedule = self.machine.schedule();
        schedule.sources.iter().chain(&schedule.targets).chain(self.groups.iter().flatten())
    }

    /// Whom the plan waits for, at which node; `None` when it is at work.
    pub(super) fn waits(&self) -> Option<(&PlayerName, &str)> {
        if self.ready {
            return if self.machine.is_running() { None } else { self.machine.waiting_for() };
        }
        // Who is still being reached has a deadline of the transport's.
        let greeting = self.greeted.then(|| self.expected.iter().min());
        greeting.flatten().map(|peer| (peer, "its greeting"))
    }
}

impl State {
    /// `from` says that it goes on with a plan. A wait for it to get further begins anew, unless it is
    /// of a round: that has its time whatever an owner says.
    pub(super) fn note_sign(&mut self, from: &PlayerName, plan: PlanIndex) {
        let running = self.running().filter(|(running, _)| *running == plan);
        let ahead = |plan: &PlanState| plan.machine.ahead_of() == Some(from);
        if running.is_some_and(|(_, plan)| ahead(plan) && !plan.patience.is_optional(from)) {
            self.moved = Instant::now();
        }
    }

    /// What has lasted long and was not told: waiting, or work.
    fn long(&mut self) -> Option<(PlanIndex, Option<Wait>)> {
        if self.failed.is_some() {
            return None;
        }
        let preparing = || self.plans.iter().find(|(_, plan)| !plan.ready);
        let current = self.running().or_else(|| preparing().map(|(&index, plan)| (index, plan)));
        let waited = self.moved.elapsed();
        let (moved, told) = (self.moved, self.pulsed);
        let again = moved.max(told) + LONG;
        let (plan, wait, due) = match current {
            None => (self.building?, None, again),
            Some((index, plan)) => match plan.waits() {
                None => (index, None, again),
                Some((on, node)) => {
                    let due = plan.patience.due(on, moved, told);
                    let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
                    let (on, node) = (on.as_str().to_owned(), node.to_owned());
                    (index, Some(Wait { on, node, millis }), due)
                }
            },
        };
        let now = Instant::now();
        (now >= due).then(|| {
            self.pulsed = now;
            (plan, wait)
        })
    }

    /// The plan that the first request is for.
    pub(super) fn running(&self) -> Option<(PlanIndex, &PlanState)> {
        let &(index, _) = self.queue.front()?;
        Some((index, self.plans.get(&index)?))
    }
}
