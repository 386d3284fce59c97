//! Invariant 3: no pad repeats. Each stream is drawn once by each of its holders.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::program::{federated_training, initialize, validate_model};
use common::{EPOCH, mnist, parties, player, servers, setup};
use sordino::ops::Plan;
use sordino::ops::data::Dataset;
use sordino::ops::protocol::pads;
use sordino::prelude::*;
use sordino::runtime::Audit;
use sordino::runtime::audit::StreamId;

/// Streams that a step of the plan draws, whoever draws them.
fn streams(plan: &Plan) -> usize {
    let drawn = plan.lowered.nodes().flat_map(|(_, node)| pads::drawn_by(node));
    drawn.collect::<BTreeSet<_>>().len()
}

/// Fails unless there were exactly so many streams, each drawn by two players or more, once each.
#[track_caller]
fn expect(audit: &Audit, expected: usize) {
    let summary = audit.summary();
    assert_eq!((summary.repeated, summary.unshared), (0, 0), "{summary:?}");
    assert_eq!(summary.streams, expected);
}

#[test]
fn a_full_training_run_repeats_no_stream() {
    let (model_owner, data_owners) = parties("logistic_regression", Dataset::LrMnist);
    let audit = Arc::new(Audit::default());
    let setup = setup("ABY3", Fixed::LOW);
    let mut session = Session::local(setup, mnist(), Some(Arc::clone(&audit))).unwrap();
    session.run(&initialize(&model_owner), 1).unwrap();
    let training = federated_training(&model_owner, &data_owners);
    let plan = session.prepare(&training).unwrap();
    // Weights and bias of three owners, each hidden by two pads.
    assert_eq!(streams(&plan), 2 * 3 * 2);
    for epoch in 1..=5 {
        session.run(&training, EPOCH).unwrap();
        session.run(&validate_model(&model_owner), 10).unwrap();
        expect(&audit, epoch * EPOCH as usize * streams(&plan));
    }
}

/// Shares of two owners, added, and revealed as they are or after a truncation.
#[secure_function]
fn sum(g: &Recording<'_>, seed: &u32, factor: &f64) {
    let inputs = ["ann", "bob"].map(|owner| random_normal(g, &player(owner), &[5], *seed));
    let product = scale(add_n(inputs.map(share)), *factor);
    let doubled = add_n([product, product]);
    publish("sum", reveal(doubled, &player("carol")));
}

fn sum_setup() -> Setup {
    let players = ["ann", "bob", "carol"].map(player);
    let receiver = players[2].clone();
    Setup::new([&players[..], &servers()].concat())
        .secure("ABY3", servers(), Fixed::LOW)
        .reveal(&receiver, 2)
        .release(&receiver)
}

#[test]
fn a_function_that_runs_again_repeats_no_stream() {
    let audit = Arc::new(Audit::default());
    let open = || Session::local(sum_setup(), mnist(), Some(Arc::clone(&audit))).unwrap();
    let mut session = open();
    let function = sum(&1, &1.0);
    let each = streams(&session.prepare(&function).unwrap());
    assert_eq!(each, 4);
    for runs in 1..=3 {
        session.run(&function, 2).unwrap();
        expect(&audit, runs * 2 * each);
    }
    // Another session, with the first still open and after its end.
    let mut second = open();
    second.run(&function, 2).unwrap();
    expect(&audit, 4 * 2 * each);
    drop(session);
    drop(second);
    open().run(&function, 2).unwrap();
    expect(&audit, 5 * 2 * each);
}

#[test]
fn two_plans_of_a_session_share_no_stream() {
    let audit = Arc::new(Audit::default());
    let mut session = Session::local(sum_setup(), mnist(), Some(Arc::clone(&audit))).unwrap();
    let mut expected = 0;
    // The graphs are equal but for a seed, so pads and steps have the same numbers.
    for seed in [1, 2, 1] {
        let function = sum(&seed, &1.0);
        expected += 3 * streams(&session.prepare(&function).unwrap());
        session.run(&function, 3).unwrap();
        expect(&audit, expected);
    }
}

#[test]
fn truncation_repeats_no_stream() {
    let audit = Arc::new(Audit::default());
    let mut session = Session::local(sum_setup(), mnist(), Some(Arc::clone(&audit))).unwrap();
    let function = sum(&1, &0.3);
    let plan = session.prepare(&function).unwrap();
    // Two owners with two pads each, and the four of the truncation.
    let truncates = |(_, node): (_, &sordino::graph::Node)| node.op.name == "truncate_first";
    assert!(plan.lowered.nodes().any(truncates), "the factor moved behind the reveal");
    assert_eq!(streams(&plan), 8);
    session.run(&function, 4).unwrap();
    expect(&audit, 4 * 8);
}

#[test]
fn the_audit_sees_what_it_looks_for() {
    let stream =
        |secret| StreamId { secret: [secret; 32], plan: [1; 32], step: 0, pad: 0, lane: 0 };
    let (ann, bob) = (player("ann"), player("bob"));
    let audit = Audit::default();
    audit.note(stream(0), &ann);
    assert_eq!(audit.summary().unshared, 1);
    audit.note(stream(0), &bob);
    expect(&audit, 1);
    audit.note(stream(1), &ann);
    audit.note(stream(1), &bob);
    audit.note(stream(1), &ann);
    let summary = audit.summary();
    assert_eq!((summary.streams, summary.repeated, summary.unshared), (2, 1, 0));
}
