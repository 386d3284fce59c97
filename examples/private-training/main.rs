//! Training on data that nobody may see: see `README.md`, then [`program`], which is all that is
//! specific to it; the rest is a command line.

mod cast;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/learning.rs"]
mod learning;
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
use crate::learning::TEST_BATCH;
use crate::options::Options;
use crate::program::{initialize, private_training, reveal_model, save_model, validate_model};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    common::exit_code(run)
}

fn run(start: Instant) -> anyhow::Result<()> {
    let options = checked(Options::check);
    let (learning, cast) = (&options.learning, Cast::new(&options));
    let intro = Intro {
        title: format!("{} on {}", learning.model, learning.dataset.name()),
        roles: cast.roles(),
        secrets: "Examples and weights are",
        learns: "After each epoch the model owner learns the weights, and publishes loss and \
                 accuracy on its own test set.",
        exposed: "all examples and weights",
    };
    show::intro(&mut io::stdout(), &intro, &options.common)?;
    let (owner, trainer) = (&cast.model_owner, &cast.trainer);
    let training = Training {
        initialization: initialize(owner, trainer),
        step: private_training(&cast.data, trainer),
        rounds: None,
        before_test: Some(reveal_model(owner, trainer)),
        test: validate_model(owner, trainer),
        end: learning.weights_out.is_some().then(|| save_model(owner, trainer)),
        epochs: options.epochs,
        steps: cast.steps_per_epoch(),
        tests: (learning.dataset.examples(Split::Test) / TEST_BATCH) as u64,
        mnist: learning.mnist(),
    };
    train(
        (&options.common, &options.kept),
        cast.setup(&options),
        &training,
        options.choices(),
        start,
    )
}
