//! Seconds and memory of one aggregation of 118,282 weights, for more and more data owners.
//!
//!     cargo bench --bench owners [-- [memory|quic] [OWNERS...]]
//!
//! First all players are in this process. What owners and servers hold before the first step, plans
//! and sessions, is told apart from what a step takes on top of it: that is what its values take, of
//! owners and servers together. Then over QUIC, where a server is a process by itself: see [`quic`].

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod quic;

use std::error::Error;
use std::process::Command;
use std::time::Instant;

use sordino::ops::Plan;
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

/// The first argument of a process that measures a row; then come the owners.
const ROW: &str = "--row";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [row, count] if row == ROW => return measure(count.parse()?),
        [owners, config, names @ ..] if owners == quic::OWNERS => {
            return quic::be(config.as_ref(), names);
        }
        _ => {}
    }
    let mut counts: Vec<usize> = arguments.iter().filter_map(|word| word.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![3, 10, 100, 1000];
    }
    let wants = |what: &str| {
        let other = |word: &String| ["memory", "quic"].contains(&word.as_str()) && word != what;
        !arguments.iter().any(other)
    };
    if wants("memory") {
        println!("owners   plan ms   ready ms   step ms   MiB before   MiB on top");
        counts.iter().try_for_each(|&count| by_itself(count))?;
    }
    if wants("quic") {
        println!("over QUIC:\nowners   ready ms   step ms   MiB of a server");
        counts.iter().try_for_each(|&count| quic::measure(count))?;
    }
    Ok(())
}

/// Who takes part.
struct Cast {
    owners: Vec<PlayerName>,
    servers: Vec<PlayerName>,
    receiver: PlayerName,
}

impl Cast {
    fn new(owners: usize) -> Result<Self, Box<dyn Error>> {
        let names = |kind: &str, n: usize| (0..n).map(|i| format!("{kind}{i}").parse()).collect();
        let owners: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("data-owner-", owners))?;
        let servers: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("server", 3))?;
        Ok(Self { owners, servers, receiver: "model-owner".parse()? })
    }

    fn players(&self) -> Vec<PlayerName> {
        [vec![self.receiver.clone()], self.owners.clone(), self.servers.clone()].concat()
    }

    fn setup(&self) -> Setup {
        Setup::new(self.players())
            .secure("ABY3", self.servers.clone(), Fixed::LOW)
            .reveal(&self.receiver, 2)
            .release(&self.receiver)
    }
}

/// A row of a process of its own, so that none has the memory of those before.
fn by_itself(count: usize) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    let status = command.args([ROW, &count.to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(format!("{count} owners: {status}").into()) }
}

fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let cast = Cast::new(count)?;
    let (setup, function) = (cast.setup(), aggregate(&cast.owners, &cast.receiver));

    let start = Instant::now();
    let graph = function.record(&setup)?;
    Plan::new(graph)?;
    let plan = start.elapsed().as_secs_f64() * 1e3;
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
    println!("{count:6} {plan:9.1} {ready:10.1} {step:9.1} {before:12} {on_top:12}");
    Ok(())
}

/// Mebibytes of this process: `VmRSS` for those it has, `VmHWM` for the most it had.
fn memory(kind: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(':'));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) >> 10
}
