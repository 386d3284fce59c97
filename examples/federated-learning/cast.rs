//! Who takes part, under the names that TF Encrypted's `config.json` has for them.

use sordino::ops::data::{BatchRequest, Split};
use sordino::prelude::*;

use crate::common::rounds::InRounds;
use crate::common::{name, names};
use crate::models;
use crate::options::Options;
use crate::program::{DataOwner, ModelOwner, federated_training};

/// Examples a batch of a data owner.
const BATCH: usize = 128;

/// How many data owners share the training images among them.
pub const DATA_OWNERS: usize = 3;

/// The players of the program.
pub struct Cast {
    pub model_owner: ModelOwner,
    pub data_owners: Vec<DataOwner>,
    pub servers: Vec<PlayerName>,
}

impl Cast {
    pub fn new(options: &Options) -> Self {
        let (dataset, seed) = (options.dataset, options.common.seed);
        let Some(model) = models::model(&options.model) else {
            unreachable!("the command line takes names of models only")
        };
        let third = dataset.examples(Split::Train) / DATA_OWNERS;
        let players = names("train-data-owner-", DATA_OWNERS);
        let data_owner = |(i, player): (usize, PlayerName)| {
            let range = i * third..(i + 1) * third;
            // Orders of their own: data owners know nothing of each other.
            let shuffle =
                Some(seed.wrapping_sub(1).wrapping_mul(DATA_OWNERS as u32).wrapping_add(i as u32));
            let batches =
                BatchRequest { dataset, split: Split::Train, range, batch: BATCH, shuffle };
            DataOwner { player, model: model.clone(), batches }
        };
        let data_owners = players.into_iter().enumerate().map(data_owner).collect();
        let servers = options.common.servers();
        let model_owner = ModelOwner { player: name("model-owner"), model, dataset, seed };
        Self { model_owner, data_owners, servers }
    }

    /// Players, protocol, and who may learn what: the model owner what mixes the data of at least
    /// two others, or of as many as each step is to have; and what the model owner has, the weights
    /// above all, may be shown to others.
    pub fn setup(&self, options: &Options) -> Setup {
        let owner = &self.model_owner.player;
        let data_owners = self.data_owners.iter().map(|owner| &owner.player);
        let players = std::iter::once(owner).chain(data_owners).chain(&self.servers).cloned();
        Setup::new(players)
            .secure(options.common.protocol.name, self.servers.clone(), options.common.precision)
            .reveal(owner, options.rounds.min_owners.unwrap_or(2))
            .release(owner)
    }

    /// Each set of at least so many data owners, but that of all.
    pub fn fewer(&self, least: usize) -> Vec<Vec<DataOwner>> {
        let sets =
            (0..(1_usize << DATA_OWNERS) - 1).filter(|set| set.count_ones() as usize >= least);
        let owners = self.data_owners.iter().enumerate();
        let of = |set| owners.clone().filter(move |(i, _)| set >> i & 1 == 1);
        sets.map(|set| of(set).map(|(_, owner)| owner.clone()).collect()).collect()
    }

    /// Trains with those data owners who are there.
    pub fn in_rounds<'a>(&'a self, rounds: Rounds, fewer: &'a [Vec<DataOwner>]) -> InRounds<'a> {
        let owners = self.data_owners.iter().map(|owner| owner.player.clone()).collect();
        let record = |present: &[DataOwner], setup: &Setup| {
            federated_training(&self.model_owner, present).record(setup)
        };
        let fewer = fewer.iter().map(|present| federated_training(&self.model_owner, present));
        InRounds {
            owners,
            fewer: fewer.collect(),
            run: Box::new(move |session, steps, watch| {
                session.run_rounds(&rounds, &self.data_owners, record, steps, watch)
            }),
        }
    }

    /// Steps in which a data owner goes through its data once, a remainder left out.
    pub fn steps_per_epoch(&self) -> u64 {
        let batches = &self.data_owners[0].batches;
        (batches.range.len() / batches.batch) as u64
    }

    /// What each player does, in the order of the setup.
    pub fn roles(&self) -> Vec<(&PlayerName, String)> {
        let owner = "owns the model, tests it, learns the mean gradient of each step".to_owned();
        let data_owners = self.data_owners.iter().map(|owner| {
            let range = &owner.batches.range;
            let text = format!(
                "computes gradients on its training images {} to {}",
                range.start,
                range.end - 1
            );
            (&owner.player, text)
        });
        let servers =
            self.servers.iter().map(|server| (server, "adds shares of the gradients".to_owned()));
        let owner = (&self.model_owner.player, owner);
        std::iter::once(owner).chain(data_owners).chain(servers).collect()
    }
}
