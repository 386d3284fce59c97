//! A peer with a valid certificate sends what it likes: its session fails with an error that names
//! it and what it did, and other sessions go on.

use sordino_runtime::message::{
    Control, DataHeader, Digests, Failure, GroupSecret, Optional, Published,
};
use sordino_runtime::report::PlayerReport;
use sordino_runtime::transport::quic::Limits;

use crate::stage::{BYTES, JOINT, PAIR, Stage, announcement, edge_of, expected, hello};
use crate::world::{LIMITS, SHORT_STALL};

enum Move {
    Say(Control),
    /// A value of so many bytes, announced as so many.
    Value(DataHeader, u64, usize),
    /// A value of which so many bytes come, and then no more.
    Stall(DataHeader, u64, usize),
    /// Bytes of a stream.
    Stream(Vec<u8>),
    /// Bytes on the control stream.
    Control(Vec<u8>),
}

use Move::{Say, Stall, Stream, Value};

/// Makes the moves and returns why the session failed, and what the players logged.
async fn moved(mut stage: Stage, moves: Vec<Move>) -> (Failure, String) {
    for each in moves {
        let alice = &mut stage.alice;
        match each {
            Say(message) => alice.say(&message).await,
            Value(header, length, sent) => {
                alice.stream(&[announcement(header, length), vec![0; sent]].concat(), true).await;
            }
            Stall(header, length, sent) => {
                alice.stream(&[announcement(header, length), vec![0; sent]].concat(), false).await;
            }
            Stream(bytes) => alice.stream(&bytes, true).await,
            Move::Control(bytes) => alice.control.write_all(&bytes).await.unwrap(),
        }
    }
    let failure = stage.failure(JOINT).await;
    stage.goes_on().await;
    let log = stage.log.lock().unwrap().join("\n");
    (failure, log)
}

async fn all_fail(cases: Vec<(&str, Vec<Move>)>) {
    all_fail_with(LIMITS, cases).await;
}

async fn all_fail_with(limits: Limits, cases: Vec<(&str, Vec<Move>)>) {
    for (expected, moves) in cases {
        let (failure, _) = moved(Stage::greeted_with(limits).await, moves).await;
        assert_eq!(failure.player, "alice", "{expected}: {failure}");
        assert!(failure.reason.contains(expected), "{expected}: {failure}");
    }
}

#[tokio::test]
async fn values_that_do_not_belong() {
    let good = expected();
    let (length, all) = (BYTES, 16);
    let step = |step| DataHeader { step, ..good };
    let edge = |edge| DataHeader { edge, ..good };
    all_fail(vec![
        ("edge 4294967295, which does not lead here", vec![Value(edge(u32::MAX), length, all)]),
        ("which is carol's", vec![Value(edge(edge_of("carol")), length, all)]),
        ("sent 12 bytes", vec![Value(good, 12, 12)]),
        ("sent 17 bytes", vec![Value(good, 17, 17)]),
        ("sent 1099511627776 bytes", vec![Value(good, 1 << 40, 0)]),
        ("sent 0 bytes", vec![Value(good, 0, 0)]),
        ("of step 8 while step 0 runs", vec![Value(step(8), length, all)]),
        ("of step 18446744073709551615", vec![Value(step(u64::MAX), length, all)]),
        ("of plan 1, which nobody", vec![Value(DataHeader { plan: 1, ..good }, length, all)]),
        ("twice", vec![Value(good, length, all), Value(good, length, all)]),
        ("twice", vec![Value(step(7), length, all), Value(step(7), length, all)]),
        ("announced twice", vec![Stall(good, length, 3), Stall(good, length, 3)]),
    ])
    .await;
}

#[tokio::test]
async fn values_that_are_not_what_they_announce() {
    let good = expected();
    all_fail(vec![
        ("ended 1 bytes before its end", vec![Value(good, BYTES, 15)]),
        ("longer than the 16 bytes announced", vec![Value(good, BYTES, 17)]),
        ("ended 40 bytes before its end", vec![Stream(vec![2; 9])]),
        ("a stream of the unknown kind 9", vec![Stream(vec![9; 1000])]),
    ])
    .await;
}

#[tokio::test]
async fn messages_that_are_none() {
    let long = [&(33_000_u32).to_le_bytes()[..], &[0; 33_000]].concat();
    all_fail(vec![
        ("33000 bytes, and 32768 are allowed", vec![Move::Control(long)]),
        ("an illegible control message", vec![Move::Control(vec![1, 0, 0, 0, 99])]),
    ])
    .await;
}

#[tokio::test]
async fn values_and_messages_that_do_not_go_on() {
    let good = expected();
    let cases = vec![
        ("a value stalled: no byte of it came for 0.5 s", vec![Stall(good, BYTES, 15)]),
        ("a value stalled", vec![Stall(good, BYTES, 16)]),
        ("a control message stalled", vec![Move::Control(vec![9, 0, 0, 0, 1])]),
    ];
    all_fail_with(SHORT_STALL, cases).await;
}

#[tokio::test]
async fn messages_out_of_place() {
    let (session, plan) = (JOINT, 0);
    let Control::Hello { digests, .. } = hello() else { unreachable!("a greeting") };
    let greet = |plan| Say(Control::Hello { session, plan, digests, secrets: Vec::new() });
    let value = Published { name: "x".into(), step: 0, axes: vec![1], elements: vec![1.0] };
    let report = PlayerReport::default();
    let drivers = "only the driver may send";
    let text = String::new();
    all_fail(vec![
        ("greeted twice", vec![greet(0)]),
        ("over 8 greetings", (1..=9).map(greet).collect()),
        ("finished 1 steps", vec![Say(Control::Credit { session, plan, done: 1 })]),
        ("plan 9 is, which nobody", vec![Say(Control::Credit { session, plan: 9, done: 0 })]),
        (
            drivers,
            vec![Say(Control::Prepare {
                session,
                plan: 1,
                first: 0,
                optional: Optional::default(),
                text: text.into(),
            })],
        ),
        (drivers, vec![Say(Control::Run { session, plan, steps: 1 })]),
        (drivers, vec![Say(Control::Close { session })]),
        (drivers, vec![Say(Control::Ready { session, plan, digests })]),
        (drivers, vec![Say(Control::Progress { session, plan, done: 1 })]),
        (drivers, vec![Say(Control::Published { session, plan, value })]),
        (drivers, vec![Say(Control::Finished { session, plan, report })]),
    ])
    .await;
}

#[tokio::test]
async fn greetings_that_are_wrong() {
    let Control::Hello { session, plan, digests, .. } = hello() else { unreachable!("a greeting") };
    let hello = |digests, holders: &[&str]| {
        let holders = holders.iter().map(|&holder| holder.to_owned()).collect();
        let secrets = vec![GroupSecret { holders, secret: [7; 32] }];
        vec![Say(Control::Hello { session, plan, digests, secrets })]
    };
    let other = Digests { lowered: [0; 32], ..digests };
    for (expected, moves) in [
        ("runs another plan", hello(other, &["alice", "bob"])),
        ("not its to make", hello(digests, &["alice", "bob"])),
        ("not its to make", hello(digests, &["carol", "bob"])),
        ("not its to make", hello(digests, &[])),
        ("not its to make", hello(digests, &["alice"; 1000])),
    ] {
        let (failure, _) = moved(Stage::new().await, moves).await;
        assert_eq!(failure.player, "alice", "{expected}: {failure}");
        assert!(failure.reason.contains(expected), "{expected}: {failure}");
    }
}

#[tokio::test]
async fn who_accuses_another_is_named() {
    // Also when she says that she has it of someone else.
    let heard_from = Some("bob".to_owned());
    let failure = Failure::new("carol", "\u{1b}[2J gone".repeat(1000));
    let failure = Failure { heard_from, ..failure };
    let abort = Control::Abort { session: JOINT, failure };
    let (failure, log) = moved(Stage::greeted().await, vec![Say(abort)]).await;
    assert_eq!(failure.heard_from.as_deref(), Some("alice"), "{failure}");
    assert!(!failure.reason.contains('\u{1b}') && failure.reason.len() < 10_000, "{failure}");
    assert!(log.contains("(as alice says)") && !log.contains('\u{1b}'), "{log}");
}

#[tokio::test]
async fn strangers_to_a_session_cannot_end_it() {
    let mut stage = Stage::greeted().await;
    let failure = Failure::new("bob", "has failed");
    stage.alice.say(&Control::Abort { session: PAIR, failure }).await;
    // Heard after the first message, and answered.
    stage.alice.say(&Control::Credit { session: JOINT, plan: 9, done: 0 }).await;
    assert_eq!(stage.failure(JOINT).await.player, "alice");
    stage.goes_on().await;
}

#[tokio::test]
async fn a_lost_peer_fails_its_session_alone() {
    let mut stage = Stage::greeted().await;
    stage.alice.connection.close(0_u32.into(), b"tired\x07 of it");
    let failure = stage.failure(JOINT).await;
    assert_eq!(failure.player, "alice");
    assert!(failure.reason.contains("tired\u{fffd} of it"), "{failure}");
    stage.goes_on().await;
}
