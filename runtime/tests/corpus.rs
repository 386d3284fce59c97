//! The first inputs of the fuzz target `wire` are messages as they are sent.

use std::fs;
use std::path::PathBuf;

use sordino_runtime::message::{
    Control, Cut, Digests, Failure, GroupSecret, Halted, Optional, Published, SessionId, Wait,
};
use sordino_runtime::report::{LinkReport, PlayerReport};
use sordino_runtime::transport::quic::{Announcement, decode_control, encode_control};

const SESSION: SessionId = SessionId([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

fn file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/wire")).join(name)
}

/// A message of each kind, under the name of its file.
fn messages() -> Vec<(&'static str, Control)> {
    let (session, plan) = (SESSION, 2);
    let digests = Digests { recorded: [1; 32], lowered: [2; 32] };
    let links = vec![LinkReport { to: "bob".into(), messages: 1, bytes: 2, wire_bytes: 3 }];
    let report = PlayerReport { player: "ann".into(), steps: 1, links, ..Default::default() };
    let steps = vec![([7; 32], 9)];
    let failure = Failure::new("carol", "is gone").told_by(&"bob".parse().unwrap());
    let optional = Optional { players: vec!["ann".into()], timeout: 2000 };
    let value = Published { name: "x".into(), step: 1, axes: vec![2], elements: vec![0.5, 1.0] };
    let holders = vec!["ann".to_owned(), "bob".to_owned()];
    let secrets = vec![GroupSecret { holders, secret: [3; 32] }];
    let wait = Some(Wait { on: "ann".into(), node: "share".into(), millis: 2100 });
    let end = Halted { done: 1, begun: 2, waits_for: Some("ann".into()), report: report.clone() };
    let cut = Cut { number: 3, writer: SESSION, steps: steps.clone() };
    let (number, of, text) = (3, SESSION, "graph g {\n  players ann\n}\n".into());
    let (rounds, problems) = (steps, vec!["a problem".to_owned()]);
    vec![
        ("prepare", Control::Prepare { session, plan, first: 0, optional, text }),
        ("ready", Control::Ready { session, plan, digests }),
        ("run", Control::Run { session, plan, steps: 300 }),
        ("progress", Control::Progress { session, plan, done: 5 }),
        ("published", Control::Published { session, plan, value }),
        ("finished", Control::Finished { session, plan, report }),
        ("pulse", Control::Pulse { session, plan, wait }),
        ("missing", Control::Missing { session, failure: failure.clone() }),
        ("halt", Control::Halt { session, plan }),
        ("halted", Control::Halted { session, plan, end }),
        ("hello", Control::Hello { session, plan, digests, secrets }),
        ("credit", Control::Credit { session, plan, done: 4 }),
        ("abort", Control::Abort { session, failure }),
        ("checkpoint", Control::Checkpoint { session, number, keep: 2, rounds }),
        ("saved", Control::Saved { session, number, problem: Some("a full disk".into()) }),
        ("recall", Control::Recall { session, of }),
        ("recalled", Control::Recalled { session, cuts: vec![cut], problems }),
        ("restore", Control::Restore { session, of, number }),
        ("restored", Control::Restored { session }),
        ("leaving", Control::Leaving { session }),
        ("hold", Control::Hold { session, plan }),
        ("held", Control::Held { session, plan, begun: 6 }),
        ("end_at", Control::EndAt { session, plan, end: 7 }),
        ("close", Control::Close { session }),
    ]
}

#[test]
fn the_corpus_has_a_message_of_each_kind() {
    let mut names: Vec<_> = messages().iter().map(|(name, _)| *name).chain(["value"]).collect();
    names.sort_unstable();
    let mut found: Vec<_> = fs::read_dir(file(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort_unstable();
    assert_eq!(found, names);
    for (name, message) in messages() {
        let read = decode_control(&fs::read(file(name)).unwrap());
        assert_eq!(format!("{read:?}"), format!("{:?}", Some(message)), "{name}");
    }
    let value = fs::read(file("value")).unwrap();
    let head = value.first_chunk().unwrap();
    assert_eq!(Announcement::decode(head).encode(), *head);
}

#[test]
#[ignore = "writes fuzz/corpus/wire"]
fn write() {
    for (name, message) in messages() {
        fs::write(file(name), &encode_control(&message).unwrap()[4..]).unwrap();
    }
}
