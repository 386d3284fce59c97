//! What the driver's process does: trains, and says how it went, a line each.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use sordino::ops::data::Dataset;
use sordino::prelude::*;

use crate::common::program::{DataOwner, ModelOwner, federated_training, initialize};
use crate::common::{data_owners, parties, setup};
use crate::count;

/// Variables of its environment: the list of players, the model, the session to go on with.
pub const CONFIG: &str = "SORDINO_FAULTS_CONFIG";
pub const MODEL: &str = "SORDINO_FAULTS_MODEL";
pub const RESUME: &str = "SORDINO_FAULTS_RESUME";
/// And how many data owners are needed: if given, the others may come and go.
pub const OWNERS: &str = "SORDINO_FAULTS_OWNERS";
/// And the file that says when it is enough, for a driver that counts who takes part.
pub const ENOUGH: &str = "SORDINO_FAULTS_ENOUGH";

/// Marks before what it says.
pub const SESSION: &str = "<session> ";
pub const TRAINED: &str = "<trained> ";
pub const FAILED: &str = "<failed> ";
pub const DONE: &str = "<done> ";
pub const BEGUN: &str = "<begun>";
pub const LEFT: &str = "<left> ";
pub const WITHOUT: &str = "<without>";
pub const RETURNED: &str = "<returned> ";
pub const SHORT: &str = "<short> ";

/// Steps of a run, and between two checkpoints.
pub const STEPS: u64 = 12;
pub const CHECKPOINT: u64 = 3;

/// How long a round waits for an owner.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// Steps that are asked for at a time, when owners come and go.
const ROUNDS: u64 = 20;

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
    let owners = std::env::var(OWNERS).ok().and_then(|owners| owners.parse().ok());
    let trained = match (owners, std::env::var_os(ENOUGH)) {
        (Some(owners), Some(enough)) => count::run(config.as_ref(), owners, enough.as_ref()),
        (Some(owners), None) => train_in_rounds(config.into(), owners),
        (None, _) => train(config.into()),
    };
    match trained {
        Ok(digest) => println!("{TRAINED}{digest}"),
        Err(error) => println!("{FAILED}{}", error.to_string().replace('\n', " | ")),
    }
}

#[allow(clippy::print_stdout, reason = "its parent reads it")]
fn train(config: PathBuf) -> Result<String, Box<dyn std::error::Error>> {
    let (owner, data_owners) = all()?;
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

fn all() -> Result<(ModelOwner, Vec<DataOwner>), std::env::VarError> {
    let model = std::env::var(MODEL)?;
    let dataset = if model == "logistic_regression" { Dataset::LrMnist } else { Dataset::Mnist };
    Ok(parties(&model, dataset))
}

/// Trains until someone has left and come back, and some steps more. Says who took part in how many
/// steps, one after the other.
#[allow(clippy::print_stdout, reason = "its parent reads it")]
fn train_in_rounds(
    config: PathBuf,
    min_owners: usize,
) -> Result<String, Box<dyn std::error::Error>> {
    let (owner, all) = all()?;
    let setup = setup("ABY3", Fixed::LOW);
    let mut session = Session::remote_without(
        &data_owners(),
        &sordino::players::roster::driver_name(),
        setup,
        &config,
    )?;
    session.checkpoint_every(CHECKPOINT);
    match std::env::var(RESUME)?.as_str() {
        "" => session.run(&initialize(&owner), 1).map(drop)?,
        resumed => session.resume(resumed.parse()?)?,
    }
    println!("\n{SESSION}{}", session.id());
    println!("{DONE}{}", session.steps_of(&federated_training(&owner, &all))?);
    let rounds = Rounds { min_owners, timeout: TIMEOUT };
    let record =
        |present: &[DataOwner], setup: &Setup| federated_training(&owner, present).record(setup);
    let (mut left, mut returned, mut after) = (false, false, false);
    let mut took = Vec::<(String, u64)>::new();
    while !after {
        after = returned;
        let run = session.run_rounds(&rounds, &all, record, ROUNDS, |event| match event {
            Event::Progress { .. } => println!("{}", if left { WITHOUT } else { BEGUN }),
            Event::Left { player, reason, .. } => {
                left = true;
                println!("{LEFT}{player}: {reason}");
            }
            Event::Returned { player, .. } => {
                returned = true;
                println!("{RETURNED}{player}");
            }
            Event::Short { missing, needed, .. } => println!("{SHORT}{needed} of {missing:?}"),
            _ => {}
        })?;
        println!("{DONE}{}", session.steps_of(&federated_training(&owner, &all))?);
        for span in run.participation {
            let names: Vec<_> = span.owners.iter().map(PlayerName::as_str).collect();
            let (names, steps) = (names.join(" "), span.steps.end - span.steps.start);
            match took.last_mut() {
                Some((last, count)) if *last == names => *count += steps,
                _ => took.push((names, steps)),
            }
        }
    }
    Ok(took.into_iter().map(|(names, steps)| format!("{steps} {names}; ")).collect())
}
