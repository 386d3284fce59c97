//! More than a player needs to take: it takes what is bounded, refuses the rest, and goes on.

use std::net::UdpSocket;
use std::time::Duration;

use sordino_runtime::message::{Control, DataHeader, SessionId};
use sordino_runtime::transport::quic::Limits;
use tokio::time::timeout;

use crate::stage::{BYTES, JOINT, PAIR, Stage, announcement, expected, hello};
use crate::world::{LIMITS, SHORT_STALL};

#[tokio::test]
async fn streams_for_sessions_that_there_are_not() {
    let mut stage = Stage::greeted().await;
    let nowhere = DataHeader { session: SessionId([9; 16]), ..expected() };
    let bytes = [announcement(nowhere, BYTES), vec![0; 16]].concat();
    for _ in 0..20_000 {
        let mut stream = stage.alice.connection.open_uni().await.unwrap();
        // Fails when bob has stopped the stream already.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.finish();
    }
    stage.goes_on().await;
    assert!(stage.alice.connection.close_reason().is_none(), "refused, not punished");
}

#[tokio::test]
async fn streams_that_do_not_end_are_few_and_then_over() {
    let mut stage = Stage::greeted_with(SHORT_STALL).await;
    let mut open = Vec::new();
    let connection = stage.alice.connection.clone();
    // Until bob lets no more in, or has closed the connection.
    while let Ok(Ok(mut stream)) = timeout(Duration::from_millis(100), connection.open_uni()).await
    {
        if stream.write_all(&[2]).await.is_err() {
            break;
        }
        open.push(stream);
    }
    assert!(open.len() <= 256, "{} streams at once", open.len());
    assert!(stage.failure(JOINT).await.reason.contains("a value stalled"));
    stage.goes_on().await;
}

#[tokio::test]
async fn ways_in_that_are_shut() {
    let mut stage = Stage::greeted().await;
    let connection = &stage.alice.connection;
    assert!(connection.send_datagram(vec![1].into()).is_err(), "datagrams");
    let both_ways = timeout(Duration::from_millis(100), connection.open_bi()).await;
    assert!(both_ways.is_err(), "streams of both directions");
    stage.goes_on().await;
}

#[tokio::test]
async fn greetings_for_sessions_that_are_not_open_push_out_none_but_the_peers_own() {
    let mut stage = Stage::new().await;
    let Control::Hello { plan, digests, .. } = hello() else { unreachable!("a greeting") };
    for number in 0..3000_u64 {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let session = SessionId(id);
        stage.alice.say(&Control::Hello { session, plan, digests, secrets: Vec::new() }).await;
    }
    stage.alice.say(&Control::Credit { session: JOINT, plan: 9, done: 0 }).await;
    assert_eq!(stage.failure(JOINT).await.player, "alice");
    stage.goes_on().await;
}

#[tokio::test]
async fn what_a_peer_may_not_send_is_logged_once() {
    let mut stage = Stage::greeted().await;
    for _ in 0..1000 {
        stage.alice.say(&Control::Close { session: SessionId([9; 16]) }).await;
    }
    stage.alice.say(&Control::Close { session: JOINT }).await;
    stage.failure(JOINT).await;
    let log = stage.log.lock().unwrap().join("\n");
    assert_eq!(log.matches("alice sent what only the driver may send").count(), 1, "{log}");
}

#[tokio::test]
async fn a_driver_that_wants_too_much_is_told_so() {
    let mut stage = Stage::greeted().await;
    for number in 0..65 {
        // Without a player in it, it fails; until it is swept it counts.
        stage.prepare(SessionId([100 + number; 16]), 0, "graph g {\n  players bob\n}\n".into());
    }
    let full = |_: &_, message: &Control| match message {
        Control::Abort { failure, .. } if failure.reason.contains("64 sessions already") => {
            Some(())
        }
        _ => None,
    };
    stage.hear(full).await;
    stage.goes_on().await;

    for _ in 0..1100 {
        stage.tell(Control::Run { session: JOINT, plan: 0, steps: 1 });
    }
    let failure = stage.failure(JOINT).await;
    assert!(failure.reason.contains("more than 1000 runs"), "{failure}");
    assert_eq!(failure.player, "driver");
    stage.goes_on().await;

    for plan in 1..=300 {
        stage.prepare(PAIR, plan, String::new());
    }
    assert_ne!(stage.failure(PAIR).await.reason, "");
}

#[tokio::test]
async fn datagrams_that_are_no_packets() {
    let mut stage = Stage::greeted().await;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut state = 1_u64;
    for length in 0..2000_usize {
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state.to_be_bytes()[0]
        };
        let mut bytes: Vec<u8> = (0..length).map(|_| random()).collect();
        // Every other one looks like a first packet of QUIC.
        if length % 2 == 0 && length > 5 {
            bytes[..5].copy_from_slice(&[0xc0, 0, 0, 0, 1]);
        }
        socket.send_to(&bytes, stage.world.address("bob")).unwrap();
    }
    stage.goes_on().await;
}

#[tokio::test]
async fn messages_that_drip_are_too_slow() {
    let long = [&300_u32.to_le_bytes()[..], &[0; 300]].concat();
    let value = [announcement(expected(), BYTES), vec![0; 16]].concat();
    tokio::join!(drip(long, "a control message"), drip(value, "a value"));
}

async fn drip(bytes: Vec<u8>, what: &str) {
    let stall = Duration::from_secs(3);
    let mut stage = Stage::greeted_with(Limits { stall, ..LIMITS }).await;
    let mut stream = stage.alice.connection.open_uni().await.unwrap();
    let stream = if what == "a value" { &mut stream } else { &mut stage.alice.control };
    // Each byte in time, and all of them not: until bob has closed the connection.
    for byte in bytes {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(stall / 15).await;
    }
    let failure = stage.failure(JOINT).await;
    assert_eq!(failure.player, "alice");
    let slow = format!("{what} came with less than 16 KiB a second");
    assert!(failure.reason.contains(&slow), "{failure}");
    stage.goes_on().await;
}
