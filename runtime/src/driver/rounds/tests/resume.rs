//! Rounds that begin with an owner who is down, or with a checkpoint.

use super::program::step;
use super::*;

/// The first `steps` of what was done.
fn cut_off(mut participation: Vec<Participation>, steps: u64) -> Vec<Participation> {
    participation.retain(|span| span.steps.start < steps);
    if let Some(last) = participation.last_mut() {
        last.steps.end = last.steps.end.min(steps);
    }
    participation
}

#[test]
fn rounds_are_resumed_with_who_is_there_and_no_number_of_a_step_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let (world, mut session) = World::keeping(folder.path(), &setup());
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    session.checkpoint_every(10);
    let mut cut = false;
    let mut watch = |event: Event<'_>| {
        if matches!(event, Event::Progress { done } if done >= 12) && !cut {
            cut = true;
            world.cut(&player("owner1"));
        }
    };
    let before = session.run_rounds(&ROUNDS, &owners(), train, 47, &mut watch).unwrap();
    let id = session.id();
    drop(session);

    let mut session = world.session(&setup());
    session.allow_missing(&owners());
    session.resume(id).unwrap();
    let all = owners();
    let function = Function::new("train", "", |g| step(g, &all));
    let kept = session.steps_of(&function).unwrap();
    assert!((37..47).contains(&kept), "{kept}");
    let mut participation = cut_off(before.participation.clone(), kept);
    world.start(&player("owner1"), Consent::ALL);
    let after = session.run_rounds(&ROUNDS, &owners(), train, 30, |_| {}).unwrap();
    let (last, first) = (before.participation.last().unwrap(), &after.participation[0]);
    assert!(first.steps.start == kept && first.number > end(last), "{last:?} {first:?}");
    assert_eq!(after.participation.last().unwrap().steps.end, kept + 30);
    assert_eq!(session.steps_of(&function).unwrap(), kept + 30);

    participation.extend(after.participation);
    for (got, expected) in weights(&mut session).iter().zip(expected(&participation)) {
        assert!((got - expected).abs() < 1e-4, "{got} {expected} {participation:?}");
    }
    assert_eq!(world.audit.summary().repeated, 0);
    // With all owners, and their data of the beginning, it does not go on.
    let error = session.run(&function, 1).unwrap_err().to_string();
    assert!(error.starts_with("train was run with those owners who were there"), "{error}");
}

#[test]
fn rounds_begin_without_an_owner_that_is_down() {
    let (world, mut session) = World::open(&setup());
    world.cut(&player("owner2"));
    session.allow_missing(&owners());
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    let mut lines = Vec::new();
    let watch = |event: Event<'_>| lines.extend(say(&event));
    let run = session.run_rounds(&ROUNDS, &owners(), train, 20, watch).unwrap();
    expect(&lines, &["owner2 left: its process was killed"]);
    assert_eq!(run.participation[0].owners, ["owner0", "owner1"].map(player));
    let outcome = Outcome { run, weights: weights(&mut session), world };
    outcome.check(20);
}
