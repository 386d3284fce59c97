//! The command line.

use clap::Parser;
use serde::Serialize;
use sordino::prelude::*;

use crate::common::options::{Common, plain_word};
use crate::common::{name, names};
use crate::program::Inputter;

/// Average the numbers of five inputters, who learn nothing of each other: one receiver learns the
/// mean, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "simple-average",
    mut_arg("seed", |arg| arg.help("Of the numbers that inputters draw")),
    mut_arg("data", |arg| arg.help("The folder of players in this process, for --input; players \
        elsewhere know where theirs is. Unless given, data/mnist here, or in the repository"))
)]
pub struct Options {
    /// The numbers of the inputter inputter-0: ten, from the file tensors/NAME-inputter-0.npy in its
    /// data, and so on for the others. Unless given, random numbers, others in each step.
    #[arg(long, value_name = "NAME", value_parser = plain_word)]
    pub input: Option<String>,
    /// How often the mean is computed after the first time, which is not measured.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,
    #[command(flatten)]
    pub common: Common,
}

/// What a report says of the options of this program alone.
#[derive(Debug, Serialize)]
pub struct Choices {
    input: Option<String>,
    steps: u32,
}

/// How many have numbers to average.
const INPUTTERS: usize = 5;

/// The players of the program.
pub struct Cast {
    pub inputters: Vec<Inputter>,
    pub receiver: PlayerName,
    pub servers: Vec<PlayerName>,
}

impl Options {
    /// Checks what can be known beforehand.
    pub fn check(&self) -> Result<(), String> {
        self.common.check(&Cast::new(self).setup(self).players, false)
    }

    pub fn choices(&self) -> Choices {
        Choices { input: self.input.clone(), steps: self.steps }
    }
}

impl Cast {
    pub fn new(options: &Options) -> Self {
        let inputter = |(player, i): (PlayerName, u32)| {
            let seed = options.common.seed.wrapping_mul(INPUTTERS as u32).wrapping_add(i);
            let file = options.input.as_ref().map(|name| format!("{name}-{player}"));
            Inputter { player, file, seed }
        };
        let inputters = names("inputter-", INPUTTERS).into_iter().zip(0..).map(inputter).collect();
        let (receiver, servers) = (name("result-receiver"), options.common.servers());
        Self { inputters, receiver, servers }
    }

    /// Players, protocol, and who may learn what: the receiver the mean of all inputters and of
    /// nothing less, which it may show.
    pub fn setup(&self, options: &Options) -> Setup {
        let inputters = self.inputters.iter().map(|inputter| &inputter.player);
        let players = inputters.chain([&self.receiver]).chain(&self.servers).cloned();
        Setup::new(players)
            .secure(options.common.protocol.name, self.servers.clone(), options.common.precision)
            .reveal(&self.receiver, self.inputters.len())
            .release(&self.receiver)
    }

    /// What each player does, in the order of the setup.
    pub fn roles(&self) -> Vec<(&PlayerName, String)> {
        let inputters = self.inputters.iter();
        let inputters = inputters.map(|inputter| (&inputter.player, "shares ten numbers"));
        let receiver = (&self.receiver, "learns the mean, and publishes it");
        let servers = self.servers.iter().map(|server| (server, "adds shares"));
        let roles = inputters.chain([receiver]).chain(servers);
        roles.map(|(player, role)| (player, role.to_owned())).collect()
    }
}
