//! What the driver's process does: trains, and says how it went, a line each.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use sordino::ops::data::Dataset;
use sordino::prelude::*;

use crate::common::program::{ModelOwner, federated_training, initialize};
use crate::common::{parties, setup};

/// Variables of its environment: the list of players, the model, the session to go on with.
pub const CONFIG: &str = "SORDINO_FAULTS_CONFIG";
pub const MODEL: &str = "SORDINO_FAULTS_MODEL";
pub const RESUME: &str = "SORDINO_FAULTS_RESUME";

/// Marks before what it says.
pub const SESSION: &str = "<session> ";
pub const TRAINED: &str = "<trained> ";
pub const FAILED: &str = "<failed> ";

/// Steps of a run, and between two checkpoints.
pub const STEPS: u64 = 12;
const CHECKPOINT: u64 = 3;

#[secure_function]
fn publish_weights(g: &Recording<'_>, owner: &ModelOwner) {
    for parameter in owner.model.parameters() {
        let weight = read_variable(g, &owner.player, &parameter.name, &parameter.ty());
        publish(&parameter.name, weight);
    }
}

/// The process, if it is one.
#[allow(clippy::print_stdout, reason = "its parent reads it")]
pub fn main() {
    let Ok(config) = std::env::var(CONFIG) else { return };
    match train(config.into()) {
        Ok(digest) => println!("{TRAINED}{digest}"),
        Err(error) => println!("{FAILED}{}", error.to_string().replace('\n', " | ")),
    }
}

#[allow(clippy::print_stdout, reason = "its parent reads it")]
fn train(config: PathBuf) -> Result<String, Box<dyn std::error::Error>> {
    let model = std::env::var(MODEL)?;
    let dataset = if model == "logistic_regression" { Dataset::LrMnist } else { Dataset::Mnist };
    let (owner, data_owners) = parties(&model, dataset);
    let (first, step) = (initialize(&owner), federated_training(&owner, &data_owners));
    let mut session = Session::remote(setup("ABY3", Fixed::LOW), &config)?;
    session.checkpoint_every(CHECKPOINT);
    match std::env::var(RESUME)?.as_str() {
        "" => {}
        resumed => session.resume(resumed.parse()?)?,
    }
    println!("\n{SESSION}{}", session.id());
    if session.steps_of(&first)? == 0 {
        session.run(&first, 1)?;
    }
    let left = STEPS - session.steps_of(&step)?;
    if left > 0 {
        session.run(&step, left)?;
    }
    let run = session.run(&publish_weights(&owner), 1)?;
    let mut weights: Vec<_> = run.published.into_iter().map(|(_, value)| value).collect();
    weights.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hasher = DefaultHasher::new();
    for value in weights {
        value.name.hash(&mut hasher);
        value.elements.iter().for_each(|element| element.to_bits().hash(&mut hasher));
    }
    Ok(format!("{:016x}", hasher.finish()))
}
