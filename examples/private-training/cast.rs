//! Who takes part.

use sordino::ops::data::{BatchRequest, Split};
use sordino::ops::nn::{Home, Trainer};
use sordino::prelude::*;

use crate::common::name;
use crate::learning::BATCH;
use crate::options::{Cut, Options};
use crate::program::{Data, DataOwner, ModelOwner};

/// The players of the program, and what the servers train.
pub struct Cast {
    pub model_owner: ModelOwner,
    pub data: Data,
    pub servers: Vec<PlayerName>,
    pub trainer: Trainer,
}

impl Cast {
    pub fn new(options: &Options) -> Self {
        let learning = &options.learning;
        let seed = options.common.seed;
        let dataset = learning.dataset;
        let all = dataset.examples(Split::Train);
        let owner = |player: &str, range, batch, shuffle: u32| {
            let (split, shuffle) = (Split::Train, Some(shuffle));
            let batches = BatchRequest { dataset, split, range, batch, shuffle };
            DataOwner { player: name(player), batches }
        };
        let [first, second] = ["train-data-owner-0", "train-data-owner-1"];
        let data = match options.split {
            Cut::None => Data::Whole(owner("train-data-owner", 0..all, BATCH, seed)),
            Cut::Rows => Data::Rows([
                owner(first, 0..all / 2, BATCH / 2, seed),
                owner(second, all / 2..all, BATCH / 2, seed.wrapping_add(1)),
            ]),
            Cut::Columns => {
                Data::Columns([first, second].map(|player| owner(player, 0..all, BATCH, seed)))
            }
        };
        let model_owner = ModelOwner {
            player: name("model-owner"),
            seed,
            tests: learning.tests(),
            weights_in: learning.weights_in.clone(),
            weights_out: learning.weights_out.clone(),
        };
        // The weights derive from what all of them share.
        let data_owners = data.owners().iter().map(|owner| owner.player.clone());
        let owners = std::iter::once(model_owner.player.clone()).chain(data_owners).collect();
        let trainer = learning.trainer(Home::Secure(owners));
        Self { model_owner, data, servers: options.common.servers(), trainer }
    }

    /// Players, protocol, and who may learn what: the model owner the weights, and it may show how
    /// good they are. Over 1, because the function that reveals them reads them from variables, of
    /// which nobody can tell how many players' data they mix.
    pub fn setup(&self, options: &Options) -> Setup {
        let owner = &self.model_owner.player;
        let data_owners = self.data.owners();
        let players = data_owners.iter().map(|owner| &owner.player);
        let players = std::iter::once(owner).chain(players).chain(&self.servers).cloned();
        Setup::new(players)
            .secure(options.common.protocol.name, self.servers.clone(), options.common.precision)
            .reveal(owner, 1)
            .release(owner)
    }

    /// Steps in which the servers go through the data once, a remainder left out.
    pub fn steps_per_epoch(&self) -> u64 {
        let batches = &self.data.owners()[0].batches;
        (batches.range.len() / batches.batch) as u64
    }

    /// What each player does, in the order of the setup.
    pub fn roles(&self) -> Vec<(&PlayerName, String)> {
        let model_owner = (
            &self.model_owner.player,
            "shares first weights; learns the weights after each epoch, and tests them".to_owned(),
        );
        let what = |i: usize| match (&self.data, i) {
            (Data::Whole(_) | Data::Rows(_), _) => "training examples",
            (Data::Columns(_), 0) => "the left half, and the labels, of training examples",
            (Data::Columns(_), _) => "the right half of training examples",
        };
        let data_owners = self.data.owners().iter().enumerate().map(|(i, owner)| {
            let range = &owner.batches.range;
            let role = format!("shares {} {} to {}", what(i), range.start, range.end - 1);
            (&owner.player, role)
        });
        let server = |server| (server, "trains on shares".to_owned());
        let servers = self.servers.iter().map(server);
        std::iter::once(model_owner).chain(data_owners).chain(servers).collect()
    }
}
