//! What the examples have in common: the command line, the terminal, the report of a run, and a
//! training. Each includes it by its path.

#![allow(dead_code, reason = "each example uses a part of it")]

pub mod kept;
pub mod options;
pub mod report;
pub mod rounds;
pub mod run;
pub mod show;
pub mod table;
pub mod train;
mod writable;

use std::process::ExitCode;
use std::time::Instant;

use sordino::prelude::*;

/// The name of the example.
pub const NAME: &str = env!("CARGO_BIN_NAME");

/// Runs an example, and says what went wrong.
pub fn exit_code(run: impl FnOnce(Instant) -> anyhow::Result<()>) -> ExitCode {
    match run(Instant::now()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{NAME}: {}", show::causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// A player's name that the program has in its own text.
pub fn name(text: &str) -> PlayerName {
    match text.parse() {
        Ok(name) => name,
        Err(error) => unreachable!("{error}"),
    }
}

/// `name0`, `name1`, …
pub fn names(prefix: &str, n: usize) -> Vec<PlayerName> {
    (0..n).map(|i| name(&format!("{prefix}{i}"))).collect()
}
