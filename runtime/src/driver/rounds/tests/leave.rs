//! Players who are told to stop.

use super::program::step;
use super::*;

/// Trains, and has a player told to stop when ten steps are done.
fn stopped(name: &'static str) -> (Result<Outcome, RunError>, Vec<String>) {
    let mut told_to_stop = false;
    told(100, ROUNDS, move |world, event, _| {
        if matches!(event, Event::Progress { done } if *done >= 10) && !told_to_stop {
            told_to_stop = true;
            world.tell_to_stop(&player(name));
        }
    })
}

#[test]
fn an_owner_that_is_told_to_stop_is_left_out() {
    let (outcome, lines) = stopped("owner1");
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(100);
    expect(&lines, &["owner1 left: was told to stop"]);
    assert_eq!(outcome.owners(), [OWNERS.to_vec(), FIRST_AND_LAST.to_vec()]);
    assert!(outcome.world.is_idle(&player("owner1")), "it may go");
}

#[test]
fn a_player_that_is_needed_ends_the_session_with_a_step() {
    for name in ["server1", "model"] {
        let (outcome, lines) = stopped(name);
        let error = outcome.map(|outcome| outcome.run).unwrap_err();
        let RunError::Stopped { player, kept: false, .. } = &error else { panic!("{error}") };
        assert_eq!(player.as_str(), name);
        expect(&lines, &[]);
    }
}

#[test]
fn what_was_done_when_a_player_is_told_to_stop_is_kept_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut session) = World::keeping(folder.path(), &setup());
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    session.checkpoint_every(1000);
    slow(&world);
    let mut told_to_stop = false;
    let watch = |event: Event<'_>| {
        if matches!(event, Event::Progress { done } if done >= 10) && !told_to_stop {
            told_to_stop = true;
            world.tell_to_stop(&player("server1"));
        }
    };
    let error = session.run_rounds(&ROUNDS, &owners(), train, 500, watch).unwrap_err();
    assert!(matches!(error, RunError::Stopped { kept: true, .. }), "{error}");
    let id = session.id();
    drop(session);

    world.start(&player("server1"), Consent::ALL);
    let mut session = world.session(&setup());
    session.allow_missing(&owners());
    session.resume(id).unwrap();
    let all = owners();
    let done = session.steps_of(&Function::new("train", "", |g| step(g, &all))).unwrap();
    assert!((1..500).contains(&done), "{done}");
    let participation = [Participation { steps: 0..done, number: 0, owners: all }];
    for (got, expected) in weights(&mut session).iter().zip(expected(&participation)) {
        assert!((got - expected).abs() < 1e-4, "{got} {expected} after {done} steps");
    }
}
