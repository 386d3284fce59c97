//! How long operations on secrets take: see `README.md`.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod measure;
mod options;
mod program;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use sordino::ops::Plan;
use sordino::prelude::*;

use crate::cases::Case;
use crate::common::options::checked;
use crate::common::report::{self, Choices, Machine};
use crate::common::run;
use crate::common::show::{self, Intro};
use crate::measure::{Measured, Report, head, measure};
use crate::options::{AGGREGATION, Cast, Options};
use crate::program::{WEIGHTS, aggregation, draw, measured, prepare};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::exit_code(benchmark)
}

fn benchmark(_: Instant) -> anyhow::Result<()> {
    let options = checked(Options::check);
    let (common, cast) = (&options.common, Cast::new(&options));
    let mut out = io::stdout();
    let intro = Intro {
        title: "Operations on secrets".to_owned(),
        roles: cast.roles(),
        secrets: "Random numbers are",
        learns: "The receiver learns the sum of what all owners share; nobody learns anything else.",
        exposed: "all numbers",
    };
    show::intro(&mut out, &intro, common)?;
    let mut cases = options.cases();
    cases.retain(|case| options.wants(case.name));
    let operations = cases.iter().map(|case| Operation::of(case, &cast, &options));
    let operations: Vec<_> = operations.collect();
    let sum = options.wants(AGGREGATION).then(|| Operation::aggregation(&cast, &options));
    let (of_cases, of_sum) = (cast.cases(&options), cast.aggregation(&options));
    let each = operations.iter().flat_map(|o| [(&of_cases, &o.before), (&of_cases, &o.function)]);
    let last = sum.iter().flat_map(|o| [(&of_sum, &o.before), (&of_sum, &o.function)]);
    run::announce_plans(&mut out, common, each.chain(last))?;

    head(&mut out)?;
    let mut results = Vec::new();
    if !operations.is_empty() {
        let mut session = run::open(common, of_cases.clone(), false)?;
        for operation in &operations {
            results.push(operation.measure(&mut out, &mut session, options.runs)?);
        }
    }
    if let Some(operation) = &sum {
        let mut session = run::open(common, of_sum.clone(), false)?;
        results.push(operation.measure(&mut out, &mut session, options.runs)?);
    }
    end(&mut out, &options, results)
}

/// What is measured, and what is run once before.
struct Operation<'a> {
    name: &'static str,
    size: String,
    before: Function<'a>,
    function: Function<'a>,
}

impl<'a> Operation<'a> {
    fn of(case: &'a Case, cast: &'a Cast, options: &'a Options) -> Self {
        let (owner, common) = (&cast.owners[0], &options.common);
        Self {
            name: case.name,
            size: case.size(),
            before: prepare(case, owner, &common.seed),
            function: measured(case, &common.precision, owner),
        }
    }

    fn aggregation(cast: &'a Cast, options: &'a Options) -> Self {
        Self {
            name: AGGREGATION,
            size: format!("{}x{WEIGHTS}", cast.owners.len()),
            before: draw(&cast.owners, &options.common.seed),
            function: aggregation(&cast.owners, &cast.receiver),
        }
    }

    fn measure(
        &self,
        out: &mut impl Write,
        session: &mut Session,
        runs: u32,
    ) -> anyhow::Result<(Measured, Arc<Plan>)> {
        session.run(&self.before, 1)?;
        let result = measure(session, &self.function, [self.name, &self.size], runs)?;
        result.0.show(out)?;
        Ok(result)
    }
}

/// Draws the graphs and writes the report. The players are gone.
fn end(
    out: &mut impl Write,
    options: &Options,
    results: Vec<(Measured, Arc<Plan>)>,
) -> anyhow::Result<()> {
    let common = &options.common;
    let plans = results.iter().map(|(of, plan)| (common.view.join(&of.operation), &**plan));
    let pictures = run::views(common, plans)?;
    let report = Report {
        command: std::env::args().collect(),
        options: Choices::new(common, options.choices()),
        machine: Machine::here(),
        operations: results.into_iter().map(|(measured, _)| measured).collect(),
    };
    report::save(&report, &common.report())?;
    if let Some(pictures) = pictures {
        writeln!(out, "\n{pictures}")?;
    }
    writeln!(out, "Report: {}", common.report().display())?;
    Ok(out.flush()?)
}
