//! docs/faults.md: each fault at each moment of each phase of a step.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crate::driver::STEPS;
use crate::fault::{Event, Fault, WEATHERS, When};
use crate::judge::judge;
use crate::relay::Weather;
use crate::rounds::{Absence, absence};
use crate::stage::{DRIVER, Outcome, Stage};

const MODEL: &str = "network_a";

/// The step in the course of which faults strike, counted from 0.
const STEP: u64 = 6;

/// What crosses the network in a step: who sends it, to whom.
const PHASES: [(&str, &str, &str); 3] = [
    ("the weights go out", "model-owner", "train-data-owner-0"),
    ("a masked gradient goes to a server", "train-data-owner-0", "server2"),
    ("a share of the sum goes to the model owner", "server2", "model-owner"),
];

/// Moments of a phase, in quarters of it.
const MOMENTS: [(&str, u64); 3] = [("before", 0), ("while", 2), ("after", 4)];

const HEAD: &str = "\
# Faults

Written by `cargo test --test faults table -- --ignored`, which starts seven players and a
driver as processes of their own on one machine. They train network_a for 12 steps over QUIC, through
a relay in user space, and leave a checkpoint every 3 steps. Faults strike in step 6. Times are in
seconds, from the start of the driver's process to its end. *Kept*: how the run came to the weights,
to the bit, of one that nothing disturbs.

| fault | when | what happened | s | kept |
|---|---|---|---:|---|
";

const ROUNDS_HEAD: &str = "
## Owners who may be missing

The same with two data owners that are enough, each of which is waited for 2 s. The others go on without
an owner, whose process is then started again, or woken, or connected again. *Left out* and *back* are
seconds, from the fault and from its end, until the others take steps without it and with it again.

| fault | when | left out because | left out | back |
|---|---|---|---:|---:|
";

/// A row: how often, or where, it is told in the first two columns, and the event.
struct Row(String, String, Event);

pub fn write() {
    let (weights, traffic) = undisturbed();
    let mut text = HEAD.to_owned();
    for Row(fault, when, event) in rows(&traffic) {
        let verdict = judge(MODEL, &[event], &weights);
        let verdict = verdict.unwrap_or_else(|reason| panic!("{fault}, {when}: {reason}"));
        let happened = match &verdict.outcome {
            Outcome::Trained(_) => "went on to the end".to_owned(),
            Outcome::Failed(error) => format!("error: {}", error.replace('|', "\\|")),
            Outcome::Killed => "the players ended the session".to_owned(),
        };
        let kept = match verdict.resumed {
            Some(seconds) => format!("resumed, {seconds:.1} s"),
            None => "at once".to_owned(),
        };
        let line = format!("| {fault} | {when} | {happened} | {:.1} | {kept} |", verdict.seconds);
        eprintln!("{line}");
        writeln!(text, "{line}").expect("a string takes all");
    }
    text += ROUNDS_HEAD;
    for Row(fault, when, event) in absences(&traffic) {
        let Absence { reason, left, returned } = absence(MODEL, &event);
        let (_, reason) = reason.split_once(": ").unwrap_or_default();
        let reason = reason.replace('|', "\\|");
        let line = format!("| {fault} | {when} | {reason} | {left:.1} | {returned:.1} |");
        eprintln!("{line}");
        writeln!(text, "{line}").expect("a string takes all");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    std::fs::write(file, text).expect("docs/faults.md");
}

/// The weights of a run that nothing disturbs, and the bytes of each phase's way in it.
fn undisturbed() -> (String, [u64; 3]) {
    let stage = Stage::new(MODEL);
    match stage.drive(None).outcome() {
        Ok((Outcome::Trained(weights), _)) => {
            (weights, PHASES.map(|(_, from, to)| stage.relay.way(from, to).passed()))
        }
        other => panic!("an undisturbed run: {other:?}"),
    }
}

fn rows(traffic: &[u64; 3]) -> Vec<Row> {
    let second = Duration::from_secs(1);
    let mut rows = Vec::new();
    for fault in [Fault::Kill, Fault::Stop, Fault::Cut, Fault::Gap(second)] {
        for ((phase, from, to), bytes) in PHASES.into_iter().zip(traffic) {
            for (moment, quarters) in MOMENTS {
                let bytes = bytes * (4 * STEP + quarters) / (4 * STEPS);
                let event = Event { fault, party: from, when: When::Passed(from, to, bytes) };
                rows.push(Row(format!("{from} {fault}"), format!("{moment} {phase}"), event));
            }
        }
    }
    let (_, from, to) = PHASES[0];
    let when = When::Passed(from, to, traffic[0] * STEP / STEPS);
    for fault in [Fault::Kill, Fault::Stop, Fault::Cut] {
        let event = Event { fault, party: DRIVER, when };
        rows.push(Row(format!("{DRIVER} {fault}"), format!("in step {STEP}"), event));
    }
    for (what, weather) in WEATHERS {
        for party in ["train-data-owner-0", "server2"] {
            let fault = Fault::Weather(what, weather);
            let event = Event { fault, party, when };
            rows.push(Row(format!("{party}: {what}"), format!("from step {STEP} on"), event));
        }
    }
    let fault = Fault::Everywhere("40 ms there and back, 352 Mbit/s", Weather::WIDE);
    let event = Event { fault, party: DRIVER, when: When::After(Duration::ZERO) };
    rows.push(Row(fault.to_string(), "all the time, all links".to_owned(), event));
    rows
}

fn absences(traffic: &[u64; 3]) -> Vec<Row> {
    const OWNER: &str = "train-data-owner-0";
    let mut rows = Vec::new();
    for fault in [Fault::Kill, Fault::Stop, Fault::Cut] {
        for ((phase, from, to), bytes) in PHASES.into_iter().zip(traffic) {
            for (moment, quarters) in MOMENTS {
                let bytes = bytes * (4 * STEP + quarters) / (4 * STEPS);
                let event = Event { fault, party: OWNER, when: When::Passed(from, to, bytes) };
                rows.push(Row(format!("{OWNER} {fault}"), format!("{moment} {phase}"), event));
            }
        }
    }
    rows
}
