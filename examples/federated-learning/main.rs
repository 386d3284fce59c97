//! Federated learning with secure aggregation: see `README.md`, then [`program`], which is all that
//! is specific to it; the rest is a command line.

mod cast;
#[path = "../models/mod.rs"]
mod models;
mod options;
mod program;
mod report;
mod show;
mod table;
mod train;

use std::process::ExitCode;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let start = Instant::now();
    // Ends the process with status 2 when the command line is wrong.
    let options = options::Options::checked();
    match train::train(&options, start) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("federated-learning: {}", show::causes(&error));
            ExitCode::FAILURE
        }
    }
}
