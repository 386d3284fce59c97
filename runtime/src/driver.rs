//! The driver's side: records functions, has players run them, collects what is published.
//!
//! The driver is trusted with nothing: it sends recorded graphs, which each player judges and
//! lowers itself, and gets digests, progress, published values and reports.

mod checkpoint;
mod error;
mod hear;
mod idle;
mod inbox;
mod leave;
mod publications;
mod roll;
mod rounds;
mod run;
mod waits;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_graph::{Digest, Function, Graph, PlayerName, Setup, digest, print_with_sources};
use sordino_ops::protocol::pads;
use sordino_ops::{Plan, VariableError, Variables};

use crate::message::{Control, Digests, Failure, Frame, Optional, PlanIndex, SessionId};
use crate::report::PlayerReport;
use crate::transport::Network;

use self::checkpoint::Checkpointing;
pub use self::error::RunError;
use self::inbox::{Arrival, News};
pub(crate) use self::inbox::{Arrivals, DriverInbox};
use self::leave::Ending;
use self::publications::Publications;
use self::roll::Roll;
use self::rounds::Chain;
pub use self::rounds::{Participation, Rounds, RoundsRun};
pub use self::run::{Event, Run};
use self::waits::{PATIENCE, Waits};

/// How long the driver goes on without a word from any player.
const SILENCE: Duration = PATIENCE.saturating_add(Duration::from_secs(15));

/// A session: players that are set up, and the functions they have run.
pub struct Session {
    id: SessionId,
    setup: Setup,
    network: Arc<dyn Network>,
    arrivals: Arrivals,
    prepared: HashMap<String, Prepared>,
    /// What is known of the players' variables.
    variables: Variables,
    /// Plans that players were asked to prepare.
    plans: PlanIndex,
    checkpoints: Checkpointing,
    waits: Waits,
    /// The owners of functions that are run in rounds.
    roll: Roll,
    /// Functions that are run in rounds, by the digest of their graph with all owners.
    chains: HashMap<Digest, Chain>,
    /// Whether rounds are being run: then nobody waits for an owner without end.
    in_rounds: bool,
    /// Who was told to stop.
    leaving: Option<PlayerName>,
    over: bool,
    /// What lives as long as the session: the players of a process, or the network's thread.
    _keep: Box<dyn std::any::Any + Send>,
}

/// A function that all players are ready to run.
#[derive(Clone)]
struct Prepared {
    index: PlanIndex,
    plan: Arc<Plan>,
    /// Who is asked to run it.
    players: Vec<PlayerName>,
    /// Those of them who have nothing to do in it.
    idle: BTreeSet<PlayerName>,
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
        let id = SessionId(id);
        Ok(Self {
            id,
            setup,
            network,
            arrivals,
            prepared: HashMap::new(),
            variables: Variables::default(),
            plans: 0,
            checkpoints: Checkpointing::of(id),
            waits: Waits::default(),
            roll: Roll::default(),
            chains: HashMap::new(),
            in_rounds: false,
            leaving: None,
            over: false,
            _keep: keep,
        })
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
        self.asked(|session| session.prepared(function, &mut |_| {})).map(|prepared| prepared.plan)
    }

    fn prepared(
        &mut self,
        function: &Function<'_>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Prepared, RunError> {
        if let Some(prepared) = self.prepared.get(function.signature()) {
            return Ok(prepared.clone());
        }
        let recorded = function.record(&self.setup)?;
        if self.checkpoints.rounds_of(&digest(&recorded)).is_some() {
            let function = function.name().to_owned();
            return Err(RunError::InRounds { function });
        }
        let prepared = self.ask(recorded, None, &Optional::default())?;
        self.await_ready(&prepared, watch)?;
        self.prepared.insert(function.signature().to_owned(), prepared.clone());
        Ok(prepared)
    }

    fn await_ready(
        &mut self,
        prepared: &Prepared,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let mut waiting: BTreeSet<_> = prepared.players.iter().cloned().collect();
        while !waiting.is_empty() {
            let (from, message) = self.receive(&waiting, &prepared.players, watch)?;
            if self.is_ready(prepared, &from, &message)? {
                waiting.remove(&from);
            }
        }
        Ok(())
    }

    /// Has players get ready for a graph: all but owners who have no part in it. Unless `first` says
    /// so, it goes on with the step after its last one.
    fn ask(
        &mut self,
        recorded: Graph,
        first: Option<u64>,
        optional: &Optional,
    ) -> Result<Prepared, RunError> {
        if self.over {
            return Err(RunError::Over);
        }
        let text: Arc<str> = print_with_sources(&recorded).into();
        let plan = Arc::new(Plan::new(recorded)?);
        let index = self.plans;
        self.plans += 1;
        let groups = pads::groups(&plan.lowered);
        let is_idle = |name: &&PlayerName| {
            let part = plan.parts.get(*name).is_some_and(|part| !part.is_empty());
            !part && !groups.iter().any(|group| group.contains(*name))
        };
        let idle: BTreeSet<_> = self.setup.players.iter().filter(is_idle).cloned().collect();
        let asked = |name: &&PlayerName| !idle.contains(*name) || !self.roll.knows(name);
        let players: Vec<_> = self.setup.players.iter().filter(asked).cloned().collect();
        let first = first.unwrap_or_else(|| self.checkpoints.steps_of(&plan.recorded_digest));
        for player in &players {
            let (session, text, optional) = (self.id, Arc::clone(&text), optional.clone());
            let message = Control::Prepare { session, plan: index, first, optional, text };
            self.network.send(player, Frame::Control(message));
        }
        Ok(Prepared { index, plan, players, idle, steps: first })
    }

    /// Whether a message says that a player is ready.
    fn is_ready(
        &mut self,
        prepared: &Prepared,
        from: &PlayerName,
        message: &Control,
    ) -> Result<bool, RunError> {
        let plan = &prepared.plan;
        let expected = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
        match message {
            Control::Ready { plan, digests, .. } if *plan == prepared.index => {
                if *digests != expected {
                    self.blame(from, "would run another plan than the driver".to_owned());
                    let function = prepared.plan.recorded.name().to_owned();
                    return Err(RunError::Digest { player: from.clone(), function });
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Has all players run `steps` steps of a function, and waits for their end.
    ///
    /// # Errors
    /// [`RunError`]; the session is over when players have failed.
    pub fn run(&mut self, function: &Function<'_>, steps: u64) -> Result<Run, RunError> {
        self.run_with(function, steps, |_| {})
    }

    /// Steps between which nothing is kept. Returns how many there were: fewer than asked for when a
    /// player was told to stop.
    fn run_piece(
        &mut self,
        function: &Function<'_>,
        steps: u64,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(Run, u64), RunError> {
        let mut prepared = self.prepared(function, watch)?;
        let variables = self.variables_after(&prepared, steps)?;
        // Owners may have come to be known since, and to be gone.
        let idle = std::mem::take(&mut prepared.idle);
        prepared.players.retain(|name| !idle.contains(name) || !self.roll.knows(name));
        let start = Instant::now();
        self.start(&prepared, steps);
        let mut waiting: BTreeSet<_> = prepared.players.iter().cloned().collect();
        let mut run = Run::default();
        let mut publications = Publications::of(&prepared.plan, steps);
        let (index, mut ending) = (prepared.index, Ending::new(prepared.steps + steps));
        let mut furthest = 0;
        while !waiting.is_empty() {
            self.hold_if_leaving(&prepared, &mut ending);
            let (from, message) = self.receive(&waiting, &prepared.players, watch)?;
            self.held(&prepared, &mut ending, &from, &message);
            let told = run.take(index, &from, message, &mut publications, &mut waiting, watch);
            if let Some(done) = told.map_err(|reason| self.blame(&from, reason))? {
                let done = done.saturating_sub(prepared.steps).min(steps);
                if done > furthest {
                    furthest = done;
                    watch(Event::Progress { done });
                }
            }
        }
        let steps = ending.end() - prepared.steps;
        if steps > 0 {
            self.variables = variables;
        }
        watch(Event::Progress { done: steps });
        run.seconds = start.elapsed().as_secs_f64();
        self.sort(&mut run.reports);
        if let Some(prepared) = self.prepared.get_mut(function.signature()) {
            prepared.steps += steps;
        }
        Ok((run, steps))
    }

    /// What variables hold after steps of a plan, if all that it uses fit it.
    fn variables_after(
        &self,
        prepared: &Prepared,
        steps: u64,
    ) -> Result<Variables, Box<VariableError>> {
        let mut variables = self.variables.clone();
        variables.run(&prepared.plan.recorded, steps)?;
        Ok(variables)
    }

    fn start(&self, prepared: &Prepared, steps: u64) {
        for player in &prepared.players {
            let message = Control::Run { session: self.id, plan: prepared.index, steps };
            self.network.send(player, Frame::Control(message));
        }
    }

    /// Puts reports in the order of the setup.
    fn sort(&self, reports: &mut [PlayerReport]) {
        let order = |name: &str| self.setup.players.iter().position(|p| p.as_str() == name);
        reports.sort_by_key(|report| order(&report.player));
    }

    /// Ends the session for what `player` did.
    fn blame(&mut self, player: &PlayerName, reason: String) -> RunError {
        let failure = Failure::new(player.as_str(), reason);
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
