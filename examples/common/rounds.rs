//! Training with those data owners who are there.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use sordino::prelude::*;
use sordino::runtime::{Participation, RoundsRun};

/// The least that an owner may be waited for, and the most: seconds.
const TIMEOUT: std::ops::RangeInclusive<f64> = 0.2..=86_400.0;

/// Runs steps, and tells what happens meanwhile.
type Steps<'a> =
    Box<dyn Fn(&mut Session, u64, &mut dyn FnMut(Event<'_>)) -> Result<RoundsRun, RunError> + 'a>;

/// Steps of those owners who are there.
pub struct InRounds<'a> {
    pub owners: Vec<PlayerName>,
    /// A step of each set of owners that is enough, but that of all.
    pub fewer: Vec<Function<'a>>,
    pub run: Steps<'a>,
}

/// Options of examples whose data owners may come and go.
#[derive(Debug, Args)]
pub struct RoundsOptions {
    /// Train on as long as so many data owners are there, at least 2: one that is lost or late is
    /// left out of a step, and takes part again when it is back. Unless given, all are needed.
    #[arg(long, value_name = "K", allow_negative_numbers = true)]
    pub min_owners: Option<usize>,
    /// How long a step waits for a data owner; goes with --min-owners. Unless given, 10.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, requires = "min_owners",
        value_parser = seconds)]
    pub round_timeout: Option<f64>,
}

impl RoundsOptions {
    /// Checks them for a program of so many `owners`.
    pub fn check(&self, owners: usize) -> Result<(), String> {
        match self.min_owners {
            Some(least) if !(2..=owners).contains(&least) => Err(format!(
                "--min-owners {least}: give 2 to {owners}. There are {owners} data owners, and what \
                 is learnt from a single one is not hidden"
            )),
            _ => Ok(()),
        }
    }

    /// What sessions are asked for; `None` when all owners are needed.
    pub fn rounds(&self) -> Option<Rounds> {
        let timeout = Duration::from_secs_f64(self.round_timeout.unwrap_or(10.0));
        self.min_owners.map(|min_owners| Rounds { min_owners, timeout })
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| TIMEOUT.contains(seconds));
    let (least, most) = (TIMEOUT.start(), TIMEOUT.end());
    seconds.ok_or_else(|| format!("takes a number of seconds, {least} to {most}"))
}

/// Steps in which the same owners took part.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Took {
    /// The first and the last of the steps, counted from 1.
    pub first: u64,
    pub last: u64,
    pub owners: Vec<String>,
}

/// Adds who took part in later steps.
pub fn add(took: &mut Vec<Took>, later: &[Participation]) {
    for Participation { steps, owners, .. } in later {
        let owners: Vec<_> = owners.iter().map(ToString::to_string).collect();
        let (first, last) = (steps.start + 1, steps.end);
        match took.last_mut() {
            Some(span) if span.owners == owners && span.last + 1 == first => span.last = last,
            _ => took.push(Took { first, last, owners }),
        }
    }
}

/// Who took part, a line for each span.
pub fn table(took: &[Took]) -> String {
    let steps = |span: &Took| format!("{} to {}", span.first, span.last);
    let width = took.iter().map(|span| steps(span).len()).max().unwrap_or(0);
    let line = |span: &Took| format!("  {:width$}  {}\n", steps(span), span.owners.join(", "));
    let lines: String = took.iter().map(line).collect();
    format!("Who took part in which steps:\n{lines}")
}

/// An event of rounds in words.
pub fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Waits { player, wait } => Some(format!(
            "{player} waits {:.1} s for {} at {}",
            wait.millis as f64 / 1e3,
            wait.on,
            wait.node
        )),
        Event::Left { player, step, reason } => {
            Some(format!("{player} is left out from step {} on: {reason}", step + 1))
        }
        Event::Returned { player, step } => {
            Some(format!("{player} takes part again from step {} on", step + 1))
        }
        Event::Short { missing, needed, waited } => {
            let names = missing.iter().map(|(player, reason)| format!("{player} ({reason})"));
            let names: Vec<_> = names.collect();
            Some(format!(
                "training waits {:.0} s for {needed} of {} data owners: {}",
                waited.as_secs_f64(),
                missing.len(),
                names.join("; ")
            ))
        }
        _ => None,
    }
}
