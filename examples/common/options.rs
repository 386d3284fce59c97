//! What all examples take on the command line. All of it is checked before anything starts or is
//! written.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Parser};
use sordino::ops::data::Dataset;
use sordino::ops::data::npy::is_plain_word;
use sordino::ops::protocol::{LowerError, Protocol, protocol};
use sordino::players::{DRIVER, Roster};
use sordino::prelude::*;

use super::writable::{can_be_written, can_hold};

/// Where the pictures go unless told.
const VIEW: &str = concat!("target/sordino/", env!("CARGO_BIN_NAME"));

/// Options of every example.
#[derive(Debug, Args)]
pub struct Common {
    /// How secrets are shared.
    #[arg(long, default_value = "ABY3", value_parser = named_protocol)]
    pub protocol: Protocol,
    /// The list of players, {"NAME": "HOST:PORT", …}, each of them up; or local for all of them in
    /// this process, which protects nothing from whoever runs it.
    #[arg(long, value_name = "FILE|local", default_value = "local", value_parser = place)]
    pub config: Place,
    /// As which driver to ask players elsewhere: its certificate and key are beside the list.
    #[arg(long, value_name = "NAME", default_value = DRIVER)]
    pub driver: PlayerName,
    /// Fixed-point numbers: low has 64 bits with 16 after the point, high 128 with 32.
    #[arg(long, default_value = "low", value_parser = precisions())]
    pub precision: Fixed,
    /// Where the pictures of the computation go.
    #[arg(long, value_name = "DIR", default_value = VIEW)]
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

/// The options of this process. Ends it with status 2 when they cannot be followed, or `check` finds
/// something wrong.
pub fn checked<P: Parser>(check: impl FnOnce(&P) -> Result<(), String>) -> P {
    let options = P::parse();
    match check(&options) {
        Ok(()) => options,
        Err(reason) => P::command().error(ErrorKind::ValueValidation, reason).exit(),
    }
}

impl Common {
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

    /// The protocol's servers.
    pub fn servers(&self) -> Vec<PlayerName> {
        super::names("server", self.protocol.servers)
    }

    /// Checks what can be known beforehand, for a program of these `players`, of which some read
    /// the files of MNIST or do not.
    pub fn check(&self, players: &[PlayerName], mnist: bool) -> Result<(), String> {
        match &self.config {
            Place::Remote(config) => {
                let roster = Roster::load(config).map_err(|error| error.to_string())?;
                roster.require(players).map_err(|error| error.to_string())?;
            }
            Place::Local if mnist && !self.data().is_dir() => {
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

/// Takes the names of these data sets.
pub fn datasets<const N: usize>(choice: [Dataset; N]) -> impl TypedValueParser<Value = Dataset> {
    let names = PossibleValuesParser::new(choice.map(Dataset::name));
    names.try_map(|name| Dataset::from_name(&name).ok_or("no such dataset"))
}

/// Takes a plain word, as players name tensors in their data.
pub fn plain_word(text: &str) -> Result<String, &'static str> {
    let word = is_plain_word(text) && text.len() <= 40;
    word.then(|| text.to_owned()).ok_or("takes a word of a-z, 0-9, - and _, no path")
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
