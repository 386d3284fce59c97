//! Seconds and memory of one aggregation of 118,282 weights, for more and more data owners.
//!
//!     cargo bench --bench owners [-- OWNERS...]

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::error::Error;
use std::time::Instant;

use sordino::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Weights of network_a.
const WEIGHTS: usize = 118_282;

#[secure_function]
fn aggregate(g: &Recording<'_>, owners: &[PlayerName], receiver: &PlayerName) {
    let shares = owners.iter().zip(1..).map(|(owner, seed)| {
        g.scope("private-input", || share(random_normal(g, owner, &[WEIGHTS], seed)))
    });
    let shares: Vec<_> = shares.collect();
    let mean = scale(add_n(shares), 1.0 / owners.len() as f64);
    publish("first", slice(reveal(mean, receiver), &[0], &[1], &[1]));
}

fn main() -> Result<(), Box<dyn Error>> {
    let counts: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![3, 10, 100, 1000] } else { counts };
    for count in counts {
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
        let plan = sordino::ops::Plan::new(function.record(&setup)?)?;
        println!(
            "{count}: plan {:.3} s, {} nodes",
            start.elapsed().as_secs_f64(),
            plan.lowered.len()
        );
        let start = Instant::now();
        let mut session = Session::local(setup, "data".as_ref(), None)?;
        session.prepare(&function)?;
        println!("{count}: prepared {:.3} s", start.elapsed().as_secs_f64());
        for _ in 0..3 {
            let run = session.run(&function, 1)?;
            let memory = run.reports.iter().map(|report| report.peak_memory).max().unwrap_or(0);
            println!("{count} owners: {:.3} s, peak {} MiB", run.seconds, memory >> 20);
        }
    }
    Ok(())
}
