//! Bob and carol as real players, a driver that says what it is told to, and alice: a peer with a
//! valid certificate and none of our code.
//!
//! Two sessions are ready to run: [`JOINT`], in which alice and carol send bob a value in each step,
//! and [`PAIR`], which alice has nothing to do with.

use std::sync::{Arc, Mutex};

use sordino_graph::{Function, PlayerName, Recording, Setup, Type, print_with_sources, transfer};
use sordino_ops::data::DataStore;
use sordino_ops::{Plan, Tensor, publish, random_normal};
use sordino_runtime::message::{Control, DataHeader, Digests, Failure, Frame, Optional, SessionId};
use sordino_runtime::schedule::{Schedule, TaskKind};
use sordino_runtime::transport::quic::{Limits, QuicNetwork};
use sordino_runtime::transport::{Inbox, Network, Refused};
use sordino_runtime::{Consent, Note, Player, PlayerOptions};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::world::{LIMITS, PATIENCE, World, frame, name, put, raw_with_control};

pub const JOINT: SessionId = SessionId([1; 16]);
pub const PAIR: SessionId = SessionId([2; 16]);
/// Bytes of each value of these sessions.
pub const BYTES: u64 = 16;

type Program = fn(&Recording<'_>);

fn hand_over(g: &Recording<'_>, from: &str) {
    let value = transfer(random_normal(g, &name(from), &[4], 1), &name("bob"));
    publish(from, value);
}

fn joint(g: &Recording<'_>) {
    hand_over(g, "alice");
    hand_over(g, "carol");
}

fn pair(g: &Recording<'_>) {
    hand_over(g, "carol");
}

fn plan(program: Program) -> (String, Plan) {
    let players = ["alice", "bob", "carol"].map(name);
    let setup = players.iter().fold(Setup::new(players.clone()), Setup::release);
    let graph = Function::new("program", "", program).record(&setup).unwrap();
    (print_with_sources(&graph), Plan::new(graph).unwrap())
}

/// The edge on which bob gets what `from` sends in [`JOINT`].
pub fn edge_of(from: &str) -> u32 {
    let schedule = Schedule::new(plan(joint).1.parts.remove(&name("bob")).unwrap()).unwrap();
    let is_from = |task: usize| matches!(&schedule.tasks[task].kind, TaskKind::Receive { from: of, .. } if of.as_str() == from);
    schedule.incoming.iter().find(|&(_, &task)| is_from(task)).map(|(&edge, _)| edge).unwrap()
}

/// A legal greeting of alice to bob.
pub fn hello() -> Control {
    let plan = plan(joint).1;
    let digests = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
    Control::Hello { session: JOINT, plan: 0, digests, secrets: Vec::new() }
}

pub struct Stage {
    pub world: World,
    pub alice: Alice,
    driver: Arc<QuicNetwork>,
    heard: UnboundedReceiver<(PlayerName, Control)>,
    _players: Vec<(Arc<Player>, Arc<QuicNetwork>)>,
    /// What the players have logged.
    pub log: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    /// Before alice has greeted.
    pub async fn new() -> Self {
        Self::with(LIMITS).await
    }

    async fn with(limits: Limits) -> Self {
        let world = World::with(limits);
        let log = Arc::<Mutex<Vec<String>>>::default();
        let mut players = Vec::new();
        for who in ["bob", "carol"] {
            let data = Arc::new(DataStore::new(".".into()));
            let (consent, memory) = (Consent::ALL, 1 << 30);
            let options = PlayerOptions { data, consent, memory, audit: None, checkpoints: None };
            let lines = Arc::clone(&log);
            let note = move |note: &Note<'_>| lines.lock().unwrap().push(note.to_string());
            let player = Player::new(name(who), options, note);
            let network = world.bind(who, player.clone()).await;
            player.attach(network.clone());
            players.push((player, network));
        }
        let (sender, heard) = unbounded_channel();
        let driver = world.bind("driver", Arc::new(Heard(sender))).await;
        for who in ["bob", "carol"] {
            driver.connect(&name(who), PATIENCE).await.unwrap();
        }
        let (connection, control, answers) = raw_with_control(&world).await;
        let alice = Alice { connection, control, _answers: answers };
        let mut stage = Self { world, alice, driver, heard, _players: players, log };
        stage.prepare(PAIR, 0, plan(pair).0);
        stage.ready(PAIR).await;
        stage.prepare(JOINT, 0, plan(joint).0);
        stage
    }

    /// With all sessions ready to run.
    pub async fn greeted() -> Self {
        Self::greeted_with(LIMITS).await
    }

    pub async fn greeted_with(limits: Limits) -> Self {
        let mut stage = Self::with(limits).await;
        stage.alice.say(&hello()).await;
        stage.ready(JOINT).await;
        stage
    }

    pub fn prepare(&self, session: SessionId, plan: u32, text: String) {
        self.tell(Control::Prepare {
            session,
            plan,
            first: 0,
            optional: Optional::default(),
            text: text.into(),
        });
    }

    /// The driver tells bob and carol something.
    pub fn tell(&self, message: Control) {
        for who in ["bob", "carol"] {
            self.driver.send(&name(who), Frame::Control(message.clone()));
        }
    }

    /// The next message that `wanted` takes something of.
    pub async fn hear<T>(&mut self, wanted: impl Fn(&PlayerName, &Control) -> Option<T>) -> T {
        let mut others = Vec::new();
        let search = async {
            loop {
                let (from, message) = self.heard.recv().await.expect("a driver that listens");
                if let Some(found) = wanted(&from, &message) {
                    return found;
                }
                others.push((from, message));
            }
        };
        let found = timeout(PATIENCE, search).await;
        found
            .unwrap_or_else(|_| panic!("only these were heard: {others:?}; logged: {:?}", self.log))
    }

    async fn ready(&mut self, of: SessionId) {
        for _ in 0..2 {
            let ready = |_: &PlayerName, message: &Control| {
                let ready = matches!(message, Control::Ready { session, .. } if *session == of);
                ready.then_some(())
            };
            self.hear(ready).await;
        }
    }

    /// Why a session failed.
    pub async fn failure(&mut self, of: SessionId) -> Failure {
        let failed = |_: &PlayerName, message: &Control| match message {
            Control::Abort { session, failure } if *session == of => Some(failure.clone()),
            _ => None,
        };
        self.hear(failed).await
    }

    /// The other session runs to its end.
    pub async fn goes_on(&mut self) {
        self.tell(Control::Run { session: PAIR, plan: 0, steps: 3 });
        for _ in 0..2 {
            let ended = |from: &PlayerName, message: &Control| match message {
                Control::Finished { session: PAIR, report, .. } => Some(report.steps),
                Control::Abort { session: PAIR, failure } => panic!("{from}: {failure}"),
                _ => None,
            };
            assert_eq!(self.hear(ended).await, 3);
        }
    }
}

/// The driver's inbox: what it hears.
struct Heard(UnboundedSender<(PlayerName, Control)>);

impl Inbox for Heard {
    fn on_control(&self, from: &PlayerName, message: Control) {
        let _ = self.0.send((from.clone(), message));
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Type, Refused> {
        Err(Refused("the driver takes no values".into()))
    }

    fn on_data(&self, _: &PlayerName, _: DataHeader, _: Tensor) {}

    fn on_lost(&self, _: &PlayerName, _: &str) {}
}

/// See the [module](self).
pub struct Alice {
    pub connection: quinn::Connection,
    pub control: quinn::SendStream,
    /// Bob would take it for a fault if she turned his messages away.
    _answers: quinn::RecvStream,
}

impl Alice {
    pub async fn say(&mut self, message: &Control) {
        self.control.write_all(&frame(message)).await.unwrap();
    }

    /// Opens a stream with these bytes.
    pub async fn stream(&self, bytes: &[u8], finish: bool) {
        put(self.connection.open_uni().await.unwrap(), bytes, finish).await;
    }
}

/// The bytes that announce a value.
pub fn announcement(header: DataHeader, length: u64) -> Vec<u8> {
    let DataHeader { session, plan, step, edge } = header;
    let numbers = [step.to_le_bytes(), length.to_le_bytes(), 0_u64.to_le_bytes()];
    let [step, length, after] = &numbers;
    [&[2], &session.0[..], &plan.to_le_bytes(), step, &edge.to_le_bytes(), length, after].concat()
}

/// The header of a value that bob waits for.
pub fn expected() -> DataHeader {
    DataHeader { session: JOINT, plan: 0, step: 0, edge: edge_of("alice") }
}
