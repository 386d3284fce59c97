//! Frames over QUIC on this machine: what arrives, what is refused, and how an end is told.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use sordino_graph::Shape;
use sordino_ops::Tensor;
use sordino_players::roster::driver_name;
use sordino_players::tls::{SERVER_NAME, client_config, server_config};
use sordino_players::{Identity, Player, PlayerName, Roster};
use sordino_runtime::message::{Control, DataHeader, Frame, SessionId};
use sordino_runtime::transport::quic::{Limits, QuicNetwork, TransportError};
use sordino_runtime::transport::{Inbox, Network, Refused};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

#[tokio::test]
async fn two_players_exchange_messages_and_values() {
    let world = World::new();
    let (mut alice, mut bob) = world.pair().await;

    for _ in 0..2 {
        let (from, to) = (&alice, &mut bob);
        let target = to.name.clone();
        from.network.send(&target, Frame::Control(run(7)));
        for (edge, length) in [(1, 0), (2, 16), (3, 300_000)] {
            from.network.send(&target, Frame::Data(header(edge), floats(length)));
        }
        // Also what was sent from outside the runtime.
        let network = Arc::clone(&from.network);
        let sender = target.clone();
        std::thread::spawn(move || network.send(&sender, Frame::Data(header(4), floats(3))))
            .join()
            .unwrap();

        assert_eq!(to.next().await, Event::Control(from.name.clone(), 7));
        let mut got = Vec::new();
        while got.len() < 4 {
            let Event::Value(sender, edge, value) = to.next().await else { panic!("no value") };
            assert_eq!(sender, from.name);
            got.push((edge, value));
        }
        got.sort_by_key(|(edge, _)| *edge);
        for ((edge, value), (wanted, length)) in
            got.into_iter().zip([(1, 0), (2, 16), (3, 300_000), (4, 3)])
        {
            assert_eq!(edge, wanted);
            assert_eq!(value, floats(length).as_f32().unwrap());
        }
        // Then the other way round.
        std::mem::swap(&mut alice, &mut bob);
    }
    let bytes = alice.network.wire_bytes();
    let (_, sent, received) = *bytes.iter().find(|(peer, ..)| *peer == bob.name).unwrap();
    assert!(sent > 1_200_000 && received > 1_200_000, "{sent} {received}");
}

#[tokio::test]
async fn the_driver_dials_and_is_answered() {
    let world = World::new();
    let mut alice = world.party("alice").await;
    let mut driver = world.party("driver").await;
    driver.network.connect(&alice.name, PATIENCE).await.unwrap();
    alice.network.connect(&driver_name(), PATIENCE).await.unwrap();
    driver.network.send(&alice.name, Frame::Control(run(1)));
    assert_eq!(alice.next().await, Event::Control(driver_name(), 1));
    alice.network.send(&driver_name(), Frame::Control(run(2)));
    assert_eq!(driver.next().await, Event::Control(alice.name.clone(), 2));
}

#[tokio::test]
async fn control_messages_keep_their_order_and_values_come_after_them() {
    let world = World::new();
    let (alice, mut bob) = world.pair().await;
    let mut values = 0;
    for index in 0..500 {
        alice.network.send(&bob.name, Frame::Control(run(index)));
        if index % 5 == 0 {
            let length = if index % 50 == 0 { 20_000 } else { 8 };
            let edge = u32::try_from(index).unwrap();
            alice.network.send(&bob.name, Frame::Data(header(edge), floats(length)));
            values += 1;
        }
    }
    let mut expected = 0;
    while expected < 500 || values > 0 {
        match bob.next().await {
            Event::Control(_, index) => {
                assert_eq!(index, expected);
                expected += 1;
            }
            Event::Value(_, edge, _) => {
                assert!(u64::from(edge) < expected, "value {edge} before its message");
                values -= 1;
            }
            Event::Lost(_, reason) => panic!("{reason}"),
        }
    }
}

#[tokio::test]
async fn many_who_connect_at_once_get_one_connection() {
    let world = World::new();
    let (alice, bob) = (world.party("alice").await, world.party("bob").await);
    let mut asking = tokio::task::JoinSet::new();
    for (network, peer) in [(&alice.network, &bob.name), (&bob.network, &alice.name)] {
        for _ in 0..8 {
            let (network, peer) = (Arc::clone(network), peer.clone());
            asking.spawn(async move { network.connect(&peer, PATIENCE).await });
        }
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap().unwrap();
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(alice.quiet() && bob.quiet(), "no connection was replaced");
    assert_eq!(bob.network.refused_handshakes(), 0);
}

#[tokio::test]
async fn a_peer_may_come_up_late() {
    let world = World::new();
    let alice = world.party("alice").await;
    let late = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        (world.party("bob").await, Instant::now())
    };
    let bob = name("bob");
    let (connected, (_bob, up)) = tokio::join!(alice.network.connect(&bob, PATIENCE), late);
    connected.unwrap();
    assert!(up.elapsed() < Duration::from_millis(800), "{:?}", up.elapsed());
}

#[tokio::test]
async fn a_peer_that_is_not_up_is_named_after_patience() {
    let world = World::new();
    let (alice, bob) = (world.party("alice").await, name("bob"));
    let begun = Instant::now();
    let error = alice.network.connect(&bob, Duration::from_millis(600)).await.unwrap_err();
    let waited = begun.elapsed();
    assert!((Duration::from_millis(400)..Duration::from_millis(900)).contains(&waited));
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error:?}");
    let address = world.address("bob").to_string();
    says(&error, &["bob", &address, "waited 0.", "sordino player bob --config"]);

    drop(alice);
    let bob = world.party("bob").await;
    let error = bob.network.connect(&name("alice"), Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(error, TransportError::NotArrived { .. }), "{error:?}");
    let address = world.address("alice").to_string();
    says(&error, &["alice", &address, "waited 0.3 s", "same order"]);
}

#[tokio::test]
async fn who_only_holds_a_network_is_told_how_connecting_went() {
    let world = World::new();
    let (alice, bob) = (world.party("alice").await, world.party("bob").await);
    for (peer, expected) in [("bob", None), ("carol", Some("sordino player carol"))] {
        let network: Arc<dyn Network> = Arc::clone(&alice.network) as _;
        let (sender, done) = tokio::sync::oneshot::channel();
        network.connect(&name(peer), Box::new(|result| sender.send(result).unwrap()));
        let result = timeout(PATIENCE, done).await.unwrap().unwrap();
        match expected {
            None => assert_eq!(result, Ok(())),
            Some(part) => assert!(result.as_ref().unwrap_err().contains(part), "{result:?}"),
        }
    }
    drop(bob);
}

#[tokio::test]
async fn an_impostor_who_listens_is_refused_at_once() {
    let world = World::new();
    let alice = world.party("alice").await;
    // Someone else at bob's address, who accepts the true alice.
    let impostor = Identity::generate(&name("bob"), 1).unwrap();
    let theirs = world.roster_with("bob", &impostor);
    let inbox = Recorder::new().0;
    let bob = QuicNetwork::bind(&impostor, theirs, Some(world.address("bob")), inbox);
    let bob = bob.await.unwrap();
    let bob_waits = bob.connect(&alice.name, Duration::from_millis(500));
    let peer = name("bob");
    let (alice_says, bob_says) = tokio::join!(alice.network.connect(&peer, PATIENCE), bob_waits);
    let pins = [world.identity("bob").fingerprint(), impostor.fingerprint()].map(|p| p.to_string());
    let error = alice_says.unwrap_err();
    assert!(matches!(error, TransportError::PeerRefused { .. }), "{error:?}");
    says(&error, &["bob was expected", &pins[0], &pins[1]]);
    // The one who waits is told what the other refused.
    says(&bob_says.unwrap_err(), &["refused meanwhile", "bob was expected", &pins[1]]);
    assert_eq!(bob.refused_handshakes(), 1);
    assert!(alice.quiet());
}

#[tokio::test]
async fn an_impostor_who_dials_is_refused_at_once() {
    let world = World::new();
    let bob = world.party("bob").await;
    let impostor = Identity::generate(&name("alice"), 1).unwrap();
    let theirs = world.roster_with("alice", &impostor);
    let inbox = Recorder::new().0;
    let alice = QuicNetwork::bind(&impostor, theirs, None, inbox).await.unwrap();
    let begun = Instant::now();
    let (alices, bobs) = (name("alice"), name("bob"));
    let dialled = alice.connect(&bobs, PATIENCE);
    let waited = bob.network.connect(&alices, Duration::from_millis(500));
    let (alice_says, bob_says) = tokio::join!(async { (dialled.await, begun.elapsed()) }, waited);
    let (error, took) = (alice_says.0.unwrap_err(), alice_says.1);
    assert!(took < Duration::from_millis(300), "{took:?}");
    assert!(matches!(error, TransportError::RefusedByPeer { .. }), "{error:?}");
    let pin = impostor.fingerprint().to_string();
    says(&error, &["bob at 127.0.0.1", "alice was expected", &pin]);
    says(&bob_says.unwrap_err(), &["refused meanwhile", "alice was expected", &pin]);
    assert_eq!(bob.network.refused_handshakes(), 1);
    assert!(bob.quiet(), "a stranger cannot make a peer look lost");
}

#[tokio::test]
async fn another_order_of_players_is_found_out() {
    let world = World::new();
    let bob = world.party("bob").await;
    let mut players = world.roster.players().to_vec();
    players.reverse();
    // By this roster carol dials bob; by bob's, bob dials carol.
    let other = Arc::new(Roster::new(players, world.roster.driver()).unwrap());
    let inbox = Recorder::new().0;
    let carol = QuicNetwork::bind(world.identity("carol"), other, None, inbox).await.unwrap();
    let error = carol.connect(&bob.name, PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::OtherOrder { .. }), "{error:?}");
    says(&error, &["bob", "order", "config.json"]);
}

#[tokio::test]
async fn another_version_is_found_out() {
    let world = World::new();
    let alice = world.party("alice").await;
    let mut tls = server_config(world.identity("bob"), &world.roster).unwrap();
    tls.alpn_protocols = vec![b"sordino/0".to_vec()];
    let tls = Arc::new(QuicServerConfig::try_from(tls).unwrap());
    let config = quinn::ServerConfig::with_crypto(tls);
    let other = quinn::Endpoint::server(config, world.address("bob")).unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = other.accept().await {
            let _ = incoming.await;
        }
    });
    let error = alice.network.connect(&name("bob"), PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::OtherVersion { .. }), "{error:?}");
    says(&error, &["bob", "another version", "same version"]);
}

#[tokio::test]
async fn hosts_are_looked_up_and_tried_one_after_the_other() {
    let world = World::new();
    let mut bob = world.party("bob").await;
    let players = world.roster.players().iter().map(|player| {
        // Of IPv6 too, on machines that have it, where bob does not listen.
        let address = format!("localhost:{}", player.address().port()).parse().unwrap();
        Player::new(player.name().clone(), address, player.fingerprint())
    });
    let named = Arc::new(Roster::new(players.collect(), world.roster.driver()).unwrap());
    let inbox = Recorder::new().0;
    let driver = QuicNetwork::bind(world.identity("driver"), named, None, inbox).await.unwrap();
    let begun = Instant::now();
    driver.connect(&bob.name, PATIENCE).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(500), "{:?}", begun.elapsed());
    driver.send(&bob.name, Frame::Control(run(1)));
    assert_eq!(bob.next().await, Event::Control(driver_name(), 1));
}

#[tokio::test]
async fn what_cannot_be_had_says_what_to_do() {
    let world = World::new();
    let alice = world.party("alice").await;
    let inbox = Recorder::new().0;
    let listen = Some(world.address("alice"));
    let again = QuicNetwork::bind(world.identity("alice"), world.roster.clone(), listen, inbox);
    let error = again.await.unwrap_err();
    assert!(matches!(error, TransportError::PortInUse { .. }), "{error:?}");
    let address = world.address("alice").to_string();
    says(&error, &[&address, "alice running already", "config.json"]);

    let error = alice.network.connect(&name("nobody"), PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::UnknownPeer { .. }), "{error:?}");
    let error = alice.network.connect(&alice.name, PATIENCE).await.unwrap_err();
    assert!(matches!(error, TransportError::Oneself { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_sent_to_nobody_comes_back() {
    let world = World::new();
    let mut alice = world.party("alice").await;
    for peer in ["bob", "nobody"] {
        alice.network.send(&name(peer), Frame::Data(header(1), floats(4)));
        let Event::Lost(lost, reason) = alice.next().await else { panic!("not lost") };
        assert_eq!(lost, name(peer));
        assert!(reason.contains("no connection"), "{reason}");
    }
}

#[tokio::test]
async fn a_refused_value_leaves_the_connection_alive() {
    let world = World::new();
    let (alice, mut bob) = world.pair().await;
    for (edge, length) in [(UNWANTED, 4), (UNWANTED, 3_000_000), (1, 4)] {
        alice.network.send(&bob.name, Frame::Data(header(edge), floats(length)));
    }
    assert_eq!(bob.next().await.edge(), 1);
    bob.network.send(&alice.name, Frame::Control(run(1)));
    assert!(alice.quiet());
}

#[tokio::test]
async fn a_peer_that_closes_is_lost_at_once_with_its_reason() {
    let world = World::new();
    let (alice, mut bob) = world.pair().await;
    // What is queued before closing still arrives.
    alice.network.send(&bob.name, Frame::Data(header(1), floats(500_000)));
    alice.network.send(&bob.name, Frame::Control(run(9)));
    let begun = Instant::now();
    alice.network.close("the operator\nstopped it").await;
    assert!(begun.elapsed() < Duration::from_millis(1100));
    let mut got = [bob.next().await, bob.next().await];
    got.sort_by_key(|event| matches!(event, Event::Value(..)));
    assert_eq!(got[0], Event::Control(alice.name.clone(), 9));
    assert_eq!(got[1].edge(), 1);
    let Event::Lost(lost, reason) = bob.next().await else { panic!("not lost") };
    assert_eq!(lost, alice.name);
    assert_eq!(reason, "it closed the connection: the operator\u{fffd}stopped it");
    assert!(alice.quiet(), "one's own closing is no loss");
    let again = alice.network.connect(&bob.name, PATIENCE).await;
    assert!(matches!(again, Err(TransportError::Closing { .. })), "{again:?}");
}

#[tokio::test]
async fn a_dropped_network_and_a_new_one_of_the_same_player() {
    let world = World::new();
    let (alice, mut bob) = world.pair().await;
    drop(alice);
    let Event::Lost(_, reason) = bob.next().await else { panic!("not lost") };
    assert!(reason.contains("its process ends"), "{reason}");
    // Until quinn is sure that bob has heard it, alice's port is in use.
    tokio::time::sleep(Duration::from_millis(500)).await;

    let alice = world.party("alice").await;
    alice.network.connect(&bob.name, PATIENCE).await.unwrap();
    alice.network.send(&bob.name, Frame::Control(run(1)));
    assert_eq!(bob.next().await, Event::Control(alice.name.clone(), 1));
}

#[test]
fn a_peer_that_vanishes_is_lost_within_its_silence() {
    let world = World::new();
    let runtime = |name: &str| {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let party = built.block_on(world.party(name));
        (built, party)
    };
    let (ours, mut bob) = runtime("bob");
    let (theirs, alice) = runtime("alice");
    // Connects and is then never driven again, like a process that was killed.
    let ready = std::thread::spawn(move || {
        theirs.block_on(alice.network.connect(&name("bob"), PATIENCE)).unwrap();
        std::mem::forget((theirs, alice));
    });
    ours.block_on(bob.network.connect(&name("alice"), PATIENCE)).unwrap();
    ready.join().unwrap();
    let begun = Instant::now();
    let Event::Lost(lost, reason) = ours.block_on(bob.next()) else { panic!("not lost") };
    assert_eq!(lost, name("alice"));
    assert!(reason.contains("nothing was heard from it for 0.8 s"), "{reason}");
    assert!(begun.elapsed() < Duration::from_millis(1400), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older() {
    let world = World::new();
    let mut bob = world.party("bob").await;
    let (_first, mut out) = raw_with_control(&world).await;
    out.write_all(&frame(&run(1))).await.unwrap();
    assert_eq!(bob.next().await, Event::Control(name("alice"), 1));
    let (_second, mut out) = raw_with_control(&world).await;
    out.write_all(&frame(&run(2))).await.unwrap();
    let Event::Lost(_, reason) = bob.next().await else { panic!("not lost") };
    assert!(reason.contains("connected anew"), "{reason}");
    assert_eq!(bob.next().await, Event::Control(name("alice"), 2));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(bob.quiet(), "told once");
}

#[tokio::test]
async fn garbage_of_a_peer_costs_its_connection_and_no_more() {
    let value = |length: u64, after: u64| {
        let mut bytes = vec![2];
        bytes.extend([9; 16]);
        bytes.extend(0_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(after.to_le_bytes());
        bytes
    };
    let oversize = (u32::try_from(16 << 20).unwrap() + 1).to_le_bytes().to_vec();
    let illegible = [&5_u32.to_le_bytes()[..], &[255; 5]].concat();
    let mut two = frame(&run(1));
    two.push(0);
    let length = u32::try_from(two.len() - 4).unwrap();
    two[..4].copy_from_slice(&length.to_le_bytes());
    #[rustfmt::skip]
    let cases: Vec<(&str, Garbage)> = vec![
        ("unknown kind 77", Garbage::Stream(vec![77, 1, 2], true)),
        ("unknown kind 1", Garbage::Stream(vec![1], true)),
        ("without a byte", Garbage::Stream(vec![], true)),
        ("ended 38 bytes before its end", Garbage::Stream(value(8, 0)[..11].to_vec(), true)),
        ("ended 1 bytes before", Garbage::Stream([value(400, 0), vec![0; 399]].concat(), true)),
        ("longer than the 400", Garbage::Stream([value(400, 0), vec![0; 401]].concat(), true)),
        ("stalled: no byte of it came for 0.5 s", Garbage::Stream(vec![2, 0], false)),
        ("a value stalled", Garbage::Stream([value(400, 0), vec![0; 400]].concat(), false)),
        ("waits for a control message", Garbage::Stream([value(4, 3), vec![0; 4]].concat(), true)),
        ("16777217 bytes, and 16777216 are allowed", Garbage::Control(oversize, false)),
        ("illegible", Garbage::Control(illegible, false)),
        ("illegible", Garbage::Control(two, false)),
        ("ended 2 bytes before its end", Garbage::Control(vec![1, 0], true)),
        ("a control message stalled", Garbage::Control(vec![9, 0, 0, 0, 1], false)),
        ("connection did not", Garbage::Control(vec![], true)),
        ("unknown kind 3", Garbage::First(vec![3])),
        ("first stream is empty", Garbage::First(vec![])),
    ];
    for (expected, garbage) in cases {
        let world = World::new();
        let mut bob = world.party("bob").await;
        let connection = match &garbage {
            Garbage::First(bytes) => {
                let connection = world.raw().await;
                put(connection.open_uni().await.unwrap(), bytes, true).await;
                connection
            }
            Garbage::Stream(bytes, finish) => {
                let (connection, control) = raw_with_control(&world).await;
                put(connection.open_uni().await.unwrap(), bytes, *finish).await;
                std::mem::forget(control);
                connection
            }
            Garbage::Control(bytes, finish) => {
                let (connection, control) = raw_with_control(&world).await;
                put(control, bytes, *finish).await;
                connection
            }
        };
        let Event::Lost(lost, reason) = bob.next().await else { panic!("{expected}: not lost") };
        assert_eq!(lost, name("alice"), "{expected}");
        assert!(reason.contains(expected) && reason.contains("protocol"), "{expected}: {reason}");
        // The peer is told with what it broke the protocol.
        let told = timeout(PATIENCE, connection.closed()).await.unwrap().to_string();
        assert!(told.contains(expected), "{told}");

        // A player that behaves can take its place.
        let alice = world.party("alice").await;
        alice.network.connect(&bob.name, PATIENCE).await.unwrap();
        alice.network.send(&bob.name, Frame::Control(run(1)));
        assert_eq!(bob.next().await, Event::Control(alice.name.clone(), 1), "{expected}");
    }
}

#[tokio::test]
async fn an_announced_length_takes_no_memory_by_itself() {
    let world = World::new();
    let mut bob = world.party("bob").await;
    let (connection, _control) = raw_with_control(&world).await;
    // The inbox refuses it, and the next one is taken.
    let mut huge = vec![2; 33];
    huge.extend(u64::MAX.to_le_bytes());
    huge.extend(0_u64.to_le_bytes());
    put(connection.open_uni().await.unwrap(), &huge, true).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(bob.quiet());
    let mut small = vec![2; 33];
    small.extend(4_u64.to_le_bytes());
    small.extend(0_u64.to_le_bytes());
    small.extend(1_f32.to_le_bytes());
    put(connection.open_uni().await.unwrap(), &small, true).await;
    assert!(matches!(bob.next().await, Event::Value(_, _, value) if value == [1.0]));
}

const PATIENCE: Duration = Duration::from_secs(5);
/// The recorder refuses values of this edge.
const UNWANTED: u32 = 999;
const LIMITS: Limits = Limits {
    silence: Duration::from_millis(800),
    stall: Duration::from_millis(500),
    patience: Duration::from_millis(400),
};

enum Garbage {
    /// The bytes of the first stream.
    First(Vec<u8>),
    /// The bytes of a stream after a good beginning, and whether it is finished.
    Stream(Vec<u8>, bool),
    /// Bytes on the control stream after a good beginning, and whether it is finished.
    Control(Vec<u8>, bool),
}

#[derive(Debug, Clone, PartialEq)]
enum Event {
    /// The steps of a `Run`.
    Control(PlayerName, u64),
    Value(PlayerName, u32, Vec<f32>),
    Lost(PlayerName, String),
}

impl Event {
    #[track_caller]
    fn edge(&self) -> u32 {
        if let Self::Value(_, edge, _) = self { *edge } else { panic!("no value: {self:?}") }
    }
}

struct Recorder(UnboundedSender<Event>);

impl Recorder {
    fn new() -> (Arc<Self>, UnboundedReceiver<Event>) {
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
    ) -> Result<Tensor, Refused> {
        if header.edge == UNWANTED || length > 64 << 20 {
            return Err(Refused("unwanted".into()));
        }
        let length = usize::try_from(length / 4).unwrap();
        Ok(Tensor::f32(&shape(length), vec![0.0; length]))
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
struct Party {
    name: PlayerName,
    network: Arc<QuicNetwork>,
    events: UnboundedReceiver<Event>,
}

impl Party {
    async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.events.recv()).await.expect("nothing came").unwrap()
    }

    fn quiet(&self) -> bool {
        self.events.is_empty()
    }
}

/// Three players in this order, and a driver, with ports of their own.
struct World {
    identities: Vec<Identity>,
    roster: Arc<Roster>,
}

const NAMES: [&str; 4] = ["alice", "bob", "carol", "driver"];

impl World {
    fn new() -> Self {
        let identities: Vec<_> =
            NAMES.iter().map(|each| Identity::generate(&name(each), 1).unwrap()).collect();
        let players = identities[..3].iter().map(|identity| {
            let address = format!("127.0.0.1:{}", free_port()).parse().unwrap();
            Player::new(identity.name().clone(), address, identity.fingerprint())
        });
        let driver = Some(identities[3].fingerprint());
        let roster = Arc::new(Roster::new(players.collect(), driver).unwrap());
        Self { identities, roster }
    }

    fn identity(&self, who: &str) -> &Identity {
        self.identities.iter().find(|identity| identity.name().as_str() == who).unwrap()
    }

    fn address(&self, who: &str) -> SocketAddr {
        self.roster.get(&name(who)).unwrap().address().resolve().unwrap()[0]
    }

    /// The roster as one has it who takes `identity` for that of `who`.
    fn roster_with(&self, who: &str, identity: &Identity) -> Arc<Roster> {
        let players = self.roster.players().iter().map(|player| match player.name().as_str() {
            found if found == who => {
                let address = player.address().clone();
                Player::new(player.name().clone(), address, identity.fingerprint())
            }
            _ => player.clone(),
        });
        Arc::new(Roster::new(players.collect(), None).unwrap())
    }

    async fn party(&self, who: &str) -> Party {
        let (inbox, events) = Recorder::new();
        let listen = (who != "driver").then(|| self.address(who));
        let roster = Arc::clone(&self.roster);
        let network = QuicNetwork::bind_with(self.identity(who), roster, listen, inbox, LIMITS);
        Party { name: name(who), network: network.await.unwrap(), events }
    }

    async fn pair(&self) -> (Party, Party) {
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
    async fn raw(&self) -> quinn::Connection {
        let tls = client_config(self.identity("alice"), &self.roster, &name("bob")).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let endpoint = quinn::Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
        endpoint.connect_with(config, self.address("bob"), SERVER_NAME).unwrap().await.unwrap()
    }
}

/// A free UDP port: each one once, and none that the system gives to sockets that ask for any.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A raw connection that has made a good beginning, and its control stream.
async fn raw_with_control(world: &World) -> (quinn::Connection, quinn::SendStream) {
    let connection = world.raw().await;
    let mut control = connection.open_uni().await.unwrap();
    control.write_all(&[1]).await.unwrap();
    connection.accept_uni().await.unwrap();
    (connection, control)
}

async fn put(mut stream: quinn::SendStream, bytes: &[u8], finish: bool) {
    stream.write_all(bytes).await.unwrap();
    match finish {
        true => stream.finish().unwrap(),
        // A dropped stream would be finished.
        false => std::mem::forget(stream),
    }
}

fn frame(message: &Control) -> Vec<u8> {
    let body = postcard::to_stdvec(message).unwrap();
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], &body].concat()
}

fn run(steps: u64) -> Control {
    Control::Run { session: SessionId([9; 16]), plan: 0, steps }
}

fn header(edge: u32) -> DataHeader {
    DataHeader { session: SessionId([9; 16]), plan: 0, step: 0, edge }
}

fn floats(length: usize) -> Tensor {
    #[allow(clippy::cast_precision_loss, reason = "any numbers will do")]
    Tensor::f32(&shape(length), (0..length).map(|index| index as f32).collect())
}

fn shape(length: usize) -> Shape {
    Shape::new(&[length]).unwrap()
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

#[track_caller]
fn says(error: &TransportError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
}
