//! A run that is resumed ends as one that was never interrupted; what cannot be used is refused.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::program::{DataOwner, ModelOwner, federated_training, initialize};
use common::{mnist, parties, published, setup, within};
use sordino::ops::data::Dataset;
use sordino::prelude::*;
use sordino::runtime::Audit;
use sordino::runtime::message::SessionId;

/// Nothing here takes longer.
const GUARD: u64 = 120;

#[secure_function]
fn publish_weights(g: &Recording<'_>, owner: &ModelOwner) {
    for parameter in owner.model.parameters() {
        let value = read_variable(g, &owner.player, &parameter.name, &parameter.ty());
        publish(&parameter.name, value);
    }
}

/// The federated program with its parties.
fn federated() -> (ModelOwner, Vec<DataOwner>) {
    parties("network_a", Dataset::Mnist)
}

fn open(state: &Path, audit: Option<Arc<Audit>>) -> Session {
    Session::local_in(setup("ABY3", Fixed::LOW), mnist(), audit, state).unwrap()
}

/// Trains up to step `until` with a checkpoint every `every` steps, from the beginning or from the
/// last checkpoint.
fn train(session: &mut Session, from: Option<SessionId>, every: u64, until: u64) {
    let (owner, data_owners) = federated();
    session.checkpoint_every(every);
    match from {
        Some(id) => session.resume(id).unwrap(),
        None => drop(session.run(&initialize(&owner), 1).unwrap()),
    }
    let step = federated_training(&owner, &data_owners);
    let done = session.steps_of(&step).unwrap();
    let watch = |event: Event<'_>| assert!(!matches!(event, Event::Unsaved { .. }), "{event:?}");
    session.run_with(&step, until - done, watch).unwrap();
    assert_eq!(session.steps_of(&step).unwrap(), until);
}

/// The bits of the model owner's weights.
fn weights(session: &mut Session) -> Vec<u64> {
    let (owner, _) = federated();
    let run = session.run(&publish_weights(&owner), 1).unwrap();
    let parameters = owner.model.parameters();
    let all = parameters.iter().flat_map(|p| published(&run, &p.name)[0].to_vec());
    all.map(f64::to_bits).collect()
}

/// The files of a player's checkpoints, by number.
fn files(state: &Path, player: &PlayerName) -> Vec<(u64, PathBuf)> {
    let folder = state.join("checkpoints").join(player.as_str()).join("driver");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let number =
        |path: &PathBuf| path.to_str()?.strip_suffix(".sealed")?.rsplit('-').next()?.parse().ok();
    let mut files: Vec<_> = entries.map(|path| (number(&path).unwrap(), path)).collect();
    files.sort();
    files
}

#[test]
fn a_resumed_training_ends_with_the_same_weights_and_repeats_no_pad() {
    within(GUARD, || {
        let state = tempfile::tempdir().unwrap();
        let uninterrupted = {
            let mut session = open(state.path(), None);
            train(&mut session, None, 0, 10);
            weights(&mut session)
        };
        let audit = Arc::new(Audit::default());
        let train_to = |from: Option<SessionId>, until| {
            let mut session = open(state.path(), Some(Arc::clone(&audit)));
            train(&mut session, from, 2, until);
            session
        };
        // The initialisation counts as a step: the checkpoints are those of 1 and 3 steps. The
        // session ends without a word, as in a crash, and the fourth step is lost.
        let id = train_to(None, 4).id();
        // It goes on under the first one's name, and so does the third.
        let second = train_to(Some(id), 8);
        assert_eq!(second.id(), id);
        drop(second);
        let resumed = weights(&mut train_to(Some(id), 10));
        assert!(resumed == uninterrupted, "the weights are others");
        // 4 steps, then 5 from the third on, then 3 from the seventh on.
        let streams_of_a_step = {
            let audit = Arc::new(Audit::default());
            train(&mut open(state.path(), Some(Arc::clone(&audit))), None, 0, 1);
            audit.summary().streams
        };
        let summary = audit.summary();
        assert!(streams_of_a_step > 0);
        assert_eq!((summary.streams, summary.repeated), (12 * streams_of_a_step, 0));
    });
}

#[test]
fn two_checkpoints_are_kept() {
    within(GUARD, || {
        let state = tempfile::tempdir().unwrap();
        let mut session = open(state.path(), None);
        train(&mut session, None, 1, 4);
        for player in &session.setup().players {
            let numbers: Vec<_> = files(state.path(), player).into_iter().map(|f| f.0).collect();
            assert_eq!(numbers, [4, 5], "{player}");
        }
    });
}
