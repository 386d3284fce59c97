//! A player by itself: a panic in its bookkeeping fails a session, and the process lives; texts of
//! plans are taken up to a size.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sordino_graph::{Function, PlayerName, Recording, Setup, print_with_sources, transfer};
use sordino_ops::data::DataStore;
use sordino_ops::{Plan, publish, random_normal};
use sordino_players::roster::driver_name;
use sordino_runtime::message::{Control, Digests, Failure, Frame, Optional, PlanIndex, SessionId};
use sordino_runtime::transport::{Connected, Inbox, Network};
use sordino_runtime::{Consent, Player, PlayerOptions};

const SESSION: SessionId = SessionId([1; 16]);

/// Panics at frames of one kind.
struct Broken {
    at: fn(&Frame) -> bool,
    sent: Mutex<Sender<Control>>,
}

impl Network for Broken {
    fn send(&self, _: &PlayerName, frame: Frame) {
        assert!(!(self.at)(&frame), "a bug");
        if let Frame::Control(message) = frame {
            let _ = self.sent.lock().unwrap().send(message);
        }
    }

    fn connect(&self, _: &PlayerName, then: Connected) {
        then(Ok(()));
    }
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

fn program(g: &Recording<'_>) {
    publish("x", transfer(random_normal(g, &name("ann"), &[4], 1), &name("bob")));
}

fn setup() -> Setup {
    let players = ["ann", "bob"].map(name);
    players.iter().fold(Setup::new(players.clone()), Setup::release)
}

fn ann(at: fn(&Frame) -> bool) -> (Arc<Player>, Receiver<Control>) {
    let (sent, heard) = channel();
    let data = Arc::new(DataStore::new(".".into()));
    let (consent, memory) = (Consent::ALL, 1 << 30);
    let options = PlayerOptions { data, consent, memory, audit: None, checkpoints: None };
    let ann = Player::new(name("ann"), options, |_| {});
    ann.attach(Arc::new(Broken { at, sent: Mutex::new(sent) }));
    (ann, heard)
}

/// What ann says when her network panics at such frames.
fn prepare(session: SessionId, plan: PlanIndex, text: String) -> Control {
    Control::Prepare { session, plan, first: 0, optional: Optional::default(), text: text.into() }
}

fn failure(at: fn(&Frame) -> bool) -> String {
    let graph = Function::new("program", "", program).record(&setup()).unwrap();
    let text = print_with_sources(&graph);
    let plan = Plan::new(graph).unwrap();
    let digests = Digests { recorded: plan.recorded_digest.0, lowered: plan.lowered_digest.0 };
    let (ann, heard) = ann(at);
    let (session, plan, secrets) = (SESSION, 0, Vec::new());
    ann.on_control(&driver_name(), prepare(session, plan, text));
    ann.on_control(&name("bob"), Control::Hello { session, plan, digests, secrets });
    loop {
        match heard.recv_timeout(Duration::from_secs(20)).expect("a failure") {
            Control::Ready { .. } => {
                ann.on_control(&driver_name(), Control::Run { session, plan, steps: 1 });
            }
            Control::Abort { failure, .. } => return failure.to_string(),
            _ => {}
        }
    }
}

#[test]
fn panics_fail_sessions() {
    let greeting = |frame: &Frame| matches!(frame, Frame::Control(Control::Hello { .. }));
    let value = |frame: &Frame| matches!(frame, Frame::Data(..));
    let ready = |frame: &Frame| matches!(frame, Frame::Control(Control::Ready { .. }));
    for at in [greeting, value, ready] {
        assert_eq!(failure(at), "ann: panicked: a bug of Sordino's");
    }
}

#[test]
fn texts_of_all_plans_have_a_bound() {
    let graph = Function::new("program", "", program).record(&setup()).unwrap();
    let text = print_with_sources(&graph);
    let left = (64 << 20) - text.len();
    let (ann, heard) = ann(|_| false);
    for (number, text) in [(1, text), (2, "x".repeat(left + 1)), (3, "x".repeat(left))] {
        let session = SessionId([number; 16]);
        ann.on_control(&driver_name(), prepare(session, 0, text));
    }
    let mut failures = heard.iter().filter_map(|message| match message {
        Control::Abort { session, failure } => Some((session.0[0], failure.to_string())),
        _ => None,
    });
    let refusal = "ann: holds plans of 67108864 bytes at most; close a session";
    assert_eq!(failures.next(), Some((2, refusal.to_owned())));
    // Read, since there was room for it.
    let (session, failure) = failures.next().unwrap();
    assert!(session == 3 && failure.contains("line 1"), "{failure}");
}

#[test]
fn a_session_is_its_own_drivers_alone() {
    let (ann, heard) = ann(|_| false);
    let (session, other) = (SESSION, name("driver-2"));
    let graph = Function::new("program", "", program).record(&setup()).unwrap();
    let prepare = || prepare(session, 0, print_with_sources(&graph));
    let mut failures = heard.iter().filter_map(|message| match message {
        Control::Abort { failure, .. } => Some(failure.to_string()),
        _ => None,
    });
    ann.on_control(&driver_name(), prepare());
    ann.on_control(&other, prepare());
    let refused = failures.next().unwrap();
    assert!(refused.contains("another driver's"), "{refused}");
    let failure = Failure::new("driver-2", "so be it");
    let digests = Digests { recorded: [0; 32], lowered: [0; 32] };
    for message in [
        Control::Run { session, plan: 9, steps: 1 },
        Control::Checkpoint { session, number: 1, keep: 0, rounds: Vec::new() },
        Control::Ready { session, plan: 0, digests },
        Control::Abort { session, failure },
        Control::Close { session },
    ] {
        ann.on_control(&other, message);
    }
    // The session is there and sound: this is the first thing that is wrong in it.
    ann.on_control(&driver_name(), Control::Run { session, plan: 8, steps: 1 });
    let failed = failures.next().unwrap();
    assert!(failed.contains("asked to run plan 8"), "{failed}");
}

#[test]
fn checkpoints_are_looked_after_one_at_a_time() {
    let (ann, heard) = ann(|_| false);
    // No thread of the pool gets to the first request before the second one is there.
    let (go, busy) = channel::<()>();
    let busy = Arc::new(Mutex::new(busy));
    for _ in 0..rayon::current_num_threads() {
        let busy = Arc::clone(&busy);
        rayon::spawn(move || {
            let _ = busy.lock().unwrap().recv();
        });
    }
    for _ in 0..2 {
        ann.on_control(&driver_name(), Control::Recall { session: SESSION, of: SESSION });
    }
    drop(go);
    let failed = heard.iter().find_map(|message| match message {
        Control::Abort { failure, .. } => Some(failure.to_string()),
        _ => None,
    });
    let expected = "driver: asked for something of checkpoints before it had the last answer";
    assert_eq!(failed.unwrap(), expected);
}
