//! A training: epochs, a test after each, then the report.

use std::io::{self, Write};
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use sordino::prelude::*;

use super::kept::{Kept, warn};
use super::options::Common;
use super::report::{Epoch, RunReport, save};
use super::rounds::{self, InRounds, Took};
use super::show::{self, Progress};
use super::{run, table};

/// The functions of a training, and how often each is run.
pub struct Training<'a> {
    pub initialization: Function<'a>,
    pub step: Function<'a>,
    /// Runs steps with those owners who are there; `None` if all are needed.
    pub rounds: Option<InRounds<'a>>,
    /// What is run once before each test.
    pub before_test: Option<Function<'a>>,
    /// Publishes `loss` and `accuracy`, of which the means are shown.
    pub test: Function<'a>,
    /// What is run once after the last epoch.
    pub end: Option<Function<'a>>,
    pub epochs: u32,
    /// Steps of an epoch.
    pub steps: u64,
    /// Steps of a test.
    pub tests: u64,
    /// Whether players read the files of MNIST.
    pub mnist: bool,
}

impl Training<'_> {
    fn functions(&self) -> Vec<&Function<'_>> {
        let first = [&self.initialization, &self.step].into_iter();
        let first = first.chain(self.rounds.iter().flat_map(|rounds| &rounds.fewer));
        first.chain(&self.before_test).chain([&self.test]).chain(&self.end).collect()
    }

    /// Runs training steps, and notes who took part in them.
    fn run(
        &self,
        session: &mut Session,
        steps: u64,
        took: &mut Vec<Took>,
        mut watch: impl FnMut(Event<'_>),
    ) -> Result<Run, RunError> {
        let Some(rounds) = &self.rounds else { return session.run_with(&self.step, steps, watch) };
        let run = (rounds.run)(session, steps, &mut watch)?;
        rounds::add(took, &run.participation);
        Ok(run.run)
    }
}

/// Trains with the players of `setup`, or goes on with a training. The report says `choices` of the
/// program's own options. `start` is when the program started.
pub fn train(
    (common, kept): (&Common, &Kept),
    setup: Setup,
    training: &Training<'_>,
    choices: impl Serialize,
    start: Instant,
) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let functions = training.functions().into_iter();
    run::announce_plans(&mut out, common, functions.map(|function| (&setup, function)))?;
    let owners = training.rounds.as_ref().map_or(&[][..], |rounds| &rounds.owners);
    let mut session = kept.open(&mut out, common, setup, owners, training.mnist)?;
    let &Training { epochs, steps, .. } = training;
    let resumed = kept.resume.map(|_| session.steps_of(&training.step)).transpose()?;
    let before = resumed.unwrap_or(0);
    let (mut first, mut took) = (Run::default(), Vec::new());
    if resumed.is_none() {
        session.run_with(&training.initialization, 1, show::tell)?;
        // A run of its own, because it ends when every player is done with the step: data are
        // loaded by then, and the time from the start is what a user waits for.
        first = training.run(&mut session, 1, &mut took, show::tell)?;
    }
    let mut report = RunReport::new(common, choices, start.elapsed().as_secs_f64());
    report.resumed_after_steps = resumed;
    if resumed.is_none() {
        // One batch, so that a player without its test set fails now and not after an epoch.
        test(&mut session, training, 1)?;
    }
    let (plan, preparation_ms) = run::preparation(&training.step, session.setup())?;
    report.preparation_ms = preparation_ms;
    let pictures = run::views(common, [(common.view.clone(), &plan)])?;

    // A training that broke off between an epoch and its test has the test to do.
    for number in (1..=epochs).skip_while(|&number| u64::from(number) * steps < before) {
        let begin = u64::from(number - 1) * steps;
        let done = session.steps_of(&training.step)? - begin;
        let progress = Progress::start(&format!("epoch {number}/{epochs}"), steps);
        let see = |event: Event<'_>| progress.see(done, event);
        let left = steps.saturating_sub(done);
        let run = training.run(&mut session, left, &mut took, see)?;
        progress.testing();
        let test = test(&mut session, training, training.tests)?;
        drop(progress);
        let seconds = run.seconds + std::mem::take(&mut first.seconds);
        let mean = |name: &str| test.mean(name).with_context(|| format!("nobody published {name}"));
        let (loss, accuracy) = (mean("loss")?, mean("accuracy")?);
        let steps = steps - before.saturating_sub(begin);
        let epoch = Epoch { epoch: number, steps, seconds, loss, accuracy };
        show::epoch(&mut out, &epoch, epochs)?;
        report.epochs.push(epoch);
        report.add(&run, left);
    }
    if let Some(end) = &training.end {
        session.run_with(end, 1, warn)?;
    }
    report.participation = took;
    // Players are let go before the report is written: it says all there is to say of them.
    drop(session);
    end(&mut out, common, report, pictures)
}

fn test(session: &mut Session, training: &Training<'_>, steps: u64) -> anyhow::Result<Run> {
    if let Some(before) = &training.before_test {
        session.run_with(before, 1, warn)?;
    }
    Ok(session.run_with(&training.test, steps, warn)?)
}

/// Writes the report and shows it. The players are gone.
pub fn end<P: Serialize>(
    out: &mut impl Write,
    common: &Common,
    mut report: RunReport<P>,
    pictures: Option<String>,
) -> anyhow::Result<()> {
    report.finish();
    save(&report, &common.report())?;
    writeln!(out, "\n{}", table::of(&report))?;
    if let Some(pictures) = pictures {
        writeln!(out, "{pictures}")?;
    }
    writeln!(out, "Report: {}", common.report().display())?;
    Ok(out.flush()?)
}
