//! What arrives, in which order, and what comes back.

use std::sync::Arc;

use sordino_players::roster::driver_name;
use sordino_runtime::message::Frame;
use sordino_runtime::transport::Network;

use crate::world::{Event, PATIENCE, UNWANTED, World, floats, header, name, run};

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
