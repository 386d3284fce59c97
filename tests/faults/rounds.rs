//! Data owners who are killed, stopped or cut off while others go on, and who come back.

use std::time::{Duration, Instant};

use crate::driver::{BEGUN, LEFT, SHORT};
use crate::fault::{Event, Fault, When};
use crate::relay::Weather;
use crate::stage::{Outcome, Stage};

const MODEL: &str = "logistic_regression";
const OWNER: &str = "train-data-owner-1";
const ALL: &str = "train-data-owner-0 train-data-owner-1 train-data-owner-2";
const OTHERS: &str = "train-data-owner-0 train-data-owner-2";

/// How long it may take until the others go on without an owner: it is waited for, or is lost.
const NOTICED: Duration = Duration::from_secs(15);

/// Who took part, one after the other, of a run that ended.
fn took(outcome: &Outcome) -> Vec<String> {
    let Outcome::Trained(spans) = outcome else { panic!("{outcome:?}") };
    let spans = spans.split("; ").filter_map(|span| span.split_once(' '));
    spans.map(|(_, names)| names.to_owned()).collect()
}

/// The owner meets `fault` while all train, and then is as before.
fn leaves_and_returns(fault: Fault) {
    let mut stage = Stage::new(MODEL);
    let mut driver = stage.drive_rounds(2);
    driver.await_line(BEGUN);
    let start = Instant::now();
    let event = Event { fault, party: OWNER, when: When::After(Duration::ZERO) };
    assert!(event.strike(&mut stage, &mut driver, start));
    let left = driver.await_line(LEFT);
    assert!(left.starts_with(OWNER), "{fault}: {left}");
    assert!(start.elapsed() < NOTICED, "{fault}: {:?}", start.elapsed());
    eprintln!("{OWNER} {fault}: left out after {:.1} s: {left}", start.elapsed().as_secs_f64());
    stage.heal();
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [ALL, OTHERS, ALL], "{fault}");
    // Nobody but the owner was told that anything has failed.
    for player in stage.players.iter().filter(|player| player.name != OWNER) {
        assert!(!player.log().contains(" failed: "), "{}: {}", player.name, player.log());
    }
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
    let mut driver = stage.drive_rounds(3);
    driver.await_line(BEGUN);
    stage.player(OWNER).kill();
    let short = driver.await_line(SHORT);
    assert!(short.starts_with("1 of ") && short.contains(OWNER), "{short}");
    // A step is some kilobytes of shares; what keeps a connection alive is less.
    let revealed = |stage: &Stage| stage.relay.way("server2", "model-owner").passed();
    let before = revealed(&stage);
    std::thread::sleep(Duration::from_secs(3));
    let more = revealed(&stage) - before;
    assert!(more < 2000, "{more} bytes");
    stage.heal();
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [ALL]);
}

#[test]
fn a_run_begins_without_an_owner_that_is_down() {
    let mut stage = Stage::new(MODEL);
    stage.player(OWNER).kill();
    let mut driver = stage.drive_rounds(2);
    assert!(driver.await_line(LEFT).starts_with(OWNER));
    driver.await_line(BEGUN);
    stage.relay.set(None, Weather::default());
    stage.heal();
    let (outcome, _) = driver.outcome().unwrap();
    assert_eq!(took(&outcome), [OTHERS, ALL]);
}
