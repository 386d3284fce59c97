//! The mean of what five inputters keep to themselves: see `README.md`, then [`program`], which is
//! all that is specific to it; the rest is a command line.

#[path = "../common/mod.rs"]
mod common;
mod options;
mod program;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;

use crate::common::options::checked;
use crate::common::report::{Outcome, RunReport};
use crate::common::show::{self, Intro, Progress};
use crate::common::{run, train};
use crate::options::{Cast, Options};
use crate::program::simple_average;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::exit_code(average)
}

fn average(start: Instant) -> anyhow::Result<()> {
    let options = checked(Options::check);
    let (common, cast) = (&options.common, Cast::new(&options));
    let mut out = io::stdout();
    let intro = Intro {
        title: "The mean of five inputters".to_owned(),
        roles: cast.roles(),
        secrets: "Numbers are",
        learns: "The receiver publishes the mean.",
        exposed: "every inputter's numbers",
    };
    show::intro(&mut out, &intro, common)?;
    let program = simple_average(&cast.inputters, &cast.receiver);
    let setup = cast.setup(&options);
    run::announce_plans(&mut out, common, [(&setup, &program)])?;
    let mut session = run::open(common, setup, false)?;
    let first = session.run(&program, 1)?;
    let mut report = RunReport::new(common, options.choices(), start.elapsed().as_secs_f64());
    let (player, mean) = first.published.first().context("nobody published the mean")?;
    writeln!(out, "{player} publishes the mean {:.4?}", mean.elements)?;
    report.outcomes.push(Outcome {
        player: player.to_string(),
        name: mean.name.clone(),
        values: mean.elements.clone(),
    });
    let plan = session.prepare(&program)?;
    report.preparation_ms = run::preparation(&program, session.setup())?.1;
    let pictures = run::views(common, [(common.view.clone(), &*plan)])?;
    let steps = u64::from(options.steps);
    let progress = Progress::start("average", steps);
    let run = session.run_with(&program, steps, |event| progress.see(0, event))?;
    report.add(&run, steps);
    drop(progress);
    // Players are let go before the report is written: it says all there is to say of them.
    drop(session);
    train::end(&mut out, common, report, pictures)
}
