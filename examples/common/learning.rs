//! What the examples that train have in common: which model goes with which data, optimizers,
//! weights in files.

#![allow(dead_code, reason = "each example uses a part of it")]

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use sordino::ops::data::{BatchRequest, Dataset, Split, npy};
use sordino::ops::nn::{Home, Loss, Optimizer, Trainer};
use sordino::prelude::*;

use crate::common::options::{Common, Place, datasets, plain_word};
use crate::models;

/// Examples a batch of training.
pub const BATCH: usize = 128;

/// Examples a batch of a test.
pub const TEST_BATCH: usize = 100;

/// What is learnt, and how.
#[derive(Debug, Args)]
pub struct Learning {
    /// The model.
    #[arg(value_parser = PossibleValuesParser::new(models::NAMES))]
    pub model: String,
    /// The data: Mnist; for logistic_regression LRMnist (0-4 against 5-9), or LogisticArtificial,
    /// made-up points on both sides of a hidden plane.
    #[arg(value_parser = datasets(Dataset::ALL))]
    pub dataset: Dataset,
    /// How the gradient changes the weights.
    #[arg(long, value_enum, default_value_t = Rule::Sgd)]
    pub optimizer: Rule,
    /// The optimizer's step size. Unless given, 0.1 for sgd and momentum, 0.001 for adam and
    /// amsgrad.
    #[arg(long, value_name = "R", allow_negative_numbers = true, value_parser = positive)]
    pub rate: Option<f64>,
    /// Begin with the weights that the model owner has in its data as tensors/NAME-….npy.
    #[arg(long, value_name = "NAME", value_parser = plain_word)]
    pub weights_in: Option<String>,
    /// Leave the weights in the model owner's data as tensors/NAME-….npy; the folder tensors must be
    /// there.
    #[arg(long, value_name = "NAME", value_parser = plain_word)]
    pub weights_out: Option<String>,
}

/// Optimizers by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// Gradient descent.
    Sgd,
    /// Gradient descent with 0.9 of the step before.
    Momentum,
    Adam,
    Amsgrad,
}

impl Learning {
    /// The model, for examples of the data set.
    pub fn model(&self) -> Sequential {
        let Some(model) = models::model(&self.model) else {
            unreachable!("the command line takes names of models only")
        };
        Sequential { input: self.dataset.shape().to_vec(), ..model }
    }

    /// The model at a home, with loss and optimizer.
    pub fn trainer(&self, home: Home) -> Trainer {
        let model = self.model();
        let loss = Loss::for_outputs(model.output().iter().product());
        Trainer { model, home, loss, optimizer: self.rule() }
    }

    /// The optimizer with its numbers.
    pub fn rule(&self) -> Optimizer {
        let rate = |default: f64| self.rate.unwrap_or(default);
        match self.optimizer {
            Rule::Sgd => Optimizer::Sgd { rate: rate(0.1), momentum: 0.0 },
            Rule::Momentum => Optimizer::Sgd { rate: rate(0.1), momentum: 0.9 },
            Rule::Adam => Optimizer::Adam { rate: rate(0.001) },
            Rule::Amsgrad => Optimizer::AmsGrad { rate: rate(0.001) },
        }
    }

    /// Whether players read the files of MNIST.
    pub fn mnist(&self) -> bool {
        self.dataset != Dataset::LogisticArtificial
    }

    /// Checks what can be known beforehand.
    pub fn check(&self, common: &Common) -> Result<(), String> {
        let Self { model, dataset, .. } = self;
        if (model == "logistic_regression") != (dataset.classes() == 2) {
            return Err(format!(
                "{model} does not go with {}: network_a to network_d go with Mnist, and \
                 logistic_regression with LRMnist and LogisticArtificial",
                dataset.name()
            ));
        }
        if let (Place::Local, Some(name)) = (&common.config, &self.weights_in) {
            self.check_weights(common, name)?;
        }
        let folder = common.data().join(npy::FOLDER);
        if let (Place::Local, Some(_), false) = (&common.config, &self.weights_out, folder.is_dir())
        {
            return Err(format!(
                "there is no folder {}: make it for --weights-out",
                folder.display()
            ));
        }
        Ok(())
    }

    /// Players elsewhere find out for themselves, in the first function that is run.
    fn check_weights(&self, common: &Common, name: &str) -> Result<(), String> {
        for parameter in self.model().parameters() {
            let file = file(name, &parameter.name);
            npy::check(&common.data(), &file, &parameter.ty().shape)
                .map_err(|error| format!("{error}; these are the weights of {}", self.model))?;
        }
        Ok(())
    }

    /// All test examples, batch by batch.
    pub fn tests(&self) -> BatchRequest {
        let (dataset, split) = (self.dataset, Split::Test);
        let range = 0..dataset.examples(split);
        BatchRequest { dataset, split, range, batch: TEST_BATCH, shuffle: None }
    }
}

/// The name of a parameter's file. Parameters have names like `dense_1/bias`.
fn file(name: &str, parameter: &str) -> String {
    format!("{name}-{}", parameter.replace('/', "-"))
}

/// Records that `player`'s variables get the weights of its files `name`.
pub fn load_weights(g: &Recording<'_>, model: &Sequential, player: &PlayerName, name: &str) {
    for parameter in model.parameters() {
        let value = load_tensor(g, player, &file(name, &parameter.name), &parameter.shape);
        assign(&parameter.name, value);
    }
}

/// Records that `player` leaves its variables in its files `name`.
pub fn save_weights(g: &Recording<'_>, model: &Sequential, player: &PlayerName, name: &str) {
    for parameter in model.parameters() {
        let value = read_variable(g, player, &parameter.name, &parameter.ty());
        save_tensor(&file(name, &parameter.name), value);
    }
}

/// One-hot labels for a model with a class an output; the labels themselves for one output.
pub fn targets<'r>(labels: Value<'r>, dataset: Dataset) -> Value<'r> {
    one_hot(labels, if dataset.classes() == 2 { 1 } else { dataset.classes() })
}

fn positive(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or("takes a number above 0")
}
