//! How the end of a connection is told.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use sordino_runtime::message::Frame;
use sordino_runtime::transport::Network;
use sordino_runtime::transport::quic::{Limits, TransportError};

use crate::world::{
    Event, LIMITS, PATIENCE, World, floats, frame, header, name, raw_with_control, run, was_prompt,
};

#[tokio::test]
async fn a_peer_that_closes_is_lost_at_once_with_its_reason() {
    let world = World::new();
    let (alice, mut bob) = world.pair().await;
    // What is queued before closing still arrives.
    alice.network.send(&bob.name, Frame::Data(header(1), floats(500_000)));
    alice.network.send(&bob.name, Frame::Control(run(9)));
    let begun = Instant::now();
    alice.network.close("the operator\nstopped it").await;
    was_prompt(begun);
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
    let begun = Instant::now();
    while UdpSocket::bind(world.address("alice")).is_err() {
        was_prompt(begun);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let alice = world.party("alice").await;
    alice.network.connect(&bob.name, PATIENCE).await.unwrap();
    alice.network.send(&bob.name, Frame::Control(run(1)));
    assert_eq!(bob.next().await, Event::Control(alice.name.clone(), 1));
}

#[test]
fn a_peer_that_vanishes_is_lost_within_its_silence() {
    let world = World::with(Limits { silence: Duration::from_secs(2), ..LIMITS });
    let runtime = |name: &str| {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let party = built.block_on(world.party(name));
        (built, party)
    };
    let (ours, mut bob) = runtime("bob");
    let (theirs, alice) = runtime("alice");
    let begun = Instant::now();
    // Connects and is then never driven again, like a process that was killed.
    std::thread::spawn(move || {
        theirs.block_on(alice.network.connect(&name("bob"), PATIENCE)).unwrap();
        std::mem::forget((theirs, alice));
    });
    let Event::Lost(lost, reason) = ours.block_on(bob.next()) else { panic!("not lost") };
    assert_eq!(lost, name("alice"));
    assert!(reason.contains("nothing was heard from it for 2.0 s"), "{reason}");
    was_prompt(begun);
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older() {
    let world = World::new();
    let mut bob = world.party("bob").await;
    let (_first, mut out, _answers) = raw_with_control(&world).await;
    out.write_all(&frame(&run(1))).await.unwrap();
    assert_eq!(bob.next().await, Event::Control(name("alice"), 1));
    let (_second, mut out, _answers) = raw_with_control(&world).await;
    out.write_all(&frame(&run(2))).await.unwrap();
    let Event::Lost(_, reason) = bob.next().await else { panic!("not lost") };
    assert!(reason.contains("connected anew"), "{reason}");
    assert_eq!(bob.next().await, Event::Control(name("alice"), 2));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(bob.quiet(), "told once");
}
