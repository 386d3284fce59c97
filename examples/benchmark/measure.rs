//! What an operation takes, and the table and the report of all of them.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use sordino::graph::traffic;
use sordino::ops::Plan;
use sordino::prelude::*;

use crate::common::report::{Choices, Machine};

/// The report of a run.
#[derive(Debug, Serialize)]
pub struct Report<P> {
    pub command: Vec<String>,
    pub options: Choices<P>,
    pub machine: Machine,
    pub operations: Vec<Measured>,
}

/// What an operation takes.
#[derive(Debug, Serialize)]
pub struct Measured {
    pub operation: String,
    /// The shape of its first input, as `65536` or `128x784`.
    pub size: String,
    /// From the driver's request to the last player's word that it is done: the median.
    pub ms: f64,
    /// A tenth of the runs took less.
    pub ms_10: f64,
    /// A tenth of the runs took more.
    pub ms_90: f64,
    /// Messages that follow on each other.
    pub rounds: usize,
    /// Of all links together, without framing.
    pub bytes: u64,
    /// Of the graph that the players run.
    pub nodes: usize,
}

/// How long a function runs before it is measured: connections find out how large packets may be, and
/// how many may be on their way.
const WARM_UP: Duration = Duration::from_millis(500);

/// Runs a function `runs` times.
pub fn measure(
    session: &mut Session,
    function: &Function<'_>,
    [operation, size]: [&str; 2],
    runs: u32,
) -> anyhow::Result<(Measured, Arc<Plan>)> {
    let plan = session.prepare(function).with_context(|| operation.to_owned())?;
    let start = Instant::now();
    while start.elapsed() < WARM_UP {
        session.run(function, 1)?;
    }
    let mut ms = Vec::new();
    for _ in 0..runs {
        ms.push(session.run(function, 1)?.seconds * 1e3);
    }
    ms.sort_by(f64::total_cmp);
    let traffic = traffic(&plan.lowered);
    let measured = Measured {
        operation: operation.to_owned(),
        size: size.to_owned(),
        ms: ms[ms.len() / 2],
        ms_10: ms[ms.len() / 10],
        ms_90: ms[ms.len() * 9 / 10],
        rounds: traffic.rounds,
        bytes: traffic.links.values().map(|load| load.bytes).sum(),
        nodes: plan.lowered.len(),
    };
    Ok((measured, plan))
}

/// Writes the head of the table.
pub fn head(out: &mut impl Write) -> io::Result<()> {
    row(out, ["operation", "size", "ms", "rounds", "bytes", "nodes"].map(str::to_owned))
}

impl Measured {
    /// Writes a line of the table.
    pub fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let &Self { ms, rounds, bytes, nodes, .. } = self;
        let (operation, size) = (self.operation.clone(), self.size.clone());
        let [rounds, bytes, nodes] = [rounds.to_string(), bytes.to_string(), nodes.to_string()];
        row(out, [operation, size, format!("{ms:.2}"), rounds, bytes, nodes])
    }
}

fn row(out: &mut impl Write, columns: [String; 6]) -> io::Result<()> {
    let [operation, size, ms, rounds, bytes, nodes] = columns;
    writeln!(out, "{operation:<14}{size:>14}{ms:>12}{rounds:>8}{bytes:>14}{nodes:>10}")?;
    out.flush()
}
