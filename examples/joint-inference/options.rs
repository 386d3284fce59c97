//! The command line.

use clap::Parser;
use serde::Serialize;
use sordino::ops::data::{BatchRequest, Split};
use sordino::ops::nn::{Home, Trainer};
use sordino::prelude::*;

use crate::common::name;
use crate::common::options::Common;
use crate::learning::{BATCH, Learning};
use crate::program::{Client, ModelOwner};

/// Predict with a model and an input that are both private: the client learns the probabilities of
/// the classes, and nobody learns anything else.
#[derive(Debug, Parser)]
#[command(name = "joint-inference")]
pub struct Options {
    #[command(flatten)]
    pub learning: Learning,
    /// How often the model owner goes through its data before it shares the weights. Unless given,
    /// 1, and 0 with --weights-in.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub epochs: Option<u32>,
    /// How many batches of 100 test examples the client has predicted; the first is not measured.
    #[arg(long, value_name = "N", default_value_t = 100, allow_negative_numbers = true,
        value_parser = clap::value_parser!(u32).range(2..))]
    pub batches: u32,
    #[command(flatten)]
    pub common: Common,
}

/// What a report says of the options of this program alone.
#[derive(Debug, Serialize)]
pub struct Choices {
    model: String,
    dataset: &'static str,
    optimizer: String,
    epochs: u32,
    batches: u32,
}

impl Options {
    /// Checks what can be known beforehand.
    pub fn check(&self) -> Result<(), String> {
        self.learning.check(&self.common)?;
        self.common.check(&Cast::new(self).setup(self).players, self.learning.mnist())
    }

    /// How often the model owner goes through its data.
    pub fn epochs(&self) -> u32 {
        self.epochs.unwrap_or(if self.learning.weights_in.is_some() { 0 } else { 1 })
    }

    pub fn choices(&self) -> Choices {
        let learning = &self.learning;
        Choices {
            model: learning.model.clone(),
            dataset: learning.dataset.name(),
            optimizer: format!("{:?}", learning.rule()),
            epochs: self.epochs(),
            batches: self.batches,
        }
    }
}

/// The players of the program, and the model at both its homes.
pub struct Cast {
    pub model_owner: ModelOwner,
    pub client: Client,
    pub servers: Vec<PlayerName>,
    pub plaintext: Trainer,
    pub secure: Trainer,
}

impl Cast {
    pub fn new(options: &Options) -> Self {
        let learning = &options.learning;
        let (dataset, seed) = (learning.dataset, options.common.seed);
        let (split, range) = (Split::Train, 0..dataset.examples(Split::Train));
        let batches = BatchRequest { dataset, split, range, batch: BATCH, shuffle: Some(seed) };
        let (weights_in, weights_out) = (learning.weights_in.clone(), learning.weights_out.clone());
        let player = name("model-owner");
        let plaintext = learning.trainer(Home::Player(player.clone()));
        let secure = learning.trainer(Home::Secure(vec![player.clone()]));
        let model_owner = ModelOwner { player, seed, batches, weights_in, weights_out };
        let client = Client { player: name("prediction-client"), batches: learning.tests() };
        Self { model_owner, client, servers: options.common.servers(), plaintext, secure }
    }

    /// Players, protocol, and who may learn what: the client what the model says of its images,
    /// and it may show how much of that is right.
    pub fn setup(&self, options: &Options) -> Setup {
        let owners = [&self.model_owner.player, &self.client.player];
        let players = owners.into_iter().chain(&self.servers).cloned();
        Setup::new(players)
            .secure(options.common.protocol.name, self.servers.clone(), options.common.precision)
            .reveal(&self.client.player, 1)
            .release(&self.client.player)
    }

    /// Steps in which the model owner goes through its data once, a remainder left out.
    pub fn steps_per_epoch(&self) -> u64 {
        let batches = &self.model_owner.batches;
        (batches.range.len() / batches.batch) as u64
    }

    /// What each player does, in the order of the setup.
    pub fn roles(&self) -> Vec<(&PlayerName, String)> {
        let owner = (&self.model_owner.player, "trains in plaintext, shares the weights once");
        let client = (&self.client.player, "shares test examples, learns the predictions");
        let servers = self.servers.iter().map(|server| (server, "predicts on shares"));
        let roles = [owner, client].into_iter().chain(servers);
        roles.map(|(player, role)| (player, role.to_owned())).collect()
    }
}
