//! What peers send takes no more memory than is bounded, however much they send: measured as the
//! greatest resident memory of a process that does nothing else.

#[allow(dead_code, reason = "the tests of QUIC use the rest")]
#[path = "quic/stage.rs"]
mod stage;
#[allow(dead_code, reason = "the tests of QUIC use the rest")]
#[path = "quic/world.rs"]
mod world;

use sordino_runtime::message::{Control, DataHeader, GroupSecret, SessionId};
use sordino_runtime::report::PlayerReport;
use sordino_runtime::transport::quic::{decode_control, encode_control};
use stage::{BYTES, JOINT, Stage, announcement, expected, hello};

/// Bytes by which the process may grow under each flood.
const MOST: u64 = 128 << 20;

#[tokio::test]
async fn floods_take_bounded_memory() {
    let before = peak();
    let read = decode_control(&texts());
    assert!(matches!(read, Some(Control::Recalled { problems, .. }) if problems.len() == 100));
    assert!(decode_control(&links()).is_none());
    grew(before, "a message of 16 million empty texts");

    let mut stage = Stage::greeted().await;
    stage.goes_on().await;

    let before = peak();
    let Control::Hello { plan, digests, .. } = hello() else { unreachable!("a greeting") };
    let secrets: Vec<_> =
        (0..900).map(|_| GroupSecret { holders: vec![], secret: [1; 32] }).collect();
    for number in 0..20_000_u64 {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        let (session, secrets) = (SessionId(id), secrets.clone());
        stage.alice.say(&Control::Hello { session, plan, digests, secrets }).await;
    }
    grew(before, "600 MB of greetings for sessions that are not open");

    let before = peak();
    let nowhere = DataHeader { session: SessionId([9; 16]), ..expected() };
    let bytes = [announcement(nowhere, BYTES), vec![0; 16]].concat();
    for _ in 0..1_000_000 {
        let mut stream = stage.alice.connection.open_uni().await.unwrap();
        // Fails when bob has stopped the stream already.
        let _ = stream.write_all(&bytes).await;
        let _ = stream.finish();
    }
    grew(before, "a million streams");

    stage.alice.say(&Control::Credit { session: JOINT, plan: 9, done: 0 }).await;
    assert_eq!(stage.failure(JOINT).await.player, "alice");
    stage.goes_on().await;
}

/// As many empty texts as a message takes.
fn texts() -> Vec<u8> {
    let (cuts, problems) = (Vec::new(), Vec::new());
    filled(&Control::Recalled { session: JOINT, cuts, problems }, 1)
}

/// As many links, each of no name and no bytes.
fn links() -> Vec<u8> {
    filled(&Control::Finished { session: JOINT, plan: 0, report: PlayerReport::default() }, 4)
}

/// A message that ends in an empty list, with items of so many zeros in it, 16 MB in all.
fn filled(message: &Control, bytes: u32) -> Vec<u8> {
    let mut frame = encode_control(message).unwrap().split_off(4);
    assert_eq!(frame.pop(), Some(0), "the length of the list");
    let items = 16_000_000 / bytes;
    let digit = |place: u32| (items >> (7 * place)) as u8;
    frame.extend([digit(0) | 0x80, digit(1) | 0x80, digit(2) | 0x80, digit(3)]);
    frame.resize(frame.len() + 16_000_000, 0);
    frame
}

fn grew(before: u64, by: &str) {
    // What the system counts as resident is exact to some pages only.
    let grown = peak().saturating_sub(before);
    assert!(grown < MOST, "{by}: {grown} bytes more");
}

/// The greatest resident memory of this process so far, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib << 10
}
