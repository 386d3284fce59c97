//! The run: epochs of training, a test after each, then the report.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use sordino::graph::print_with_sources;
use sordino::ops::Plan;
use sordino::ops::data::{Mnist, Split};
use sordino::prelude::*;
use sordino::visualize::{GRAPHVIZ_HINT, VisualizeError, write_views};

use crate::cast::Cast;
use crate::options::{Options, Place};
use crate::program::{TEST_BATCH, federated_training, initialize, validate_model};
use crate::report::{Epoch, RunReport};
use crate::show::{self, Progress};
use crate::table;

/// Trains as `options` say. `start` is when the program started.
pub fn train(options: &Options, start: Instant) -> anyhow::Result<()> {
    let mut out = io::stdout();
    let cast = Cast::new(options);
    show::intro(&mut out, &cast, options)?;
    let initialization = initialize(&cast.model_owner);
    let training = federated_training(&cast.model_owner, &cast.data_owners);
    let validation = validate_model(&cast.model_owner);
    if let Some(file) = &options.plan {
        let functions = [&initialization, &training, &validation];
        write_plans(file, &cast.setup(options), &functions)?;
        writeln!(out, "Plans: {}", file.display())?;
        // Also when a player refuses them: then they are to be reviewed.
        out.flush()?;
    }
    let mut session = open(options, &cast)?;
    session.run(&initialization, 1)?;
    // A run of its own, because it ends when every player is done with the step: data are loaded
    // by then, and the time from the start is what a user waits for.
    let first = session.run(&training, 1)?;
    let mut report = RunReport::new(options, start.elapsed().as_secs_f64());
    // One batch, so that a model owner without its test set fails now and not after an epoch.
    session.run(&validation, 1)?;
    let plan = session.prepare(&training)?;
    report.preparation_ms = preparation_ms(&training, session.setup())?;
    let pictures = if options.no_view { None } else { Some(views(options, &plan)?) };

    let (steps, epochs) = (cast.steps_per_epoch(), options.epochs);
    let batches = (cast.model_owner.dataset.examples(Split::Test) / TEST_BATCH) as u64;
    for number in 1..=epochs {
        let before = u64::from(number == 1);
        let progress = Progress::start(number, epochs, steps);
        let run =
            session.run_with(&training, steps - before, |event| progress.see(before, &event))?;
        progress.testing();
        let test = session.run(&validation, batches)?;
        drop(progress);
        let seconds = run.seconds + if before == 1 { first.seconds } else { 0.0 };
        let mean = |name: &str| test.mean(name).with_context(|| format!("nobody published {name}"));
        let (loss, accuracy) = (mean("loss")?, mean("accuracy")?);
        let epoch = Epoch { epoch: number, steps, seconds, loss, accuracy };
        show::epoch(&mut out, &epoch, epochs)?;
        report.add(epoch, &run);
    }
    // Players are let go before the report is written: it says all there is to say of them.
    drop(session);
    report.finish();
    report.save(&options.report())?;
    writeln!(out, "\n{}", table::of(&report))?;
    if let Some(pictures) = pictures {
        writeln!(out, "{pictures}")?;
    }
    writeln!(out, "Report: {}", options.report().display())?;
    Ok(out.flush()?)
}

/// Writes what players are asked to run, as text: each function's graph after the one before.
fn write_plans(file: &Path, setup: &Setup, functions: &[&Function<'_>]) -> anyhow::Result<()> {
    let graphs = functions.iter().map(|function| function.record(setup));
    let texts = graphs.map(|graph| Ok(print_with_sources(&graph?)));
    let text = texts.collect::<anyhow::Result<Vec<_>>>()?.join("\n");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(file, text))
        .with_context(|| format!("cannot write the plans to {}", file.display()))
}

fn open(options: &Options, cast: &Cast) -> anyhow::Result<Session> {
    let setup = cast.setup(options);
    match &options.config {
        Place::Local => {
            let data = options.data();
            // Of all players at once, before the first of them starts.
            for split in [Split::Train, Split::Test] {
                Mnist::load(&data, split, 0..0)?;
            }
            Ok(Session::local(setup, &data, None)?)
        }
        Place::Remote(config) => Ok(Session::remote(setup, config)?),
    }
}

/// Milliseconds of recording, verifying, lowering and splitting.
///
/// Measured apart from a session, where each player does it for itself, all at the same time.
fn preparation_ms(training: &Function<'_>, setup: &Setup) -> anyhow::Result<f64> {
    let begin = Instant::now();
    Plan::new(training.record(setup)?)?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}

/// Writes the views of the training graph and says where they are.
fn views(options: &Options, plan: &Plan) -> anyhow::Result<String> {
    let dir = &options.view;
    match write_views(dir, &plan.recorded, Some(&plan.lowered)) {
        Ok(written) => {
            let dir = dir.display();
            let hint = format!("Pictures: {dir}, as DOT files: {GRAPHVIZ_HINT}");
            Ok(if written.dot_missing { hint } else { format!("Pictures: {dir}") })
        }
        // The training is worth more than pictures, and the DOT files are there.
        Err(
            error @ (VisualizeError::StartDot { .. }
            | VisualizeError::DotFailed { .. }
            | VisualizeError::DotTimedOut { .. }),
        ) => {
            eprintln!("warning: {error}");
            Ok(format!("Pictures: {}, as far as they could be drawn", dir.display()))
        }
        Err(error) => Err(error.into()),
    }
}
