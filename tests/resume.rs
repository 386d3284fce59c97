//! A run that is resumed ends as one that was never interrupted; what cannot be used is refused.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::program::{DataOwner, ModelOwner, federated_training, initialize};
use common::{distance, mnist, parties, player, published, servers, setup, within};
use sordino::ops::data::Dataset;
use sordino::ops::nn::{Home, Layer, Loss, Optimizer, Trainer};
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

#[track_caller]
fn refusal<T>(result: Result<T, RunError>, parts: &[&str]) {
    let Err(error) = result else { panic!("it was not refused") };
    for part in parts {
        assert!(error.to_string().contains(part), "{error} does not say {part:?}");
    }
}

#[test]
fn a_damaged_checkpoint_costs_the_steps_since_the_one_before() {
    within(GUARD, || {
        let state = tempfile::tempdir().unwrap();
        let mut session = open(state.path(), None);
        train(&mut session, None, 2, 7);
        let (id, expected) = (session.id(), weights(&mut session));
        drop(session);
        let server = &files(state.path(), &player("server1"));
        let [(3, older), (4, newest)] = &server[..] else { panic!("{server:?}") };
        let mut bytes = fs::read(newest).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(newest, bytes).unwrap();
        // Checkpoint 3 is that of the initialisation and 5 steps.
        let mut session = open(state.path(), None);
        session.resume(id).unwrap();
        let (owner, data_owners) = federated();
        let step = federated_training(&owner, &data_owners);
        assert_eq!(session.steps_of(&step).unwrap(), 5);
        session.run(&step, 2).unwrap();
        assert!(weights(&mut session) == expected);
        drop(session);
        // Without that one, nothing is left that all have.
        fs::write(older, b"").unwrap();
        let newest = newest.display().to_string();
        let missing = ["server1 has none", &newest, "model-owner has 3, 4"];
        let mut session = open(state.path(), None);
        refusal(session.resume(id), &missing);
        refusal(session.run(&step, 1), &["open a new one"]);
        let unknown = SessionId([1; 16]);
        refusal(
            open(state.path(), None).resume(unknown),
            &[&unknown.to_string(), "server0 has none"],
        );
    });
}

#[test]
fn a_player_that_cannot_write_is_named_and_holds_up_nobody() {
    within(GUARD, || {
        let state = tempfile::tempdir().unwrap();
        let mut session = open(state.path(), None);
        train(&mut session, None, 1, 2);
        let (owner, data_owners) = federated();
        let step = federated_training(&owner, &data_owners);
        let folder = state.path().join("checkpoints/server0/driver");
        let aside = state.path().join("aside");
        fs::rename(&folder, &aside).unwrap();
        fs::write(&folder, b"a file where the folder was").unwrap();
        let mut unsaved = Vec::new();
        let run = session.run_with(&step, 3, |event| {
            if let Event::Unsaved { player, reason } = event {
                unsaved.push((player.clone(), reason.to_owned()));
            }
        });
        run.unwrap();
        assert_eq!(unsaved.len(), 3);
        assert!(unsaved.iter().all(|(player, _)| player.as_str() == "server0"), "{unsaved:?}");
        assert!(unsaved[0].1.contains(&folder.display().to_string()), "{unsaved:?}");
        // The others have kept the last one that server0 has.
        let (id, expected) = (session.id(), weights(&mut session));
        drop(session);
        fs::remove_file(&folder).unwrap();
        fs::rename(&aside, &folder).unwrap();
        let mut session = open(state.path(), None);
        session.resume(id).unwrap();
        assert_eq!(session.steps_of(&step).unwrap(), 2);
        session.run(&step, 3).unwrap();
        assert!(weights(&mut session) == expected);
    });
}

#[test]
fn a_checkpoint_is_for_the_same_setup_and_a_session_that_has_not_begun() {
    within(GUARD, || {
        let state = tempfile::tempdir().unwrap();
        let mut session = open(state.path(), None);
        train(&mut session, None, 1, 1);
        let id = session.id();
        // The variables that there are would be replaced.
        refusal(session.resume(id), &["in a session that has begun"]);
        let (owner, _) = federated();
        let looser = common::open_setup("ABY3", Fixed::LOW);
        let mut other = Session::local_in(looser, mnist(), None, state.path()).unwrap();
        other.resume(id).unwrap();
        refusal(other.run(&publish_weights(&owner), 1), &["other players, servers", "policy"]);
        // A session without a folder for it keeps nothing, and says so.
        let mut without = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
        refusal(without.resume(id), &["was given no folder"]);
    });
}

/// Weights after 6 steps with momentum, whole or in two sessions, and after none.
fn with_momentum(home: &Home) -> [Vec<f64>; 3] {
    let state = tempfile::tempdir().unwrap();
    let owner = player("ann");
    let setup = Setup::new([&[owner.clone()][..], &servers()].concat())
        .secure("ABY3", servers(), Fixed::LOW)
        .reveal(&owner, 1)
        .release(&owner);
    let model = Sequential::new(&[4], &[Layer::Dense(3)]);
    let optimizer = Optimizer::Sgd { rate: 0.1, momentum: 0.9 };
    let trainer = Trainer { model, home: home.clone(), loss: Loss::SquaredError, optimizer };
    let begin = || {
        let mut session = Session::local_in(setup.clone(), mnist(), None, state.path()).unwrap();
        session.checkpoint_every(1);
        session
    };
    let (initialization, step) = (begin_training(&owner, &trainer), train_on(&owner, &trainer));
    let weights = |mut session: Session| -> Vec<f64> {
        let run = session.run(&show(&owner, &trainer), 1).unwrap();
        let parameters = trainer.model.parameters();
        parameters.iter().flat_map(|p| published(&run, &p.name)[0].to_vec()).collect()
    };
    let mut whole = begin();
    whole.run(&initialization, 1).unwrap();
    whole.run(&step, 6).unwrap();
    let mut first = begin();
    first.run(&initialization, 1).unwrap();
    first.run(&step, 3).unwrap();
    let id = first.id();
    let halfway = weights(first);
    let resumed = || {
        let mut session = begin();
        session.resume(id).unwrap();
        session
    };
    assert_eq!(weights(resumed()), halfway, "shares themselves come back as they were");
    let mut second = resumed();
    second.run(&step, 3).unwrap();
    let mut none = begin();
    none.run(&initialization, 1).unwrap();
    [whole, second, none].map(weights)
}

#[secure_function]
fn begin_training(g: &Recording<'_>, owner: &PlayerName, trainer: &Trainer) {
    trainer.initialize(g, owner, 5);
}

#[secure_function]
fn train_on(g: &Recording<'_>, owner: &PlayerName, trainer: &Trainer) {
    let bring = |value| trainer.home.bring(value);
    let examples = bring(random_normal(g, owner, &[8, 4], 1));
    let targets = bring(random_normal(g, owner, &[8, 3], 2));
    trainer.fit(g, examples, targets);
}

#[secure_function]
fn show(g: &Recording<'_>, owner: &PlayerName, trainer: &Trainer) {
    if let Home::Secure(_) = trainer.home {
        trainer.export(g, owner);
    }
    for parameter in trainer.model.parameters() {
        publish(&parameter.name, read_variable(g, owner, &parameter.name, &parameter.ty()));
    }
}

#[test]
fn what_an_optimizer_keeps_is_resumed_with_the_weights() {
    let [whole, resumed, none] = within(GUARD, || with_momentum(&Home::Player(player("ann"))));
    assert!(whole.iter().zip(&resumed).all(|(a, b)| a.to_bits() == b.to_bits()), "others");
    assert!(distance(&whole, &none) > 0.1, "nothing was learnt");
}

#[test]
fn secret_variables_are_resumed_as_the_shares_that_they_were() {
    let [whole, resumed, none] =
        within(GUARD, || with_momentum(&Home::Secure(vec![player("ann")])));
    // Products of secrets are truncated, which rounds at random by less than a unit of 2^-16; what a
    // step errs by goes through those after it.
    let error = distance(&whole, &resumed);
    assert!(error < 2f64.powi(-10), "{error:e}");
    assert!(distance(&whole, &none) > 0.1, "nothing was learnt");
}
