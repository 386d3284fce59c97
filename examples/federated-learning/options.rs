//! The command line. All of it is checked before anything starts or is written.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use sordino::ops::data::Dataset;
use sordino::ops::protocol::{LowerError, Protocol, protocol};
use sordino::players::Roster;
use sordino::prelude::*;

use crate::cast::Cast;
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
    #[arg(value_parser = datasets())]
    pub dataset: Dataset,
    /// How often every data owner goes through its data.
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// How secrets are shared.
    #[arg(long, default_value = "ABY3", value_parser = named_protocol)]
    pub protocol: Protocol,
    /// The list of players, {"NAME": "HOST:PORT", …}, each of them up; or local for all of them in
    /// this process, which protects nothing from whoever runs it.
    #[arg(long, value_name = "FILE|local", default_value = "local", value_parser = place)]
    pub config: Place,
    /// Fixed-point numbers: low has 64 bits with 16 after the point, high 128 with 32.
    #[arg(long, default_value = "low", value_parser = precisions())]
    pub precision: Fixed,
    /// Where the pictures of the computation go.
    #[arg(long, value_name = "DIR", default_value = "target/sordino/federated-learning")]
    pub view: PathBuf,
    /// Draw no pictures.
    #[arg(long, conflicts_with = "view")]
    pub no_view: bool,
    /// The data of players in this process; players elsewhere know where theirs is. Unless given,
    /// data/mnist here, or in the repository.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the report of the run goes. Unless given, report.json beside the pictures.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write the plans of this run to a file, before any player is asked to run them, and go on:
    /// for `sordino review` and `sordino sign`.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Of the first weights, and of the order in which examples are taken.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u32,
}

/// Where the players are.
#[derive(Debug, Clone)]
pub enum Place {
    /// In this process.
    Local,
    /// In processes of their own, listed in a file.
    Remote(PathBuf),
}

impl Options {
    /// The options of this process. Ends it with status 2 when they cannot be followed.
    pub fn checked() -> Self {
        let options = Self::parse();
        if let Err(message) = options.check() {
            Self::command().error(ErrorKind::ValueValidation, message).exit();
        }
        options
    }

    /// The folder with the data of players in this process.
    pub fn data(&self) -> PathBuf {
        let here = PathBuf::from("data/mnist");
        let repository = || Path::new(env!("CARGO_MANIFEST_DIR")).join(&here);
        let default = || if here.is_dir() { here.clone() } else { repository() };
        self.data.clone().unwrap_or_else(default)
    }

    /// The file of the run report.
    pub fn report(&self) -> PathBuf {
        self.report.clone().unwrap_or_else(|| self.view.join("report.json"))
    }

    /// `low` or `high`.
    pub fn precision(&self) -> &'static str {
        if self.precision == Fixed::HIGH { "high" } else { "low" }
    }

    fn check(&self) -> Result<(), String> {
        let two_classes = self.dataset.classes() == 2;
        if (self.model == "logistic_regression") != two_classes {
            return Err(format!(
                "{} does not go with {}: network_a to network_d go with Mnist, and \
                 logistic_regression with LRMnist",
                self.model,
                self.dataset.name()
            ));
        }
        match &self.config {
            Place::Remote(config) => {
                let roster = Roster::load(config).map_err(|error| error.to_string())?;
                let players = Cast::new(self).setup(self).players;
                roster.require(&players).map_err(|error| error.to_string())?;
            }
            Place::Local if !self.data().is_dir() => {
                return Err(format!(
                    "there is no folder {}: name the one with the files of MNIST with --data; the \
                     repository has it as data/mnist",
                    self.data().display()
                ));
            }
            Place::Local => {}
        }
        if let Some(plan) = &self.plan {
            can_be_written(plan)
                .map_err(|e| format!("{e}; name another file for the plans with --plan"))?;
        }
        if !self.no_view {
            can_hold(&self.view)
                .map_err(|e| format!("{e}; name another folder for the pictures with --view"))?;
        }
        can_be_written(&self.report())
            .map_err(|e| format!("{e}; name another file for the report with --report"))
    }
}

/// Checks that files can be put into `folder`, which need not exist yet, and leaves nothing.
fn can_hold(folder: &Path) -> Result<(), String> {
    let absolute = std::path::absolute(folder).map_err(|e| format!("bad folder: {e}"))?;
    let existing = absolute.ancestors().find(|ancestor| fs::symlink_metadata(ancestor).is_ok());
    let existing = existing.unwrap_or(&absolute);
    if !existing.is_dir() {
        return Err(format!(
            "cannot write into {}: {} is no folder",
            folder.display(),
            existing.display()
        ));
    }
    // What the system says of permissions is not all: only writing tells.
    let probe = existing.join(format!(".sordino-{}", std::process::id()));
    fs::File::create_new(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|e| format!("cannot write into {}: {e}", folder.display()))
}

fn can_be_written(file: &Path) -> Result<(), String> {
    // A device or a link would be replaced.
    if fs::symlink_metadata(file).is_ok_and(|data| !data.is_file()) || file.file_name().is_none() {
        return Err(format!("{} is there and no plain file", file.display()));
    }
    can_hold(file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(".".as_ref()))
}

fn datasets() -> impl TypedValueParser<Value = Dataset> {
    let names = PossibleValuesParser::new(Dataset::ALL.map(Dataset::name));
    names.try_map(|name| Dataset::from_name(&name).ok_or("no such dataset"))
}

fn precisions() -> impl TypedValueParser<Value = Fixed> {
    let names = PossibleValuesParser::new(["l", "low", "h", "high"]);
    names.map(|name| if name.starts_with('h') { Fixed::HIGH } else { Fixed::LOW })
}

fn named_protocol(name: &str) -> Result<Protocol, LowerError> {
    protocol(name)
}

fn place(text: &str) -> Result<Place, &'static str> {
    match text {
        "" => Err("give a file, or local"),
        "local" => Ok(Place::Local),
        file => Ok(Place::Remote(file.into())),
    }
}
