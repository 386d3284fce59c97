//! Data owners who are killed, stopped or cut off while others go on, and who come back.

use std::time::{Duration, Instant};

use crate::driver::{BEGUN, DONE, LEFT, RETURNED, SHORT, WITHOUT};
use crate::fault::{Event, Fault, When};
use crate::stage::{Outcome, Stage};

const MODEL: &str = "logistic_regression";
const OWNER: &str = "train-data-owner-1";
const OWNERS: [&str; 3] = ["train-data-owner-0", OWNER, "train-data-owner-2"];

/// How long it may take until the others go on without an owner: it is waited for, or is lost.
const NOTICED: Duration = Duration::from_secs(60);

/// A run that went on without an owner for a while.
pub struct Absence {
    /// Why it was left out.
    pub reason: String,
    /// Seconds until the others took a step without it, and, from when it was as before, until it
    /// took part again.
    pub left: f64,
    pub returned: f64,
}

/// An event of an owner, who is as before when the others have gone on without it.
pub fn absence(model: &'static str, event: &Event) -> Absence {
    let mut stage = Stage::new(model);
    let mut driver = stage.drive_rounds(2, None);
    if let When::After(_) = event.when {
        driver.await_line(BEGUN);
    }
    assert!(event.strike(&mut stage, &mut driver, Instant::now()), "{event:?} came too late");
    let start = Instant::now();
    let reason = driver.await_line(LEFT);
    driver.await_line(WITHOUT);
    let left = start.elapsed();
    assert!(reason.starts_with(event.party), "{event:?}: {reason}");
    assert!(left < NOTICED, "{event:?}: {left:?}");
    stage.heal();
    let start = Instant::now();
    driver.await_line(RETURNED);
    let returned = start.elapsed();
    let (outcome, _) = driver.outcome().unwrap();
    let others: Vec<_> = OWNERS.into_iter().filter(|name| *name != event.party).collect();
    assert_eq!(took(&outcome), [OWNERS.join(" "), others.join(" "), OWNERS.join(" ")], "{event:?}");
    // Nobody but the owner was told that anything has failed.
    for player in stage.players.iter().filter(|player| player.name != event.party) {
        assert!(!player.log().contains(" failed: "), "{}: {}", player.name, player.log());
    }
    Absence { reason, left: left.as_secs_f64(), returned: returned.as_secs_f64() }
}

/// Who took part, one after the other, of a run that ended.
fn took(outcome: &Outcome) -> Vec<String> {
    let Outcome::Trained(spans) = outcome else { panic!("{outcome:?}") };
    let spans = spans.split("; ").filter_map(|span| span.split_once(' '));
    spans.map(|(_, names)| names.to_owned()).collect()
}

/// The owner meets `fault` while all train, and then is as before.
fn leaves_and_returns(fault: Fault) {
    let event = Event { fault, party: OWNER, when: When::After(Duration::ZERO) };
    let Absence { reason, left, returned } = absence(MODEL, &event);
    eprintln!("{OWNER} {fault}: left out after {left:.1} s ({reason}), back after {returned:.1} s");
}

#[test]
fn an_owner_that_is_killed_is_left_out_and_returns_when_it_is_started_again() {
    leaves_and_returns(Fault::Kill);
}

#[test]
fn an_owner_that_is_stopped_is_left_out_and_returns_when_it_is_woken() {
    leaves_and_returns(Fault::Stop);
}

#[test]
fn an_owner_that_is_cut_off_is_left_out_and_returns_with_the_network() {
    leaves_and_returns(Fault::Cut);
}

#[test]
fn with_too_few_owners_nothing_is_revealed_until_one_is_back() {
    let mut stage = Stage::new(MODEL);
    let mut driver = stage.drive_rounds(3, None);
    driver.await_line(BEGUN);
    stage.player(OWNER).kill();
    let short = driver.await_line(SHORT);
    assert!(short.starts_with("1 of ") && short.contains(OWNER), "{short}");
    // A step is some kilobytes of shares; what keeps a connection alive is less.
    let revealed = |stage: &Stage| stage.relay.way("server2", "model-owner").passed();
    // What was under way when the owner was killed has arrived by now.
    std::thread::sleep(Duration::from_secs(2));
    let before = revealed(&stage);
    std::thread::sleep(Duration::from_secs(3));
    let more = revealed(&stage) - before;
    assert!(more < 2000, "{more} bytes");
    stage.heal();
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [OWNERS.join(" ")]);
}

#[test]
fn a_run_begins_without_an_owner_that_is_down() {
    let mut stage = Stage::new(MODEL);
    stage.player(OWNER).kill();
    let mut driver = stage.drive_rounds(2, None);
    assert!(driver.await_line(LEFT).starts_with(OWNER));
    driver.await_line(WITHOUT);
    stage.heal();
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [[OWNERS[0], OWNERS[2]].join(" "), OWNERS.join(" ")]);
}

#[test]
fn rounds_are_resumed_without_an_owner_who_then_returns() {
    let mut stage = Stage::new(MODEL);
    let mut driver = stage.drive_rounds(2, None);
    driver.await_line(BEGUN);
    stage.player(OWNER).kill();
    // The first steps without it are behind a checkpoint or two.
    driver.await_line(WITHOUT);
    driver.await_done(40);
    let session = driver.session().unwrap();
    driver.kill();
    stage.players.retain(|player| player.name != OWNER);
    let end = Instant::now() + NOTICED;
    while !stage.is_idle() {
        assert!(Instant::now() < end, "players stay in the session of a driver that is gone");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut driver = stage.drive_rounds(2, Some(&session));
    let done: u64 = driver.await_line(DONE).parse().unwrap();
    assert!(done > 20, "{done} steps were done");
    driver.await_line(WITHOUT);
    stage.start(OWNER);
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [[OWNERS[0], OWNERS[2]].join(" "), OWNERS.join(" ")]);
}

#[test]
fn a_player_that_is_stopped_is_told_of_with_who_waits_for_it_where() {
    let mut stage = Stage::new("network_a");
    let mut driver = stage.drive(None);
    // In the middle of the sixth gradient: weights as elements of 64 bits.
    let when = When::Passed(OWNER, "server2", 118_282 * 8 * 11 / 2);
    let event = Event { fault: Fault::Stop, party: OWNER, when };
    assert!(event.strike(&mut stage, &mut driver, Instant::now()));
    let start = Instant::now();
    let (outcome, _) = driver.outcome().unwrap();
    assert!(start.elapsed() < NOTICED, "{:?}", start.elapsed());
    let Outcome::Failed(error) = outcome else { panic!("{outcome:?}") };
    let wait = " s for it at private-input_1/share";
    assert!(error.starts_with(OWNER) && error.contains(wait), "{error}");
}
