//! Prediction with a private model and private images: see `README.md`, then [`program`], which is
//! all that is specific to it; the rest is a command line.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/learning.rs"]
mod learning;
#[path = "../models/mod.rs"]
mod models;
mod options;
mod program;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use sordino::prelude::*;

use crate::common::options::checked;
use crate::common::report::{Outcome, RunReport};
use crate::common::show::{self, Intro, Progress};
use crate::common::{run, train};
use crate::options::{Cast, Options};
use crate::program::{initialize, joint_inference, plaintext_training, save_model, share_model};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::exit_code(predict)
}

fn predict(start: Instant) -> anyhow::Result<()> {
    let options = checked(Options::check);
    let (common, cast) = (&options.common, Cast::new(&options));
    let mut out = io::stdout();
    let intro = Intro {
        title: format!("{} on {}", options.learning.model, options.learning.dataset.name()),
        roles: cast.roles(),
        secrets: "Weights and examples are",
        learns: "The client alone learns what the model says, and publishes how much of it is right.",
        exposed: "the weights and all examples",
    };
    show::intro(&mut out, &intro, common)?;
    let sharing = share_model(&cast.model_owner, &cast.secure);
    let inference = joint_inference(&cast.client, &cast.secure);
    let before = before(&cast, &options);
    let functions = before.iter().map(|(function, _)| function).chain([&sharing, &inference]);
    let setup = cast.setup(&options);
    run::announce_plans(&mut out, common, functions.map(|function| (&setup, function)))?;

    let mut session = run::open(common, setup, options.learning.mnist())?;
    for (function, steps) in &before {
        let progress = Progress::start(function.name(), *steps);
        session.run_with(function, *steps, |event| progress.see(0, event))?;
    }
    writeln!(out, "model ready after {:.2} s", start.elapsed().as_secs_f64())?;
    let shared = session.run(&sharing, 1)?;
    writeln!(out, "weights shared in {:.2} s, once", shared.seconds)?;
    out.flush()?;

    // A run of its own, because the client's data are loaded in it.
    let first = session.run(&inference, 1)?;
    let mut report = RunReport::new(common, options.choices(), start.elapsed().as_secs_f64());
    let plan = session.prepare(&inference)?;
    report.preparation_ms = run::preparation(&inference, session.setup())?.1;
    let pictures = run::views(common, [(common.view.clone(), &*plan)])?;
    let batches = u64::from(options.batches);
    let progress = Progress::start("prediction", batches);
    let mut all = session.run_with(&inference, batches - 1, |event| progress.see(1, event))?;
    drop(progress);
    report.add(&all, batches - 1);
    all.published.extend(first.published);
    let accuracy = all.mean("accuracy").context("nobody published accuracy")?;
    let examples = batches * cast.client.batches.batch as u64;
    writeln!(
        out,
        "{}: accuracy {:.2} % of {examples} predictions · {:.2} s, {:.0} predictions/s",
        cast.client.player,
        accuracy * 100.0,
        first.seconds + all.seconds,
        examples as f64 / (first.seconds + all.seconds)
    )?;
    report.outcomes.push(Outcome {
        player: cast.client.player.to_string(),
        name: "accuracy".to_owned(),
        values: vec![accuracy],
    });
    // Players are let go before the report is written: it says all there is to say of them.
    drop(session);
    train::end(&mut out, common, report, pictures)
}

/// What is run before the weights are shared, and how often.
fn before<'a>(cast: &'a Cast, options: &Options) -> Vec<(Function<'a>, u64)> {
    let (owner, plaintext) = (&cast.model_owner, &cast.plaintext);
    let mut before = vec![(initialize(owner, plaintext), 1)];
    if options.epochs() > 0 {
        let steps = cast.steps_per_epoch() * u64::from(options.epochs());
        before.push((plaintext_training(owner, plaintext), steps));
    }
    if options.learning.weights_out.is_some() {
        before.push((save_model(owner, plaintext), 1));
    }
    before
}
