//! The command line.

use clap::Parser;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use sordino::ops::data::Dataset;

use crate::cast::{Cast, DATA_OWNERS};
use crate::common::kept::Kept;
use crate::common::options::{Common, datasets};
use crate::common::rounds::RoundsOptions;
use crate::models;

/// Train a model on the data of three owners who keep it private: the model owner learns the mean
/// of their gradients in each step, and nothing else of them.
#[derive(Debug, Parser)]
#[command(name = "federated-learning")]
pub struct Options {
    /// What to train.
    #[arg(value_parser = PossibleValuesParser::new(models::NAMES))]
    pub model: String,
    /// What to train it on: Mnist, or LRMnist (0-4 against 5-9) for logistic_regression.
    #[arg(value_parser = datasets([Dataset::Mnist, Dataset::LrMnist]))]
    pub dataset: Dataset,
    /// How often every data owner goes through its data.
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    #[command(flatten)]
    pub rounds: RoundsOptions,
    #[command(flatten)]
    pub kept: Kept,
    #[command(flatten)]
    pub common: Common,
}

/// What a report says of the options of this program alone.
#[derive(Debug, Serialize)]
pub struct Choices {
    model: String,
    dataset: &'static str,
    epochs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_owners: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round_timeout: Option<f64>,
}

impl Options {
    pub fn choices(&self) -> Choices {
        let Self { model, dataset, epochs, .. } = self;
        let rounds = self.rounds.rounds();
        Choices {
            model: model.clone(),
            dataset: dataset.name(),
            epochs: *epochs,
            min_owners: rounds.map(|rounds| rounds.min_owners),
            round_timeout: rounds.map(|rounds| rounds.timeout.as_secs_f64()),
        }
    }

    /// Checks what can be known beforehand.
    pub fn check(&self) -> Result<(), String> {
        let two_classes = self.dataset.classes() == 2;
        if (self.model == "logistic_regression") != two_classes {
            return Err(format!(
                "{} does not go with {}: network_a to network_d go with Mnist, and \
                 logistic_regression with LRMnist",
                self.model,
                self.dataset.name()
            ));
        }
        self.rounds.check(DATA_OWNERS)?;
        self.kept.check(&self.common)?;
        self.common.check(&Cast::new(self).setup(self).players, true)
    }
}
