//! What players hear of each other when one is ahead, what becomes of its wait, and who computes what arrives.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, ThreadId};

use sordino_graph::{Function, Recording, Setup, print_with_sources, transfer};
use sordino_ops::data::DataStore;
use sordino_ops::{Plan, publish, random_normal};

use super::*;
use crate::consent::Consent;
use crate::machine::WINDOW;
use crate::message::{Digests, Optional};
use crate::transport::Connected;
use crate::turns::brief;

const SESSION: SessionId = SessionId([1; 16]);
const PLAN: PlanIndex = 0;

/// Hands on what a player sends, and the thread that does.
struct Heard(Mutex<Sender<(ThreadId, Frame)>>);

impl Network for Heard {
    fn send(&self, _: &PlayerName, frame: Frame) {
        let _ = self.0.lock().unwrap().send((thread::current().id(), frame));
    }

    fn connect(&self, _: &PlayerName, then: Connected) {
        then(Ok(()));
    }
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

/// Values of ann go to bob and to carol in each step.
fn program(g: &Recording<'_>) {
    for (player, seed) in [("bob", 1), ("carol", 2)] {
        let value = random_normal(g, &name("ann"), &[3], seed);
        publish(player, transfer(value, &name(player)));
    }
}

/// A player's side of a session that is asked for a hundred steps, and what it says. Players that are
/// `optional` have a thousand seconds.
fn runs(
    me: &str,
    peers: &[&str],
    optional: &[&str],
) -> (Arc<PlayerSession>, Receiver<(ThreadId, Frame)>) {
    let players = ["ann", "bob", "carol"].map(name);
    let setup = players.iter().fold(Setup::new(players.clone()), Setup::release);
    let graph = Function::new("program", "", program).record(&setup).unwrap();
    let text = print_with_sources(&graph).into();
    let plan = Plan::new(graph).unwrap();
    let digests = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
    let data = Arc::new(DataStore::new(".".into()));
    let (consent, memory) = (Consent::ALL, 1 << 30);
    let options = PlayerOptions { data, consent, memory, audit: None, checkpoints: None };
    let (sender, heard) = channel();
    let network = Arc::new(Heard(Mutex::new(sender)));
    let (driver, room) = (name("driver"), Room::new(memory));
    let session = PlayerSession::new(SESSION, name(me), driver, network, options, &room);
    let players = optional.iter().map(|&player| player.to_owned()).collect();
    session.prepare(PLAN, 0, &Optional { players, timeout: 1_000_000 }, &text);
    for peer in peers {
        session.on_hello(&name(peer), PLAN, digests, Vec::new());
    }
    session.run(PLAN, 100);
    assert_eq!(session.failure(), None);
    (session, heard)
}

fn next(heard: &Receiver<(ThreadId, Frame)>) -> (ThreadId, Frame) {
    heard.recv_timeout(Duration::from_secs(60)).expect("it says something")
}

/// Ann, when she is as far ahead of bob and carol as she may be, and the values that she sent.
fn ahead(optional: &[&str]) -> (Arc<PlayerSession>, Vec<(DataHeader, Tensor)>) {
    let (ann, heard) = runs("ann", &["bob", "carol"], optional);
    let mut sent = Vec::new();
    while (sent.len() as u64) < 2 * WINDOW {
        if let (_, Frame::Data(header, value)) = next(&heard) {
            sent.push((header, value));
        }
    }
    (ann, sent)
}

/// What ann sends bob, step by step: his edge comes before carol's.
fn values_for_bob() -> impl Iterator<Item = (DataHeader, Tensor)> + Send {
    let (_, mut sent) = ahead(&[]);
    let edge = sent.iter().map(|(header, _)| header.edge).min();
    sent.retain(|(header, _)| Some(header.edge) == edge);
    sent.sort_by_key(|(header, _)| header.step);
    sent.into_iter()
}

fn long_ago() -> Instant {
    Instant::now().checked_sub(5 * LONG).expect("the machine is up for longer")
}

/// Whether a wait that is long begins anew when `from` says that it has done so many steps.
fn waits_anew(session: &Arc<PlayerSession>, from: &str, plan: PlanIndex, done: u64) -> bool {
    let before = long_ago();
    session.state().moved = before;
    session.on_credit(&name(from), plan, done);
    session.state().moved > before
}

#[test]
fn who_is_ahead_waits_anew_when_the_one_it_waits_for_goes_on() {
    let (ann, _) = ahead(&[]);
    let told = || {
        let mut state = ann.state();
        (state.moved, state.pulsed) = (long_ago(), long_ago());
        drop(state);
        ann.check_patience().map(|wait| (wait.on, wait.node))
    };
    let wait_for = |player: &str| Some((player.to_owned(), "the end of an earlier step".into()));
    assert_eq!(told(), wait_for("bob"));
    assert!(waits_anew(&ann, "bob", PLAN, 0), "the step that he is in takes long");
    assert!(!waits_anew(&ann, "carol", PLAN, 0), "she is not waited for");
    assert!(waits_anew(&ann, "bob", PLAN, 1));
    assert_eq!(told(), wait_for("carol"));
    assert!(!waits_anew(&ann, "bob", PLAN, 2), "he is waited for no longer");
    assert!(waits_anew(&ann, "carol", PLAN, 0));
    assert_eq!(ann.failure(), None);
}

#[test]
fn a_round_waits_no_longer_for_an_owner_that_says_it_goes_on() {
    let (ann, _) = ahead(&["bob"]);
    assert!(!waits_anew(&ann, "bob", PLAN, 0));
    assert_eq!(ann.failure(), None);
}

#[test]
fn a_player_that_goes_on_says_so_to_who_may_be_ahead() {
    let mut sent = values_for_bob();
    let (bob, heard) = runs("bob", &["ann"], &[]);
    {
        let mut state = bob.state();
        (state.told, state.signed) = (long_ago(), long_ago());
    }
    let (header, value) = sent.next().unwrap();
    bob.on_data(&name("ann"), header, value);
    let mut credits = Vec::new();
    loop {
        match next(&heard).1 {
            Frame::Control(Control::Credit { done, .. }) => credits.push(done),
            Frame::Control(Control::Progress { done, .. }) => {
                assert_eq!((done, &*credits), (1, &[1][..]));
                return;
            }
            _ => {}
        }
    }
}

/// Whether bob, of whom no thread is at work, publishes the value on this thread, at which the network's
/// events come, when his kernels `took` so long the last time.
fn publishes_here(
    bob: &Arc<PlayerSession>,
    heard: &Receiver<(ThreadId, Frame)>,
    (header, value): (DataHeader, Tensor),
    took: Duration,
) -> bool {
    let start = Instant::now();
    while bob.state().workers > 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "a thread of the pool stays");
        thread::yield_now();
    }
    brief::rests();
    bob.state().plans.get_mut(&PLAN).unwrap().took.fill(took);
    bob.on_data(&name("ann"), header, value);
    loop {
        if let (thread, Frame::Control(Control::Published { value, .. })) = next(heard) {
            assert_eq!(value.step, header.step);
            return thread == thread::current().id();
        }
    }
}

#[test]
fn a_brief_turn_ends_before_a_kernel_that_takes_long() {
    let mut sent = values_for_bob();
    let at_network = thread::spawn(move || {
        brief::begin();
        let (bob, heard) = runs("bob", &["ann"], &[]);
        for value in sent.by_ref().take(2) {
            assert!(!publishes_here(&bob, &heard, value, Duration::MAX));
        }
        // A spell may be over before the kernel begins, but hardly each time.
        assert!(sent.any(|value| publishes_here(&bob, &heard, value, Duration::ZERO)));
        assert_eq!(bob.failure(), None);
    });
    at_network.join().unwrap();
}
