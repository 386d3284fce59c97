//! Parties on this machine that keep what comes to them, and raw connections to them.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use quinn::crypto::rustls::QuicClientConfig;
use sordino_graph::{Element, Shape, Type};
use sordino_ops::Tensor;
use sordino_players::tls::{Caller, SERVER_NAME};
use sordino_players::{Identity, Player, PlayerName, Roster};
use sordino_runtime::message::{Control, DataHeader, SessionId};
use sordino_runtime::transport::quic::{Limits, QuicNetwork, TransportError};
use sordino_runtime::transport::{Inbox, Refused};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How long what is sure to come is waited for: much longer than it takes.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The recorder refuses values of this edge.
pub const UNWANTED: u32 = 999;
/// Longer than a machine pauses.
pub const LIMITS: Limits = Limits {
    silence: Duration::from_secs(10),
    stall: Duration::from_secs(10),
    patience: PATIENCE,
    arriving: 256 << 20,
};
/// For those who stall.
pub const SHORT_STALL: Limits = Limits { stall: Duration::from_millis(500), ..LIMITS };

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The steps of a `Run`.
    Control(PlayerName, u64),
    Value(PlayerName, u32, Vec<f32>),
    Lost(PlayerName, String),
}

impl Event {
    #[track_caller]
    pub fn edge(&self) -> u32 {
        if let Self::Value(_, edge, _) = self { *edge } else { panic!("no value: {self:?}") }
    }
}

pub struct Recorder(UnboundedSender<Event>);

impl Recorder {
    pub fn new() -> (Arc<Self>, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Arc::new(Self(sender)), receiver)
    }
}

impl Inbox for Recorder {
    fn on_control(&self, from: &PlayerName, message: Control) {
        let Control::Run { steps, .. } = message else { panic!("{message:?}") };
        let _ = self.0.send(Event::Control(from.clone(), steps));
    }

    fn on_announce(
        &self,
        _from: &PlayerName,
        header: &DataHeader,
        length: u64,
    ) -> Result<Type, Refused> {
        if header.edge == UNWANTED || length > 64 << 20 {
            return Err(Refused("unwanted".into()));
        }
        let length = usize::try_from(length / 4).unwrap();
        Ok(Type::plain(Element::F32, shape(length)))
    }

    fn on_data(&self, from: &PlayerName, header: DataHeader, value: Tensor) {
        let value = value.as_f32().unwrap().to_vec();
        let _ = self.0.send(Event::Value(from.clone(), header.edge, value));
    }

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        let _ = self.0.send(Event::Lost(peer.clone(), reason.into()));
    }
}

/// A running player or driver, and what has come to it.
pub struct Party {
    pub name: PlayerName,
    pub network: Arc<QuicNetwork>,
    events: UnboundedReceiver<Event>,
}

impl Party {
    pub async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("nothing came").unwrap()
    }

    pub fn quiet(&self) -> bool {
        self.events.is_empty()
    }
}

/// Three players in this order, others if asked for, and a driver, with ports of their own.
pub struct World {
    identities: Vec<Identity>,
    pub roster: Arc<Roster>,
    limits: Limits,
}

pub const NAMES: [&str; 4] = ["alice", "bob", "carol", "driver"];

impl World {
    pub fn new() -> Self {
        Self::with(LIMITS)
    }

    pub fn with(limits: Limits) -> Self {
        Self::of(&NAMES.map(str::to_owned), limits)
    }

    /// With twenty players more.
    pub fn crowded(limits: Limits) -> Self {
        let more = (0..20).map(|i| format!("player-{i}"));
        let names = NAMES[..3].iter().map(ToString::to_string).chain(more);
        Self::of(&names.chain([NAMES[3].to_owned()]).collect::<Vec<_>>(), limits)
    }

    /// Players with these names, and the last one the driver.
    fn of(names: &[String], limits: Limits) -> Self {
        let identities: Vec<_> =
            names.iter().map(|each| Identity::generate(&name(each), 1).unwrap()).collect();
        let (driver, players) = identities.split_last().unwrap();
        let driver = Some(driver.fingerprint());
        let players = players.iter().map(|identity| {
            let address = format!("127.0.0.1:{}", free_port()).parse().unwrap();
            Player::new(identity.name().clone(), address, identity.fingerprint())
        });
        let roster = Arc::new(Roster::new(players.collect(), driver).unwrap());
        Self { identities, roster, limits }
    }

    pub fn identity(&self, who: &str) -> &Identity {
        self.identities.iter().find(|identity| identity.name().as_str() == who).unwrap()
    }

    pub fn address(&self, who: &str) -> SocketAddr {
        self.roster.get(&name(who)).unwrap().address().resolve().unwrap()[0]
    }

    /// The roster as one has it who takes `identity` for that of `who`.
    pub fn roster_with(&self, who: &str, identity: &Identity) -> Arc<Roster> {
        let players = self.roster.players().iter().map(|player| match player.name().as_str() {
            found if found == who => {
                let address = player.address().clone();
                Player::new(player.name().clone(), address, identity.fingerprint())
            }
            _ => player.clone(),
        });
        Arc::new(Roster::new(players.collect(), None).unwrap())
    }

    pub async fn party(&self, who: &str) -> Party {
        let (inbox, events) = Recorder::new();
        Party { name: name(who), network: self.bind(who, inbox).await, events }
    }

    pub async fn bind(&self, who: &str, inbox: Arc<dyn Inbox>) -> Arc<QuicNetwork> {
        let listen = (who != "driver").then(|| self.address(who));
        let roster = Arc::clone(&self.roster);
        let identity = self.identity(who);
        QuicNetwork::bind_with(identity, roster, listen, inbox, self.limits).await.unwrap()
    }

    pub async fn pair(&self) -> (Party, Party) {
        let (alice, bob) = (self.party("alice").await, self.party("bob").await);
        let (there, back) = tokio::join!(
            alice.network.connect(&bob.name, PATIENCE),
            bob.network.connect(&alice.name, PATIENCE)
        );
        there.unwrap();
        back.unwrap();
        (alice, bob)
    }

    /// A connection to bob with alice's certificate, and none of our code on it.
    pub async fn raw(&self) -> quinn::Connection {
        let caller = Caller::new(self.identity("alice"), &self.roster).unwrap();
        let tls = caller.config(&name("bob")).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        endpoint.connect_with(config, self.address("bob"), SERVER_NAME).unwrap().await.unwrap()
    }
}

/// A free UDP port: each one once, and none that the system gives to sockets that ask for any.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Far from what processes take that were started beside.
    let start = u16::try_from(std::process::id().wrapping_mul(4999) % 12_000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A raw connection that has made a good beginning, its control stream, and bob's.
pub async fn raw_with_control(
    world: &World,
) -> (quinn::Connection, quinn::SendStream, quinn::RecvStream) {
    let connection = world.raw().await;
    let mut control = connection.open_uni().await.unwrap();
    control.write_all(&[1]).await.unwrap();
    let answers = connection.accept_uni().await.unwrap();
    (connection, control, answers)
}

pub async fn put(mut stream: quinn::SendStream, bytes: &[u8], finish: bool) {
    stream.write_all(bytes).await.unwrap();
    match finish {
        true => stream.finish().unwrap(),
        // A dropped stream would be finished.
        false => std::mem::forget(stream),
    }
}

pub fn frame(message: &Control) -> Vec<u8> {
    let body = postcard::to_stdvec(message).unwrap();
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

pub fn run(steps: u64) -> Control {
    Control::Run { session: SessionId([9; 16]), plan: 0, steps }
}

pub fn header(edge: u32) -> DataHeader {
    DataHeader { session: SessionId([9; 16]), plan: 0, step: 0, edge }
}

pub fn floats(length: usize) -> Tensor {
    #[allow(clippy::cast_precision_loss, reason = "any numbers will do")]
    Tensor::f32(&shape(length), (0..length).map(|index| index as f32).collect())
}

pub fn shape(length: usize) -> Shape {
    Shape::new(&[length]).unwrap()
}

pub fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

/// That what has begun then did not wait for its [`PATIENCE`] to end.
#[track_caller]
pub fn was_prompt(begun: Instant) {
    let took = begun.elapsed();
    assert!(took < PATIENCE / 2, "{took:?}");
}

#[track_caller]
pub fn says(error: &TransportError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
}
