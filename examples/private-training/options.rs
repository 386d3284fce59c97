//! The command line.

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::cast::Cast;
use crate::common::kept::Kept;
use crate::common::options::Common;
use crate::learning::Learning;

/// Train a model on data that nobody may see: the model owner learns the weights after each epoch,
/// and nothing else.
#[derive(Debug, Parser)]
#[command(name = "private-training")]
pub struct Options {
    #[command(flatten)]
    pub learning: Learning,
    /// How the data is split between owners: not at all; rows, each has half of the examples; or
    /// columns, each has half of the numbers of every example, and one has the labels.
    #[arg(long, value_enum, default_value_t = Cut::None)]
    pub split: Cut,
    /// How often the servers go through the data.
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    #[command(flatten)]
    pub kept: Kept,
    #[command(flatten)]
    pub common: Common,
}

/// Splits by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cut {
    None,
    Rows,
    Columns,
}

/// What a report says of the options of this program alone.
#[derive(Debug, Serialize)]
pub struct Choices {
    model: String,
    dataset: &'static str,
    optimizer: String,
    split: String,
    epochs: u32,
}

impl Options {
    /// Checks what can be known beforehand.
    pub fn check(&self) -> Result<(), String> {
        self.learning.check(&self.common)?;
        self.kept.check(&self.common)?;
        self.common.check(&Cast::new(self).setup(self).players, self.learning.mnist())
    }

    pub fn choices(&self) -> Choices {
        let learning = &self.learning;
        Choices {
            model: learning.model.clone(),
            dataset: learning.dataset.name(),
            optimizer: format!("{:?}", learning.rule()),
            split: format!("{:?}", self.split).to_lowercase(),
            epochs: self.epochs,
        }
    }
}
