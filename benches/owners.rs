//! Seconds and memory of one aggregation of 118,282 weights, for more and more data owners.
//!
//!     cargo bench --bench owners [-- OWNERS...]
//!
//! All players are in this process. What owners and servers hold before the first step, plans and
//! sessions, is told apart from what a step takes on top of it: that is what its values take, of
//! owners and servers together. What a server by itself holds before is measured in a process that
//! only reads the plan, as a server does.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use sordino::graph::{Graph, parse, print_with_sources};
use sordino::ops::{Plan, op_set};
use sordino::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Weights of network_a.
const WEIGHTS: usize = 118_282;

const STEPS: usize = 5;

#[secure_function]
fn aggregate(g: &Recording<'_>, owners: &[PlayerName], receiver: &PlayerName) {
    let shares = owners.iter().zip(1..).map(|(owner, seed)| {
        g.scope("private-input", || share(random_normal(g, owner, &[WEIGHTS], seed)))
    });
    let shares: Vec<_> = shares.collect();
    let mean = scale(add_n(shares), 1.0 / owners.len() as f64);
    publish("first", slice(reveal(mean, receiver), &[0], &[1], &[1]));
}

/// The argument of a process that reads a plan.
const READER: &str = "--reader";

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == READER) {
        let plan = Plan::new(parse(&std::io::read_to_string(std::io::stdin())?, &op_set())?)?;
        println!("{}", memory("VmHWM"));
        drop(plan);
        return Ok(());
    }
    let arguments = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let mut counts: Vec<usize> = arguments.collect();
    if counts.is_empty() {
        counts = vec![3, 10, 100, 1000];
    }
    println!("owners   plan ms   ready ms   step ms   MiB before   MiB on top   MiB of a reader");
    counts.into_iter().try_for_each(measure)
}

fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let names = |kind: &str, n: usize| (0..n).map(|i| format!("{kind}{i}").parse()).collect();
    let owners: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("data-owner-", count))?;
    let servers: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("server", 3))?;
    let receiver: PlayerName = "model-owner".parse()?;
    let players = [vec![receiver.clone()], owners.clone(), servers.clone()].concat();
    let setup = Setup::new(players)
        .secure("ABY3", servers, Fixed::LOW)
        .reveal(&receiver, 2)
        .release(&receiver);
    let function = aggregate(&owners, &receiver);

    let start = Instant::now();
    let graph = function.record(&setup)?;
    Plan::new(graph.clone())?;
    let plan = start.elapsed().as_secs_f64() * 1e3;
    let reader = reader(&graph)?;
    let start = Instant::now();
    let mut session = Session::local(setup, "data".as_ref(), None)?;
    session.prepare(&function)?;
    let ready = start.elapsed().as_secs_f64() * 1e3;

    let before = memory("VmRSS");
    let mut steps = Vec::new();
    for _ in 0..STEPS {
        steps.push(session.run(&function, 1)?.seconds * 1e3);
    }
    steps.sort_by(f64::total_cmp);
    let (step, on_top) = (steps[STEPS / 2], memory("VmHWM").saturating_sub(before));
    println!("{count:6} {plan:9.1} {ready:10.1} {step:9.1} {before:12} {on_top:12} {reader:>17}");
    Ok(())
}

/// Mebibytes that a process has needed that has read a graph and planned it.
fn reader(graph: &Graph) -> Result<String, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command.arg(READER).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().ok_or("the reader takes nothing")?;
    input.write_all(print_with_sources(graph).as_bytes())?;
    drop(input);
    Ok(String::from_utf8(child.wait_with_output()?.stdout)?.trim().to_owned())
}

/// Mebibytes of this process: `VmRSS` for those it has, `VmHWM` for the most it had.
fn memory(kind: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) >> 10
}
