//! The driver's side: records functions, has players run them, collects what is published.
//!
//! The driver is trusted with nothing: it sends recorded graphs, which each player judges and
//! lowers itself, and gets digests, progress, published values and reports.

mod checkpoint;
mod publications;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use sordino_graph::{Function, PlayerName, RecordError, Setup, print_with_sources};
use sordino_ops::{Plan, PlanError, Tensor};
use sordino_players::IdentityError;
use sordino_players::roster::driver_name;

use self::checkpoint::Checkpointing;
use self::publications::Publications;
use crate::message::{
    Control, DataHeader, Digests, Failure, Frame, PlanIndex, Published, SessionId,
};
use crate::report::PlayerReport;
use crate::session::PATIENCE;
use crate::transport::{Inbox, Network, Refused};

/// How long players may take to get ready: to check a graph and to reach each other.
const READY: Duration = Duration::from_secs(30);

/// How long the driver goes on without a word from any player: longer than players wait for each
/// other, so that the one who knows more tells first.
const SILENCE: Duration = PATIENCE.saturating_add(Duration::from_secs(15));

/// Why a function did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program is wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The recorded graph breaks rules, or the protocol cannot do what it says.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A player failed, or cannot be reached.
    #[error("{0}")]
    Failed(Failure),
    /// A player would run something else than the driver recorded.
    #[error(
        "{player} would run another plan of {function}: players and driver must be of the same \
         version of Sordino"
    )]
    Digest {
        /// The player.
        player: PlayerName,
        /// The function.
        function: String,
    },
    /// A run cannot be resumed.
    #[error("session {session} cannot be resumed: {reason}")]
    NotResumed {
        /// The session that the run began with.
        session: SessionId,
        /// Why.
        reason: String,
    },
    /// Players did not answer.
    #[error("no answer from {} for {seconds} s: look into their logs", some(players))]
    Silence {
        /// Who owes an answer.
        players: Vec<PlayerName>,
        /// How long the driver waited.
        seconds: u64,
    },
    /// The session failed earlier.
    #[error("the session is over; open a new one")]
    Over,
    /// A player of this process has no key to seal its checkpoints with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no source of randomness for the session's name.
    #[error("no source of randomness: {0}")]
    NoRandomness(getrandom::Error),
}

/// Names for a message: the first of many.
fn some(players: &[PlayerName]) -> String {
    const SHOWN: usize = 8;
    let names = players.iter().take(SHOWN).map(PlayerName::as_str).collect::<Vec<_>>().join(", ");
    match players.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{names} and {more} more"),
        _ => names,
    }
}

/// What happens while a function runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many of the steps asked for are done.
    Progress {
        /// Steps done.
        done: u64,
    },
    /// A player did not write a checkpoint. The run goes on; it can be resumed from the last one
    /// that all players have.
    Unsaved {
        /// Who.
        player: &'a PlayerName,
        /// Why.
        reason: &'a str,
    },
    /// A player published a value.
    Published {
        /// Who.
        player: &'a PlayerName,
        /// What.
        value: &'a Published,
    },
}

/// The outcome of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What was published, in the order of arrival.
    pub published: Vec<(PlayerName, Published)>,
    /// What it cost, a report a player.
    pub reports: Vec<PlayerReport>,
    /// Seconds from the request to the last player's end.
    pub seconds: f64,
}

impl Run {
    /// The mean of a published scalar over all steps; `None` when it was never published.
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<f64> {
        let values: Vec<f64> = self
            .published
            .iter()
            .filter(|(_, value)| value.name == name)
            .filter_map(|(_, value)| value.elements.first().copied())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// The inbox of the driver: a queue.
pub(crate) struct DriverInbox(Sender<(PlayerName, Arrival)>);

enum Arrival {
    Control(Control),
    Lost(String),
}

impl DriverInbox {
    pub(crate) fn new() -> (Arc<Self>, Arrivals) {
        let (sender, receiver) = channel();
        (Arc::new(Self(sender)), Arrivals(receiver))
    }
}

/// What has arrived for the driver.
pub(crate) struct Arrivals(Receiver<(PlayerName, Arrival)>);

impl Inbox for DriverInbox {
    fn on_control(&self, from: &PlayerName, message: Control) {
        // Nobody listens any more when the session is dropped.
        let _ = self.0.send((from.clone(), Arrival::Control(message)));
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Tensor, Refused> {
        Err(Refused("the driver takes no values: invariant 1".into()))
    }

    fn on_data(&self, _: &PlayerName, _: DataHeader, _: Tensor) {}

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        let _ = self.0.send((peer.clone(), Arrival::Lost(reason.to_owned())));
    }
}

/// A session: players that are set up, and the functions they have run.
pub struct Session {
    id: SessionId,
    setup: Setup,
    network: Arc<dyn Network>,
    arrivals: Arrivals,
    prepared: HashMap<String, Prepared>,
    checkpoints: Checkpointing,
    over: bool,
    /// What lives as long as the session: the players of a process, or the network's thread.
    _keep: Box<dyn std::any::Any + Send>,
}

/// A function that all players are ready to run.
#[derive(Clone)]
struct Prepared {
    index: PlanIndex,
    plan: Arc<Plan>,
    /// Steps run so far, those before the session was resumed included.
    steps: u64,
}

impl Session {
    /// A session over a network that reaches all players of `setup`.
    ///
    /// # Errors
    /// [`RunError::NoRandomness`] when the system gives no random bytes.
    pub(crate) fn new(
        setup: Setup,
        network: Arc<dyn Network>,
        arrivals: Arrivals,
        keep: Box<dyn std::any::Any + Send>,
    ) -> Result<Self, RunError> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(RunError::NoRandomness)?;
        let (id, prepared) = (SessionId(id), HashMap::new());
        let checkpoints = Checkpointing::of(id);
        let over = false;
        Ok(Self { id, setup, network, arrivals, prepared, checkpoints, over, _keep: keep })
    }

    /// Players, protocol and policy.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Records a function if its signature is new, has every player check it, and waits until all
    /// are ready to run it.
    ///
    /// # Errors
    /// [`RunError`]; the session is over when players have failed.
    pub fn prepare(&mut self, function: &Function<'_>) -> Result<Arc<Plan>, RunError> {
        self.prepared(function).map(|prepared| prepared.plan)
    }

    fn prepared(&mut self, function: &Function<'_>) -> Result<Prepared, RunError> {
        if let Some(prepared) = self.prepared.get(function.signature()) {
            return Ok(prepared.clone());
        }
        if self.over {
            return Err(RunError::Over);
        }
        let recorded = function.record(&self.setup)?;
        let text: Arc<str> = print_with_sources(&recorded).into();
        let plan = Arc::new(Plan::new(recorded)?);
        let index = PlanIndex::try_from(self.prepared.len()).unwrap_or(PlanIndex::MAX);
        let first = self.checkpoints.steps_of(&plan.recorded_digest);
        for player in &self.setup.players {
            let (session, text) = (self.id, Arc::clone(&text));
            let message = Control::Prepare { session, plan: index, first, text };
            self.network.send(player, Frame::Control(message));
        }
        let expected = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
        let mut waiting: BTreeSet<_> = self.setup.players.iter().cloned().collect();
        while !waiting.is_empty() {
            let (from, message) = self.receive(&waiting, READY)?;
            if let Control::Ready { plan, digests, .. } = message
                && plan == index
            {
                if digests != expected {
                    self.blame(&from, "would run another plan than the driver".to_owned());
                    let function = function.name().to_owned();
                    return Err(RunError::Digest { player: from, function });
                }
                waiting.remove(&from);
            }
        }
        let prepared = Prepared { index, plan, steps: first };
        self.prepared.insert(function.signature().to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Has all players run `steps` steps of a function, and waits for their end.
    ///
    /// # Errors
    /// [`RunError`]; the session is over when players have failed.
    pub fn run(&mut self, function: &Function<'_>, steps: u64) -> Result<Run, RunError> {
        self.run_with(function, steps, |_| {})
    }

    /// Steps between which nothing is kept.
    fn run_piece(
        &mut self,
        function: &Function<'_>,
        steps: u64,
        watch: &mut impl FnMut(Event<'_>),
    ) -> Result<Run, RunError> {
        let Prepared { index, plan, steps: before } = self.prepared(function)?;
        let start = Instant::now();
        for player in &self.setup.players {
            let message = Control::Run { session: self.id, plan: index, steps };
            self.network.send(player, Frame::Control(message));
        }
        let mut waiting: BTreeSet<_> = self.setup.players.iter().cloned().collect();
        let mut run = Run::default();
        let mut publications = Publications::of(&plan, steps);
        let mut furthest = 0;
        while !waiting.is_empty() {
            let (from, message) = self.receive(&waiting, SILENCE)?;
            match message {
                Control::Progress { plan, done, .. } if plan == index => {
                    let done = done.saturating_sub(before).min(steps);
                    if done > furthest {
                        furthest = done;
                        watch(Event::Progress { done });
                    }
                }
                Control::Published { plan, value, .. } if plan == index => {
                    if let Err(reason) = publications.take(&from, &value) {
                        return Err(self.blame(&from, reason));
                    }
                    watch(Event::Published { player: &from, value: &value });
                    run.published.push((from, value));
                }
                Control::Finished { plan, mut report, .. } if plan == index => {
                    // What a player says of itself is told under the name that it proved.
                    report.player = from.as_str().to_owned();
                    if waiting.remove(&from) {
                        run.reports.push(report);
                    }
                }
                _ => {}
            }
        }
        watch(Event::Progress { done: steps });
        run.seconds = start.elapsed().as_secs_f64();
        let order = |name: &str| self.setup.players.iter().position(|p| p.as_str() == name);
        run.reports.sort_by_key(|report| order(&report.player));
        if let Some(prepared) = self.prepared.get_mut(function.signature()) {
            prepared.steps += steps;
        }
        Ok(run)
    }

    /// The next message of this session.
    fn receive(
        &mut self,
        waiting: &BTreeSet<PlayerName>,
        patience: Duration,
    ) -> Result<(PlayerName, Control), RunError> {
        if self.over {
            return Err(RunError::Over);
        }
        loop {
            let failure = match self.arrivals.0.recv_timeout(patience) {
                Ok((_, Arrival::Control(message))) if message.session() != self.id => continue,
                Ok((from, Arrival::Control(Control::Abort { failure, .. }))) => {
                    failure.told_by(&from)
                }
                Ok((from, Arrival::Control(message))) => return Ok((from, message)),
                Ok((from, Arrival::Lost(_))) if !self.setup.players.contains(&from) => continue,
                Ok((from, Arrival::Lost(reason))) => {
                    Failure { player: from.as_str().to_owned(), reason }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    let reason = format!("heard nothing for {} s", patience.as_secs());
                    self.blame(&driver_name(), reason);
                    let players = waiting.iter().cloned().collect();
                    return Err(RunError::Silence { players, seconds: patience.as_secs() });
                }
            };
            self.give_up(&failure);
            return Err(RunError::Failed(failure));
        }
    }

    /// Ends the session for what `player` did.
    fn blame(&mut self, player: &PlayerName, reason: String) -> RunError {
        let failure = Failure { player: player.as_str().to_owned(), reason };
        self.give_up(&failure);
        RunError::Failed(failure)
    }

    /// Ends the session and tells all players why: one that was still getting ready when another
    /// failed knew nobody yet, and nobody knew it.
    fn give_up(&mut self, failure: &Failure) {
        self.over = true;
        for player in &self.setup.players {
            let message = Control::Abort { session: self.id, failure: failure.clone() };
            self.network.send(player, Frame::Control(message));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for player in &self.setup.players {
            self.network.send(player, Frame::Control(Control::Close { session: self.id }));
        }
    }
}

#[cfg(test)]
mod tests;
