//! Drivers and players that send what they should not end in an error that says who, and the players
//! stay usable.

mod common;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use common::owners::{growing, start_growing, sum, two_owners, vector};
use common::{mnist, player, says};
use sordino::graph::{Role, Type, print_with_sources};
use sordino::ops::data::DataStore;
use sordino::ops::{Plan, Tensor};
use sordino::prelude::*;
use sordino::runtime::message::{
    Control, DataHeader, Digests, Failure, Frame, GroupSecret, Optional, PlanIndex, SessionId,
};
use sordino::runtime::transport::memory::{Hub, MemoryNetwork};
use sordino::runtime::transport::{Inbox, Network, Refused};
use sordino::runtime::{Consent, Player, PlayerOptions};

/// Nothing takes longer than this to fail.
const GUARD: u64 = 10;

/// What a driver sends first.
fn prepare(session: SessionId, plan: PlanIndex, text: String) -> Control {
    Control::Prepare { session, plan, first: 0, optional: Optional::default(), text: text.into() }
}

/// Players of one process and a driver that says what it likes.
struct Stage {
    players: Vec<Arc<Player>>,
    network: Arc<MemoryNetwork>,
    arrivals: Receiver<(PlayerName, Control)>,
    _inbox: Arc<dyn Inbox>,
}

struct Heard(Mutex<Sender<(PlayerName, Control)>>);

impl Inbox for Heard {
    fn on_control(&self, from: &PlayerName, message: Control) {
        // A test that has seen enough listens no more.
        let _ = self.0.lock().unwrap().send((from.clone(), message));
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Type, Refused> {
        panic!("a player sent the driver a value: invariant 1")
    }

    fn on_data(&self, from: &PlayerName, _: DataHeader, _: Tensor) {
        panic!("{from} sent the driver a value: invariant 1")
    }

    fn on_lost(&self, _: &PlayerName, _: &str) {}
}

impl Stage {
    fn new(setup: &Setup) -> Self {
        let hub: Arc<Hub> = Arc::default();
        let driver = sordino::players::roster::driver_name();
        let data = Arc::new(DataStore::new(mnist().to_owned()));
        let (consent, memory) = (Consent::ALL, 1 << 30);
        let options = PlayerOptions { data, consent, memory, checkpoints: None, audit: None };
        let new = |name: &PlayerName| {
            let player = Player::new(name.clone(), options.clone(), |_| {});
            player.attach(hub.network(name));
            player
        };
        let players: Vec<_> = setup.players.iter().map(new).collect();
        let (sender, arrivals) = channel();
        let inbox: Arc<dyn Inbox> = Arc::new(Heard(Mutex::new(sender)));
        let weak = |player: &Arc<Player>| -> (PlayerName, Weak<dyn Inbox>) {
            let inbox: Arc<dyn Inbox> = player.clone();
            (player.name().clone(), Arc::downgrade(&inbox))
        };
        let own = (driver.clone(), Arc::downgrade(&inbox));
        hub.open(players.iter().map(weak).chain([own]));
        Self { players, network: hub.network(&driver), arrivals, _inbox: inbox }
    }

    fn tell(&self, to: &PlayerName, message: Control) {
        self.network.send(to, Frame::Control(message));
    }

    fn tell_all(&self, message: &Control) {
        self.players.iter().for_each(|player| self.tell(player.name(), message.clone()));
    }

    /// Waits until every player has sent a message of a session that `wanted` accepts, and returns
    /// them. An abort that is not wanted fails the test.
    fn hear<T>(
        &self,
        session: SessionId,
        wanted: impl Fn(&Control) -> Option<T>,
    ) -> Vec<(PlayerName, T)> {
        let end = Instant::now() + Duration::from_secs(GUARD);
        let mut heard: Vec<(PlayerName, T)> = Vec::new();
        while heard.len() < self.players.len() {
            let left = end.saturating_duration_since(Instant::now());
            let Ok((from, message)) = self.arrivals.recv_timeout(left) else {
                let names: Vec<_> = heard.iter().map(|(name, _)| name).collect();
                panic!("heard only of {names:?} in {GUARD} s");
            };
            if message.session() != session || heard.iter().any(|(name, _)| *name == from) {
                continue;
            }
            match wanted(&message) {
                Some(value) => heard.push((from, value)),
                None => assert!(!matches!(message, Control::Abort { .. }), "{message:?}"),
            }
        }
        heard
    }

    /// The first failure that a player reports in a session.
    fn first_abort(&self, session: SessionId) -> Failure {
        let end = Instant::now() + Duration::from_secs(GUARD);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let (_, message) = self.arrivals.recv_timeout(left).expect("a failure");
            if let Some(failure) = abort(&message).filter(|_| message.session() == session) {
                return failure;
            }
        }
    }

    /// Runs a good program in a session of its own: the players are as able as before.
    fn still_works(&self, setup: &Setup) {
        let session = SessionId([77; 16]);
        let text = print_with_sources(&sum().record(setup).unwrap());
        self.tell_all(&prepare(session, 0, text));
        self.hear(session, |message| matches!(message, Control::Ready { .. }).then_some(()));
        self.tell_all(&Control::Run { session, plan: 0, steps: 30 });
        self.hear(session, |message| matches!(message, Control::Finished { .. }).then_some(()));
    }
}

fn abort(message: &Control) -> Option<Failure> {
    if let Control::Abort { failure, .. } = message { Some(failure.clone()) } else { None }
}

fn ready(message: &Control) -> Option<()> {
    matches!(message, Control::Ready { .. }).then_some(())
}

const ID: SessionId = SessionId([1; 16]);

#[test]
fn all_players_hear_of_a_failure_and_are_idle_again() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    for (plan, function) in [(0, start_growing()), (1, growing(&1e4))] {
        let text = print_with_sources(&function.record(&setup).unwrap());
        stage.tell_all(&prepare(ID, plan, text));
        stage.hear(ID, |message| match message {
            Control::Ready { plan: ready, .. } => (*ready == plan).then_some(()),
            _ => None,
        });
    }
    stage.tell_all(&Control::Run { session: ID, plan: 0, steps: 1 });
    stage.tell_all(&Control::Run { session: ID, plan: 1, steps: 1000 });
    // Each of the seven says the same: that it was bob, where, and why.
    for (from, Failure { player, reason, .. }) in stage.hear(ID, abort) {
        assert_eq!(player, "bob", "{from} says: {reason}");
        says(&reason, &["private-input/share", "too large for the ring"]);
    }
    stage.still_works(&setup);
}

#[test]
fn players_that_were_told_different_graphs_refuse() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = |function: &Function<'_>| print_with_sources(&function.record(&setup).unwrap());
    let (good, other) = (text(&sum()), text(&growing(&1.0)));
    for name in &setup.players {
        let text = if name.as_str() == "ann" { other.clone() } else { good.clone() };
        stage.tell(name, prepare(ID, 0, text));
    }
    // Ann meets another digest at each peer, and each peer at her: whoever is first tells.
    let first = stage.first_abort(ID);
    says(&first.reason, &["digest", "the same graph"]);
    // A player that was not ready yet knows nobody who could have told it: the driver does.
    stage.tell_all(&Control::Abort { session: ID, failure: first });
    stage.still_works(&setup);
}

#[test]
fn a_driver_that_asks_for_what_is_not_there() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    let asks: [(&str, Vec<Control>); 4] = [
        ("not ready", {
            let text = text.clone();
            vec![
                prepare(SessionId([2; 16]), 0, text),
                Control::Run { session: SessionId([2; 16]), plan: 5, steps: 1 },
            ]
        }),
        ("expected", {
            let text = "no graph".to_owned();
            vec![prepare(SessionId([3; 16]), 0, text)]
        }),
        ("does not list the player server0", {
            // A graph of other players, which the verifier has nothing against.
            let names = ["ann", "bob", "carol"].map(player);
            let small = Setup::new(names).release(&player("ann"));
            let text = print_with_sources(&lonely().record(&small).unwrap());
            vec![prepare(SessionId([4; 16]), 0, text)]
        }),
        ("secrecy/release", {
            let text = text.replace("  policy release(from=carol)\n", "");
            assert!(!text.contains("release"));
            vec![prepare(SessionId([5; 16]), 0, text)]
        }),
    ];
    for (reason, messages) in asks {
        let session = messages[0].session();
        let server = player("server0");
        messages.into_iter().for_each(|message| stage.tell(&server, message));
        let failure = stage.first_abort(session);
        says(&failure.reason, &[reason]);
        assert_eq!(failure.player, "driver");
    }
    stage.still_works(&setup);
}

#[secure_function]
fn lonely(g: &Recording<'_>) {
    publish("x", random_normal(g, &player("ann"), &[3], 1));
}

#[test]
fn only_the_driver_drives() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    stage.tell_all(&prepare(ID, 0, text.clone()));
    stage.hear(ID, ready);
    // Bob asks, as the driver would: nothing is prepared or runs, and he is named.
    let ann = stage.players.iter().find(|p| p.name().as_str() == "ann").unwrap();
    let other = SessionId([9; 16]);
    ann.on_control(&player("bob"), prepare(other, 0, text));
    ann.on_control(&player("bob"), Control::Run { session: ID, plan: 0, steps: 1 });
    for (_, Failure { player, reason, .. }) in stage.hear(ID, abort) {
        assert_eq!(player, "bob");
        says(&reason, &["sent what only the driver may send"]);
    }
    stage.still_works(&setup);
    while let Ok((_, message)) = stage.arrivals.try_recv() {
        assert_ne!(message.session(), other);
    }
}

#[test]
fn values_that_nobody_sent_for_end_the_session_alone() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let text = print_with_sources(&sum().record(&setup).unwrap());
    stage.tell_all(&prepare(ID, 0, text));
    stage.hear(ID, ready);
    let carol = stage.players.iter().find(|p| p.name().as_str() == "carol").unwrap();
    let header = DataHeader { session: ID, plan: 0, step: 0, edge: 1000 };
    carol.on_data(&player("ann"), header, Tensor::zeros(&vector(3)));
    for (_, Failure { player, reason, .. }) in stage.hear(ID, abort) {
        assert_eq!(player, "ann");
        says(&reason, &["edge 1000"]);
    }
    stage.still_works(&setup);
}

#[test]
fn a_length_that_is_not_the_edges_is_refused_before_memory_is_taken() {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let recorded = sum().record(&setup).unwrap();
    let text = print_with_sources(&recorded);
    let plan = Plan::new(recorded).unwrap();
    stage.tell_all(&prepare(ID, 0, text));
    stage.hear(ID, ready);
    let carol = stage.players.iter().find(|p| p.name().as_str() == "carol").unwrap();
    let part = plan.parts[&player("carol")].nodes().find(|(_, node)| node.op.role == Role::Receive);
    let attributes = &part.unwrap().1.attributes;
    let from = attributes.player("from").unwrap();
    let edge = u32::try_from(attributes.int("edge").unwrap()).unwrap();
    let header = DataHeader { session: ID, plan: 0, step: 0, edge };
    let refused = carol.on_announce(from, &header, 1 << 60).unwrap_err();
    says(&refused.0, &["1152921504606846976 bytes", "not 24"]);
    let fits = carol.on_announce(from, &header, 24);
    assert!(fits.is_err() || fits.is_ok_and(|ty| ty.bytes() == 24));
    for (_, failure) in stage.hear(ID, abort) {
        assert_eq!(failure.player, from.as_str());
    }
    stage.still_works(&setup);
}

/// What server0 says of a greeting by ann, while all others keep silent.
fn greeted(secrets: &[&[&str]], change_digest: bool, times: usize) -> Failure {
    let setup = two_owners();
    let stage = Stage::new(&setup);
    let (ann, server) = (player("ann"), player("server0"));
    let recorded = sum().record(&setup).unwrap();
    let text = print_with_sources(&recorded);
    let plan = Plan::new(recorded).unwrap();
    stage.tell(&server, prepare(ID, 0, text));
    let mut digests = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
    digests.lowered[31] ^= u8::from(change_digest);
    let secret = |holders: &&[&str]| GroupSecret {
        holders: holders.iter().map(|&name| name.to_owned()).collect(),
        secret: [7; 32],
    };
    for _ in 0..times {
        let secrets = secrets.iter().map(secret).collect();
        let hello = Control::Hello { session: ID, plan: 0, digests, secrets };
        let inbox = stage.players.iter().find(|player| *player.name() == server).unwrap();
        inbox.on_control(&ann, hello);
    }
    stage.first_abort(ID)
}

#[test]
fn greetings_that_are_not_in_order() {
    let hers: &[&str] = &["ann", "server0"];
    let cases: [(&[&[&str]], bool, usize, &str); 7] = [
        (&[hers], true, 1, "runs another plan"),
        (&[hers], false, 2, "greeted twice"),
        (&[], false, 1, "did not send the secret"),
        (&[hers, hers], false, 1, "not its to make"),
        (&[hers, &["bob", "server0"]], false, 1, "not its to make"),
        (&[hers, &["ann", "server1"]], false, 1, "not its to make"),
        (&[hers, &["ann", "no name"]], false, 1, "is not a player name"),
    ];
    for (secrets, change_digest, times, reason) in cases {
        let failure = greeted(secrets, change_digest, times);
        assert_eq!(failure.player, "ann", "{failure}");
        says(&failure.reason, &[reason]);
    }
}
