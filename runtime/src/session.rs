//! A player's side of a session: its plans, its turn of the machine, its end.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sordino_graph::{PlayerName, Type, text};
use sordino_ops::protocol::pads;
use sordino_ops::{Context, KernelError, Plan, Tensor, op_set};
use zeroize::Zeroizing;

use crate::host::{PlanHost, Secrets, Variables};
use crate::machine::{Action, Job, Machine};
use crate::message::{
    Control, DataHeader, Digests, Failure, Frame, GroupSecret, PlanIndex, Published, SessionId,
};
use crate::meter::Meter;
use crate::player::PlayerOptions;
use crate::schedule::{Schedule, TaskKind};
use crate::transport::{Network, Refused};

/// How long a player waits for a value of another before it gives the session up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Greetings kept for plans that this player has not checked yet.
const MOST_EARLY: usize = 10_000;

/// How often a player tells the driver how far it is.
const PROGRESS: Duration = Duration::from_millis(50);

/// A player's side of a session.
pub(crate) struct PlayerSession {
    id: SessionId,
    me: PlayerName,
    driver: PlayerName,
    network: Arc<dyn Network>,
    options: PlayerOptions,
    variables: Arc<Variables>,
    state: Mutex<State>,
}

struct State {
    plans: BTreeMap<PlanIndex, PlanState>,
    /// Greetings for plans that are not known yet.
    early: Vec<Greeting>,
    /// What the driver asked for and is not done: the first is running.
    queue: VecDeque<(PlanIndex, u64)>,
    /// Threads that are, or will soon be, in [`PlayerSession::pump`].
    workers: usize,
    meter: Meter,
    /// For each peer, the transport's counter up to which bytes sent to it have been reported.
    reported: BTreeMap<PlayerName, u64>,
    /// When something last arrived or was computed.
    moved: Instant,
    told: Instant,
    failed: Option<Failure>,
}

/// What a thread does next for a session.
struct Turn {
    plan: PlanIndex,
    action: Action,
    host: Arc<PlanHost>,
    /// What the request cost that this turn ends.
    ended: Option<Meter>,
}

type Greeting = (PlayerName, PlanIndex, Digests, Vec<GroupSecret>);

/// A plan on its way to being ready, and then ready.
struct PlanState {
    host: Arc<PlanHost>,
    machine: Machine,
    digests: Digests,
    /// Groups of this plan that this player belongs to.
    groups: HashSet<Vec<PlayerName>>,
    /// Players that have not greeted yet.
    expected: HashSet<PlayerName>,
    greeted: bool,
    ready: bool,
}

impl PlayerSession {
    pub(crate) fn new(
        id: SessionId,
        me: PlayerName,
        driver: PlayerName,
        network: Arc<dyn Network>,
        options: PlayerOptions,
    ) -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            plans: BTreeMap::new(),
            early: Vec::new(),
            queue: VecDeque::new(),
            workers: 0,
            meter: Meter::default(),
            reported: network
                .wire_bytes()
                .into_iter()
                .map(|(peer, sent, _)| (peer, sent))
                .collect(),
            moved: now,
            told: now,
            failed: None,
        };
        let variables = Arc::default();
        let state = Mutex::new(state);
        Arc::new(Self { id, me, driver, network, options, variables, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the session failed, if it did.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.state().failed.clone()
    }

    /// Everyone that this player exchanges values or secrets with.
    fn peers(&self) -> HashSet<PlayerName> {
        let state = self.state();
        let of_plan = |plan: &PlanState| {
            let schedule = plan.machine.schedule();
            let linked = schedule.sources.iter().chain(&schedule.targets).cloned();
            let groups = plan.groups.iter().flatten().cloned();
            linked.chain(groups).collect::<Vec<_>>()
        };
        let mut peers: HashSet<_> = state.plans.values().flat_map(of_plan).collect();
        peers.remove(&self.me);
        peers
    }

    /// Verifies, lowers and splits a recorded graph, and greets the players it is run with.
    pub(crate) fn prepare(self: &Arc<Self>, plan: PlanIndex, text: &str) {
        // The text is the driver's: whatever it makes our code do ends this session alone.
        match guarded(|| self.build(text)).unwrap_or_else(Err) {
            Ok(built) => match self.options.consent.check(&self.me, built.0.recorded.setup()) {
                Ok(()) => self.greet(plan, built),
                Err(reason) => self.fail(&self.me, &reason),
            },
            Err(reason) => self.fail(&self.driver, &reason),
        }
    }

    fn build(&self, text: &str) -> Result<(Plan, Schedule), String> {
        let graph = text::parse(text, &op_set()).map_err(|error| error.to_string())?;
        let mut plan = Plan::new(graph).map_err(|error| error.to_string())?;
        let Some(part) = plan.parts.remove(&self.me) else {
            return Err(format!("the graph does not list the player {}", self.me));
        };
        let schedule = Schedule::new(part).map_err(|error| error.to_string())?;
        Ok((plan, schedule))
    }

    fn greet(self: &Arc<Self>, plan: PlanIndex, (built, schedule): (Plan, Schedule)) {
        let digests =
            Digests { recorded: built.recorded_digest.0, lowered: built.lowered_digest.0 };
        // Of the whole graph: who shares a secret greets all that share it, also those that, as
        // it turned out, draw nothing from it.
        let groups = pads::groups(&built.lowered).into_iter();
        let groups: HashSet<_> = groups.filter(|holders| holders.contains(&self.me)).collect();
        let linked = schedule.sources.iter().chain(&schedule.targets);
        let mut peers: HashSet<_> = linked.chain(groups.iter().flatten()).cloned().collect();
        peers.remove(&self.me);
        let secrets = Secrets::default();
        let mut gifts: HashMap<PlayerName, Vec<GroupSecret>> = HashMap::new();
        for holders in groups.iter().filter(|holders| holders.first() == Some(&self.me)) {
            let mut secret = Zeroizing::new([0; 32]);
            if let Err(error) = getrandom::fill(&mut *secret) {
                let reason =
                    format!("has no source of randomness, and nothing runs without: {error}");
                return self.fail(&self.me, &reason);
            }
            secrets.insert(holders.clone(), *secret);
            let names: Vec<_> = holders.iter().map(|name| name.as_str().to_owned()).collect();
            for holder in holders.iter().filter(|&holder| *holder != self.me) {
                let gift = GroupSecret { holders: names.clone(), secret: *secret };
                gifts.entry(holder.clone()).or_default().push(gift);
            }
        }
        let weak = Arc::downgrade(self);
        let publish = move |plan, value: Published| {
            if let Some(session) = weak.upgrade() {
                let session_id = session.id;
                let message = Control::Published { session: session_id, plan, value };
                session.network.send(&session.driver, Frame::Control(message));
            }
        };
        let host = Arc::new(PlanHost {
            me: self.me.clone(),
            plan,
            lowered_digest: digests.lowered,
            variables: Arc::clone(&self.variables),
            secrets,
            data: Arc::clone(&self.options.data),
            audit: self.options.audit.clone(),
            publish: Box::new(publish),
        });
        let early: Vec<Greeting> = {
            let mut state = self.state();
            if state.plans.contains_key(&plan) {
                drop(state);
                return self.fail(&self.driver, &format!("sent plan {plan} twice"));
            }
            let machine = Machine::new(Arc::new(schedule));
            let expected = peers.clone();
            let (greeted, ready) = (false, false);
            state.plans.insert(
                plan,
                PlanState { host, machine, digests, groups, expected, greeted, ready },
            );
            let (now, later) = state.early.drain(..).partition(|(_, of, ..)| *of == plan);
            state.early = later;
            now
        };
        for (from, plan, digests, secrets) in early {
            self.on_hello(&from, plan, digests, secrets);
        }
        self.connect_all(plan, digests, peers.into_iter().collect(), gifts);
    }

    /// Reaches the peers one after the other, greets them, and then counts itself in.
    fn connect_all(
        self: &Arc<Self>,
        plan: PlanIndex,
        digests: Digests,
        mut peers: Vec<PlayerName>,
        mut gifts: HashMap<PlayerName, Vec<GroupSecret>>,
    ) {
        peers.sort_unstable();
        let Some(peer) = peers.pop() else {
            if let Some(plan) = self.state().plans.get_mut(&plan) {
                plan.greeted = true;
            }
            return self.announce_ready(plan);
        };
        let session = Arc::clone(self);
        let to = peer.clone();
        let then = move |connected: Result<(), String>| match connected {
            Err(reason) => session.fail(&peer, &reason),
            Ok(()) => {
                let secrets = gifts.remove(&peer).unwrap_or_default();
                let id = session.id;
                let hello = Control::Hello { session: id, plan, digests, secrets };
                session.network.send(&peer, Frame::Control(hello));
                session.connect_all(plan, digests, peers, gifts);
            }
        };
        self.network.connect(&to, Box::new(then));
    }

    /// A peer's greeting: the same digests, and the secrets it drew.
    pub(crate) fn on_hello(
        self: &Arc<Self>,
        from: &PlayerName,
        plan: PlanIndex,
        digests: Digests,
        secrets: Vec<GroupSecret>,
    ) {
        let checked = {
            let state = &mut *self.state();
            match state.plans.get_mut(&plan) {
                None if state.early.len() < MOST_EARLY => {
                    state.early.push((from.clone(), plan, digests, secrets));
                    return;
                }
                None => Err("sent too many greetings for plans that nobody prepared".to_owned()),
                Some(plan) => plan.check_hello(from, &digests, secrets),
            }
        };
        match checked {
            Ok(()) => self.announce_ready(plan),
            Err(reason) => self.fail(from, &reason),
        }
    }

    fn announce_ready(&self, plan: PlanIndex) {
        let digests = {
            let mut state = self.state();
            let Some(plan) = state.plans.get_mut(&plan) else { return };
            if plan.ready || !plan.greeted || !plan.expected.is_empty() {
                return;
            }
            plan.ready = true;
            plan.digests
        };
        let message = Control::Ready { session: self.id, plan, digests };
        self.network.send(&self.driver, Frame::Control(message));
    }

    /// The driver asks for steps.
    pub(crate) fn run(self: &Arc<Self>, plan: PlanIndex, steps: u64) {
        let known = {
            let mut state = self.state();
            let known = state.plans.get(&plan).is_some_and(|plan| plan.ready);
            if known {
                state.queue.push_back((plan, steps));
                state.moved = Instant::now();
                if state.queue.len() == 1 {
                    state.begin();
                }
            }
            known
        };
        if known {
            self.kick();
        } else {
            self.fail(&self.driver, &format!("asked to run plan {plan}, which is not ready"));
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
            let Some(plan) = state.plans.get(&header.plan) else {
                return Err(Refused(format!("there is no plan {}", header.plan)));
            };
            let checked = plan.machine.on_announced(from, header.step, header.edge, length);
            checked.cloned().map_err(|error| error.to_string())
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
            plan.machine.on_received(from, header.step, header.edge, value)
        };
        match taken {
            Ok(()) => self.kick(),
            Err(error) => self.fail(from, &error.to_string()),
        }
    }

    pub(crate) fn on_credit(self: &Arc<Self>, from: &PlayerName, plan: PlanIndex, done: u64) {
        if let Some(plan) = self.state().plans.get_mut(&plan) {
            plan.machine.on_credit(from, done);
        }
        self.kick();
    }

    /// Sets a thread of the pool to work if there is something to do for one more.
    fn kick(self: &Arc<Self>) {
        let spawn = {
            let mut state = self.state();
            let wanted = state.jobs().min(rayon::current_num_threads());
            let spawn = state.workers < wanted.max(1) && state.failed.is_none();
            state.workers += usize::from(spawn);
            spawn
        };
        if spawn {
            let session = Arc::clone(self);
            rayon::spawn(move || session.pump());
        }
    }

    /// Does what the machine says until there is nothing to do.
    fn pump(self: &Arc<Self>) {
        loop {
            let (Turn { plan, action, host, ended }, more) = {
                let mut state = self.state();
                let Some(turn) = state.next() else {
                    state.workers -= 1;
                    return;
                };
                (turn, state.jobs() > 0)
            };
            if let Some(mut meter) = ended {
                let wire = self.network.wire_bytes();
                let report = meter.report(&self.me, &mut self.state().reported, &wire);
                let message = Control::Finished { session: self.id, plan, report };
                self.network.send(&self.driver, Frame::Control(message));
            }
            match action {
                Action::Run(job) => {
                    if more {
                        self.kick();
                    }
                    self.compute(plan, &host, job);
                }
                Action::Send { step, edge, to, value } => {
                    let start = Instant::now();
                    let header = DataHeader { session: self.id, plan, step, edge };
                    self.network.send(&to, Frame::Data(header, value));
                    self.state().meter.sending(start.elapsed());
                }
                Action::Credit { to, done } => {
                    let message = Control::Credit { session: self.id, plan, done };
                    self.network.send(&to, Frame::Control(message));
                }
                Action::Done | Action::Wait => {}
            }
            self.tell_progress(plan);
        }
    }

    fn compute(self: &Arc<Self>, plan: PlanIndex, host: &Arc<PlanHost>, job: Job) {
        let schedule = {
            let state = self.state();
            let Some(plan) = state.plans.get(&plan) else { return };
            Arc::clone(plan.machine.schedule())
        };
        let Job { step, task, inputs } = job;
        let start = Instant::now();
        let node = schedule.graph.node(sordino_graph::NodeId::new(task));
        let outputs = guarded(|| match &schedule.tasks[task].kind {
            TaskKind::Compute(op) => {
                let context = Context { node, step, host: &**host };
                (op.kernel)(&context, inputs)
            }
            TaskKind::Accumulate(op) => accumulate(op.accumulate, inputs),
            _ => Err(KernelError::Bug("sends and receives are no kernels".into())),
        });
        let outputs = outputs.unwrap_or_else(|bug| Err(KernelError::Bug(bug)));
        let took = start.elapsed();
        match outputs {
            Ok(outputs) => {
                let mut state = self.state();
                state.moved = Instant::now();
                state.meter.computed(took);
                if let Some(plan) = state.plans.get_mut(&plan) {
                    plan.machine.on_kernel_done(step, task, outputs);
                }
                let idle = state.is_idle();
                state.meter.idle(idle);
            }
            Err(error) => {
                let name = &schedule.names[task];
                let line = node.source.as_ref().map(|l| format!(" ({l})")).unwrap_or_default();
                self.fail(&self.me, &format!("{name}{line} failed in step {step}: {error}"));
            }
        }
    }

    fn tell_progress(&self, plan: PlanIndex) {
        let done = {
            let mut state = self.state();
            if state.told.elapsed() < PROGRESS {
                return;
            }
            state.told = Instant::now();
            state.plans.get(&plan).map_or(0, |plan| plan.machine.done())
        };
        let message = Control::Progress { session: self.id, plan, done };
        self.network.send(&self.driver, Frame::Control(message));
    }

    /// Looks whether a wait has grown too long, and ends the session if so.
    pub(crate) fn check_patience(self: &Arc<Self>) {
        let late = {
            let state = self.state();
            let waited = state.moved.elapsed();
            let running = state.queue.front().and_then(|(plan, _)| state.plans.get(plan));
            running.filter(|plan| waited > PATIENCE && !plan.machine.is_running()).map(|plan| {
                let (player, node) = match plan.machine.waiting_for() {
                    Some((player, node)) => (player.clone(), node.to_owned()),
                    None => (self.me.clone(), "an unknown node".to_owned()),
                };
                let me = &self.me;
                (player, format!("{me} waited {} s for it at {node}", waited.as_secs()))
            })
        };
        if let Some((player, reason)) = late {
            self.fail(&player, &reason);
        }
    }

    /// Ends the session and tells everyone in it.
    pub(crate) fn fail(&self, at_fault: &PlayerName, reason: &str) {
        let player = at_fault.as_str().to_owned();
        self.spread(Failure { player, reason: reason.to_owned() });
    }

    /// A peer says that the session has failed. It is told on, since not everyone hears everyone.
    pub(crate) fn on_abort(&self, from: &PlayerName, failure: Failure) {
        if *from == self.driver || self.peers().contains(from) {
            self.spread(failure);
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

    /// A peer is gone. The session fails if it has to do with it.
    pub(crate) fn on_lost(self: &Arc<Self>, peer: &PlayerName, reason: &str) {
        if *peer == self.driver {
            let player = peer.as_str().to_owned();
            self.end(Failure { player, reason: format!("the driver is gone: {reason}") });
        } else if self.peers().contains(peer) {
            self.fail(peer, reason);
        }
    }
}

/// Runs our own code so that a panic in it, a bug, fails one session and not the process. The
/// panic's message is left out: it may hold values.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let run = std::panic::AssertUnwindSafe(run);
    std::panic::catch_unwind(run).map_err(|_| "panicked: a bug of Sordino's".to_owned())
}

fn accumulate(
    add: Option<sordino_ops::kernel::Accumulate>,
    inputs: Vec<Tensor>,
) -> Result<Vec<Tensor>, KernelError> {
    let Some(add) = add else { return Err(KernelError::Bug("no sum".into())) };
    let mut inputs = inputs.into_iter();
    let Some(mut total) = inputs.next() else { return Err(KernelError::Bug("empty sum".into())) };
    inputs.try_for_each(|term| add(&mut total, term))?;
    Ok(vec![total])
}

impl PlanState {
    fn check_hello(
        &mut self,
        from: &PlayerName,
        digests: &Digests,
        secrets: Vec<GroupSecret>,
    ) -> Result<(), String> {
        if *digests != self.digests {
            return Err(format!(
                "runs another plan: its graph has the digest {}, ours {}. All players must run \
                 the same version of Sordino and get the same graph",
                hex(&digests.recorded),
                hex(&self.digests.recorded)
            ));
        }
        if !self.expected.remove(from) {
            return Err("greeted twice, or without having to do with this plan".into());
        }
        for gift in secrets {
            let holders = gift.holders.iter().map(|name| PlayerName::new(name));
            let holders: Vec<_> = holders.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
            let legal = holders.first() == Some(from) && self.groups.contains(&holders);
            if !legal || !self.host.secrets.insert(holders, gift.secret) {
                return Err("sent a secret of a group that is not its to make".into());
            }
        }
        let open = self
            .groups
            .iter()
            .find(|holders| holders.first() == Some(from) && !self.host.secrets.contains(holders));
        match open {
            Some(holders) => Err(format!("did not send the secret of {holders:?}")),
            None => Ok(()),
        }
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl State {
    /// Starts the first request of the queue.
    fn begin(&mut self) {
        if let Some(&(plan, steps)) = self.queue.front() {
            self.meter = Meter::start(steps);
            if let Some(plan) = self.plans.get_mut(&plan) {
                plan.machine.ask(steps);
            }
        }
    }

    /// What the running plan's machine says; `None` when nothing can be done now. A request that
    /// is done makes way for the next one.
    fn next(&mut self) -> Option<Turn> {
        let &(index, _) = self.queue.front()?;
        let plan = self.plans.get_mut(&index)?;
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

    fn jobs(&self) -> usize {
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get(plan));
        running.map_or(0, |plan| plan.machine.ready_jobs())
    }

    fn is_idle(&self) -> bool {
        let running = self.queue.front().and_then(|(plan, _)| self.plans.get(plan));
        running.is_some_and(|plan| !plan.machine.is_running() && plan.machine.ready_jobs() == 0)
    }
}
