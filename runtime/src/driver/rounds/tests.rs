//! Owners who go and come back, against what each step should have done.

mod leave;
mod partial;
mod program;
mod resume;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, mpsc};

use sordino_graph::Function;

use self::program::{OWNERS, expected, initialize, own, owners, player, setup, train, weights};
use self::world::World;
use super::*;
use crate::consent::Consent;
use crate::message::Frame;

/// The number behind that of the last step.
fn end(span: &Participation) -> u64 {
    span.number + span.steps.end - span.steps.start
}

struct Outcome {
    run: RoundsRun,
    weights: Vec<f64>,
    world: Arc<World>,
}

/// Trains, with `meddle` told of what happens; fails if it takes longer than five minutes.
fn trained(
    steps: u64,
    rounds: Rounds,
    mut meddle: impl FnMut(&Arc<World>, &Event<'_>) + Send + 'static,
) -> Result<Outcome, RunError> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (world, mut session) = World::open(&setup());
        session.run(&Function::new("initialize", "", initialize), 1).unwrap();
        slow(&world);
        let watch = |event: Event<'_>| meddle(&world, &event);
        let run = session.run_rounds(&rounds, &owners(), train, steps, watch);
        let outcome = run.map(|run| {
            let weights = weights(&mut session);
            Outcome { run, weights, world: Arc::clone(&world) }
        });
        sender.send(outcome)
    });
    receiver.recv_timeout(Duration::from_secs(300)).expect("training ends")
}

impl Outcome {
    /// Checks what holds whatever happened to whom.
    fn check(&self, steps: u64) {
        let participation = &self.run.participation;
        let count: u64 = participation.iter().map(|span| span.steps.end - span.steps.start).sum();
        assert_eq!(count, steps, "{participation:?}");
        let ordered = |pair: &[Participation]| {
            pair[0].steps.end == pair[1].steps.start && end(&pair[0]) <= pair[1].number
        };
        assert!(participation.windows(2).all(ordered), "{participation:?}");
        let expected = expected(participation);
        for (got, expected) in self.weights.iter().zip(&expected) {
            // Of each step half a unit of 2^-16 remains, and less and less of earlier ones.
            assert!((got - expected).abs() < 1e-4, "{got} {expected} {participation:?}");
        }
        assert_eq!(self.weights.len(), expected.len());
        let summary = self.world.audit.summary();
        assert!(summary.streams > 0 && summary.repeated == 0, "{summary:?}");
        // Of no step number there are gradients, or sums of them, in two plans. Those of pads alone,
        // which other servers send, need nobody.
        let mut plans: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
        for (plan, step, from, _) in self.world.arrived() {
            if from.starts_with("owner") || from == "server2" {
                plans.entry(step).or_default().insert(plan);
            }
        }
        assert!(plans.values().all(|plans| plans.len() == 1), "{plans:?}");
    }

    fn owners(&self) -> Vec<Vec<&str>> {
        let names = |span: &Participation| {
            OWNERS
                .into_iter()
                .filter(|name| span.owners.iter().any(|owner| owner.as_str() == *name))
                .collect()
        };
        self.run.participation.iter().map(names).collect()
    }
}

const ROUNDS: Rounds = Rounds { min_owners: 2, timeout: Duration::from_secs(20) };

#[test]
fn all_who_stay_take_part_in_every_step() {
    let outcome = trained(50, ROUNDS, |_, _| {}).unwrap_or_else(|error| panic!("{error}"));
    outcome.check(50);
    assert_eq!(outcome.owners(), [OWNERS]);
    assert_eq!(outcome.run.participation[0].steps, 0..50);
}

/// Steps take longer than within a process, so that there is time for things to happen to owners.
fn slow(world: &World) {
    world.lose(|_, to, _| {
        if to == "model" {
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    });
}

/// What was told of owners who left and returned.
fn say(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Left { player, reason, .. } => Some(format!("{player} left: {reason}")),
        Event::Returned { player, .. } => Some(format!("{player} returned")),
        _ => None,
    }
}

/// Whether so many more steps are done than when `since` was set, as it is at the first call.
fn later(event: &Event<'_>, since: &mut Option<u64>, steps: u64) -> bool {
    let Event::Progress { done } = event else { return false };
    *done >= *since.get_or_insert(*done) + steps
}

/// As `trained`, with the lines that were told. `meddle` also gets how many lines there are.
fn told(
    steps: u64,
    rounds: Rounds,
    mut meddle: impl FnMut(&Arc<World>, &Event<'_>, usize) + Send + 'static,
) -> (Result<Outcome, RunError>, Vec<String>) {
    let (sender, lines) = mpsc::channel();
    let mut count = 0;
    let outcome = trained(steps, rounds, move |world, event| {
        if let Some(line) = say(event) {
            sender.send(line).unwrap();
            count += 1;
        }
        meddle(world, event, count);
    });
    (outcome, lines.into_iter().collect())
}

#[track_caller]
fn expect(lines: &[String], expected: &[&str]) {
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{line} and not {part}");
    }
}

const FIRST_AND_LAST: [&str; 2] = ["owner0", "owner2"];

#[test]
fn an_owner_whose_process_dies_is_left_out_and_one_that_is_started_again_returns() {
    let (mut cut, mut since) = (false, None);
    let (outcome, lines) = told(2000, ROUNDS, move |world, event, lines| match event {
        Event::Progress { done } if *done >= 10 && !cut => {
            cut = true;
            world.cut(&player("owner1"));
        }
        event if lines == 1 && later(event, &mut since, 10) => {
            world.start(&player("owner1"), Consent::ALL);
            since = Some(u64::MAX / 2);
        }
        Event::Returned { .. } => world.lose_nothing(),
        _ => {}
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(2000);
    expect(&lines, &["owner1 left: its process was killed", "owner1 returned"]);
    assert_eq!(outcome.owners(), [OWNERS.to_vec(), FIRST_AND_LAST.to_vec(), OWNERS.to_vec()]);
}

#[test]
fn an_owner_that_was_cut_off_returns_with_its_process() {
    let mut cut = false;
    let (outcome, lines) = told(2000, ROUNDS, move |world, event, _| match event {
        Event::Progress { done } if *done >= 10 && !cut => {
            cut = true;
            world.cut(&player("owner0"));
        }
        Event::Left { player, .. } => world.heal(player),
        Event::Returned { .. } => world.lose_nothing(),
        _ => {}
    });
    outcome.unwrap_or_else(|error| panic!("{error}")).check(2000);
    expect(&lines, &["owner0 left", "owner0 returned"]);
}

#[test]
fn with_too_few_owners_nothing_is_revealed_and_the_run_says_for_whom_it_waits() {
    let (mut cut, mut revelations) = (false, Vec::new());
    let (outcome, lines) = told(200, ROUNDS, move |world, event, _| {
        let revealed = |world: &World| {
            world.arrived().iter().filter(|(.., from, _)| from == "server2").count()
        };
        match event {
            Event::Progress { done } if *done >= 10 && !cut => {
                cut = true;
                world.cut(&player("owner1"));
                world.cut(&player("owner2"));
            }
            Event::Short { missing, needed: 1, .. } => {
                let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
                assert_eq!(names, ["owner1", "owner2"]);
                assert!(
                    missing.iter().all(|(_, why)| why == "its process was killed"),
                    "{missing:?}"
                );
                revelations.push(revealed(world));
                // At the first something may still be under way.
                if let [_, before, after] = revelations[..] {
                    assert_eq!(before, after);
                    world.start(&player("owner1"), Consent::ALL);
                }
            }
            Event::Short { .. } => panic!("{event:?}"),
            _ => {}
        }
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(200);
    expect(&lines, &["owner1 left", "owner2 left", "owner1 returned"]);
    assert_eq!(outcome.owners(), [OWNERS.to_vec(), vec!["owner0", "owner1"]]);
}

const HASTY: Rounds = Rounds { min_owners: 2, timeout: Duration::from_secs(3) };

#[test]
fn an_owner_that_is_late_is_left_out_and_returns_when_it_answers() {
    let mut held = false;
    let (outcome, lines) = told(1500, HASTY, move |world, event, _| match event {
        Event::Progress { done } if *done >= 10 && !held => {
            held = true;
            world.hold(&player("owner2"));
        }
        Event::Left { player, .. } => {
            world.release(player);
        }
        Event::Returned { .. } => world.lose_nothing(),
        _ => {}
    });
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(1500);
    expect(&lines, &["owner2 left: server2 waits ", "owner2 returned"]);
    let (_, waits) = lines[0].split_once("waits ").unwrap();
    let (seconds, at) = waits.split_once(" s for it at ").unwrap();
    assert!(seconds.parse::<f64>().unwrap() >= HASTY.timeout.as_secs_f64(), "{lines:?}");
    assert!(at.starts_with("share"), "{lines:?}");
}

#[test]
fn players_that_are_needed_fail_the_session_by_name() {
    for name in ["server1", "model"] {
        let mut cut = false;
        let (outcome, lines) = told(2000, ROUNDS, move |world, event, _| {
            if matches!(event, Event::Progress { done } if *done >= 10) && !cut {
                cut = true;
                world.cut(&player(name));
            }
        });
        let error = outcome.map(|outcome| outcome.run).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: its process was killed")), "{error}");
        expect(&lines, &[]);
    }
}

/// Owner1 is killed and comes back with an operator who consents to no such plan.
fn refused(min_owners: usize) -> (Result<Outcome, RunError>, Vec<String>) {
    let mut cut = false;
    let rounds = Rounds { min_owners, ..ROUNDS };
    told(2000, rounds, move |world, event, lines| match event {
        Event::Progress { done } if *done >= 10 && !cut => {
            cut = true;
            world.cut(&player("owner1"));
        }
        Event::Left { player, .. } if lines == 1 => {
            let flags = crate::consent::Flags { over: 5, ..Default::default() };
            world.start(player, flags.into());
        }
        Event::Left { .. } => world.lose_nothing(),
        _ => {}
    })
}

#[test]
fn an_owner_that_refuses_is_left_out_for_good_unless_it_is_needed() {
    let (outcome, lines) = refused(2);
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    outcome.check(2000);
    expect(&lines, &["owner1 left: its process", "owner1 left: owner1: refuses the plan train"]);
    let last = outcome.owners().pop();
    assert_eq!(last, Some(FIRST_AND_LAST.to_vec()));

    let (outcome, _) = refused(3);
    let error = outcome.map(|outcome| outcome.run).unwrap_err().to_string();
    assert!(error.contains("owner1: refuses the plan train: "), "{error}");
}

#[test]
fn rounds_that_cannot_be_are_refused() {
    let (_world, mut session) = World::open(&setup());
    for min_owners in [0, 4] {
        let rounds = Rounds { min_owners, ..ROUNDS };
        let error = session.run_rounds(&rounds, &owners(), train, 1, |_| {}).unwrap_err();
        assert!(error.to_string().ends_with("owners: give 1 to 3"), "{error}");
    }
    let error = session.run_rounds(&ROUNDS, &owners(), own, 1, |_| {}).unwrap_err().to_string();
    assert!(
        error.starts_with("owner0 may be missing from own and holds the variable a"),
        "{error}"
    );
}

/// Whichever request it falls in: a short one may end with the steps that are cut short for it.
#[test]
fn who_returns_is_told_of_in_requests_of_a_step() {
    let (world, mut session) = World::open(&setup());
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    slow(&world);
    let begun = Instant::now();
    for _ in 0..4 {
        let (mut left, mut returned) = (false, false);
        world.cut(&player("owner1"));
        while !returned {
            assert!(begun.elapsed() < Duration::from_secs(300), "it is not told who is back");
            let watch = |event: Event<'_>| match event {
                Event::Left { .. } => left = true,
                Event::Returned { .. } => returned = true,
                _ => {}
            };
            session.run_rounds(&ROUNDS, &owners(), train, 1, watch).unwrap();
            if left {
                world.heal(&player("owner1"));
            }
        }
    }
}

#[test]
fn rounds_take_variables_as_they_are() {
    let (_world, mut session) = World::open(&setup());
    let longer = Function::new("longer", "", |g| {
        let model = player("model");
        sordino_ops::assign("a", sordino_ops::random_normal(g, &model, &[7], 1));
    });
    session.run(&longer, 1).unwrap();
    let refused = session.run_rounds(&ROUNDS, &owners(), train, 5, |_| {});
    let Err(RunError::Variable(error)) = refused else { panic!("it ran") };
    assert_eq!((&*error.variable, error.holds.to_string()), ("a", "f32[7]".to_owned()));
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    let run = session.run_rounds(&ROUNDS, &owners(), train, 5, |_| {}).unwrap();
    assert_eq!(run.participation.len(), 1);
}
