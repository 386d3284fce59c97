//! Federated learning with secure aggregation: see `README.md`, then [`program`], which is all that
//! is specific to it; the rest is a command line.

mod cast;
#[path = "../common/mod.rs"]
mod common;
#[path = "../models/mod.rs"]
mod models;
mod options;
mod program;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use sordino::ops::data::Split;

use crate::cast::Cast;
use crate::common::options::checked;
use crate::common::show::{self, Intro};
use crate::common::train::{Training, train};
use crate::options::Options;
use crate::program::{TEST_BATCH, federated_training, initialize, validate_model};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::exit_code(run)
}

fn run(start: Instant) -> anyhow::Result<()> {
    let options = checked(Options::check);
    let cast = Cast::new(&options);
    let intro = Intro {
        title: format!("{} on {}", options.model, options.dataset.name()),
        roles: cast.roles(),
        secrets: "Gradients are",
        learns: "After each epoch the model owner publishes loss and accuracy on its own test set.",
        exposed: "every data owner's gradients",
    };
    show::intro(&mut io::stdout(), &intro, &options.common)?;
    let rounds = options.rounds.rounds();
    let fewer = rounds.map(|rounds| cast.fewer(rounds.min_owners)).unwrap_or_default();
    let training = Training {
        initialization: initialize(&cast.model_owner),
        step: federated_training(&cast.model_owner, &cast.data_owners),
        rounds: rounds.map(|rounds| cast.in_rounds(rounds, &fewer)),
        before_test: None,
        test: validate_model(&cast.model_owner),
        end: None,
        epochs: options.epochs,
        steps: cast.steps_per_epoch(),
        tests: (options.dataset.examples(Split::Test) / TEST_BATCH) as u64,
        mnist: true,
    };
    train(
        (&options.common, &options.kept),
        cast.setup(&options),
        &training,
        options.choices(),
        start,
    )
}
