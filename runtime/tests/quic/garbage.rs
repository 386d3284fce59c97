//! What a peer with a valid certificate may send that is no message.

use std::time::Duration;

use sordino_runtime::message::Frame;
use sordino_runtime::transport::Network;
use sordino_runtime::transport::quic::Limits;
use tokio::time::timeout;

use crate::world::{
    Event, LIMITS, PATIENCE, SHORT_STALL, World, frame, name, put, raw_with_control, run,
};

enum Garbage {
    /// The bytes of the first stream.
    First(Vec<u8>),
    /// The bytes of a stream after a good beginning, and whether it is finished.
    Stream(Vec<u8>, bool),
    /// Bytes on the control stream after a good beginning, and whether it is finished.
    Control(Vec<u8>, bool),
}

/// The bytes that announce a value.
fn value(length: u64, after: u64) -> Vec<u8> {
    let mut bytes = vec![2];
    bytes.extend([9; 16]);
    bytes.extend(0_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(after.to_le_bytes());
    bytes
}

#[tokio::test]
async fn garbage_of_a_peer_costs_its_connection_and_no_more() {
    let oversize = (u32::try_from(32 << 10).unwrap() + 1).to_le_bytes().to_vec();
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
        ("32769 bytes, and 32768 are allowed", Garbage::Control(oversize, false)),
        ("illegible", Garbage::Control(illegible, false)),
        ("illegible", Garbage::Control(two, false)),
        ("ended 2 bytes before its end", Garbage::Control(vec![1, 0], true)),
        ("unknown kind 3", Garbage::First(vec![3])),
        ("first stream is empty", Garbage::First(vec![])),
    ];
    cost_their_connection(LIMITS, cases).await;
}

#[tokio::test]
async fn what_a_peer_does_not_finish_costs_its_connection_and_no_more() {
    #[rustfmt::skip]
    let cases: Vec<(&str, Garbage)> = vec![
        ("stalled: no byte of it came for 0.5 s", Garbage::Stream(vec![2, 0], false)),
        ("a value stalled", Garbage::Stream([value(400, 0), vec![0; 400]].concat(), false)),
        ("waits for a control message", Garbage::Stream([value(4, 3), vec![0; 4]].concat(), true)),
        ("a control message stalled", Garbage::Control(vec![9, 0, 0, 0, 1], false)),
        ("connection did not", Garbage::Control(vec![], true)),
    ];
    cost_their_connection(SHORT_STALL, cases).await;
}

async fn cost_their_connection(limits: Limits, cases: Vec<(&str, Garbage)>) {
    for (expected, garbage) in cases {
        let world = World::with(limits);
        let mut bob = world.party("bob").await;
        let connection = match &garbage {
            Garbage::First(bytes) => {
                let connection = world.raw().await;
                put(connection.open_uni().await.unwrap(), bytes, true).await;
                connection
            }
            Garbage::Stream(bytes, finish) => {
                let (connection, control, _answers) = raw_with_control(&world).await;
                put(connection.open_uni().await.unwrap(), bytes, *finish).await;
                std::mem::forget(control);
                connection
            }
            Garbage::Control(bytes, finish) => {
                let (connection, control, _answers) = raw_with_control(&world).await;
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
    let (connection, _control, _answers) = raw_with_control(&world).await;
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
