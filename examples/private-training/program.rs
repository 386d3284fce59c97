//! The program: owners of data share batches, the servers train a model that they cannot see, and
//! the model owner gets it after each epoch.

use sordino::ops::data::BatchRequest;
use sordino::ops::nn::{Home, Trainer};
use sordino::prelude::*;

use crate::learning::{load_weights, save_weights, targets};

/// Gets the model, and tests it on data of its own.
#[derive(Debug)]
pub struct ModelOwner {
    pub player: PlayerName,
    pub seed: u32,
    pub tests: BatchRequest,
    /// Files of the weights to begin with.
    pub weights_in: Option<String>,
    /// Files that the weights are left in.
    pub weights_out: Option<String>,
}

/// Has data that it shows nobody.
#[derive(Debug)]
pub struct DataOwner {
    pub player: PlayerName,
    pub batches: BatchRequest,
}

/// How the data is split between owners.
#[derive(Debug)]
pub enum Data {
    /// One owner has it.
    Whole(DataOwner),
    /// Each owner has some of the examples, with their labels.
    Rows([DataOwner; 2]),
    /// Each owner has half of the numbers of every example; the first one has the labels. They take
    /// the same examples in the same order.
    Columns([DataOwner; 2]),
}

/// First weights, drawn or loaded by the model owner and shared.
#[secure_function]
pub fn initialize(g: &Recording<'_>, model_owner: &ModelOwner, trainer: &Trainer) {
    trainer.initialize(g, &model_owner.player, model_owner.seed);
    if let Some(name) = &model_owner.weights_in {
        load_weights(g, &trainer.model, &model_owner.player, name);
        trainer.import(g, &model_owner.player);
    }
}

/// A step: nobody learns anything.
#[secure_function]
pub fn private_training(g: &Recording<'_>, data: &Data, trainer: &Trainer) {
    let (examples, targets) = data.batch(g);
    g.scope("training", || trainer.fit(g, examples, targets));
}

/// Hands the weights to the model owner.
#[secure_function]
pub fn reveal_model(g: &Recording<'_>, model_owner: &ModelOwner, trainer: &Trainer) {
    g.scope("output", || trainer.export(g, &model_owner.player));
}

/// The model owner tests what it was handed, in plaintext.
#[secure_function]
pub fn validate_model(g: &Recording<'_>, model_owner: &ModelOwner, trainer: &Trainer) {
    let (examples, labels) = load_batch(g, &model_owner.player, &model_owner.tests);
    let trainer = Trainer { home: Home::Player(model_owner.player.clone()), ..trainer.clone() };
    let logits = trainer.predict(g, examples);
    publish("loss", trainer.model.loss(logits, labels));
    publish("accuracy", accuracy(logits, labels));
}

/// The model owner puts what it was handed into files.
#[secure_function]
pub fn save_model(g: &Recording<'_>, model_owner: &ModelOwner, trainer: &Trainer) {
    if let Some(name) = &model_owner.weights_out {
        save_weights(g, &trainer.model, &model_owner.player, name);
    }
}

impl Data {
    pub fn owners(&self) -> &[DataOwner] {
        match self {
            Self::Whole(owner) => std::slice::from_ref(owner),
            Self::Rows(owners) | Self::Columns(owners) => owners,
        }
    }

    /// The next batch of all owners together, shared among the servers: examples and targets.
    fn batch<'r>(&self, g: &Recording<'r>) -> (Value<'r>, Value<'r>) {
        match self {
            Self::Whole(owner) => owner.share_batch(g),
            Self::Rows(owners) => {
                let [first, second] = owners.each_ref().map(|owner| owner.share_batch(g));
                (concat([first.0, second.0], 0), concat([first.1, second.1], 0))
            }
            Self::Columns([first, second]) => {
                let (left, targets) = first.share_half(g, 0);
                let (right, _) = second.share_half(g, 1);
                (concat([left, right], split_axis(&first.batches)), targets)
            }
        }
    }
}

/// The axis of a batch that is cut in two: columns of an image, or features.
fn split_axis(batches: &BatchRequest) -> usize {
    batches.dataset.shape().len().min(2)
}

impl DataOwner {
    /// Its next batch.
    fn load<'r>(&self, g: &Recording<'r>) -> (Value<'r>, Value<'r>) {
        let (examples, labels) = load_batch(g, &self.player, &self.batches);
        (examples, targets(labels, self.batches.dataset))
    }

    /// Shares its next batch.
    fn share_batch<'r>(&self, g: &Recording<'r>) -> (Value<'r>, Value<'r>) {
        g.scope("private-input", || {
            let (examples, targets) = self.load(g);
            (share(examples), share(targets))
        })
    }

    /// Shares one half of the numbers of its next batch; with the first half, the targets.
    fn share_half<'r>(&self, g: &Recording<'r>, half: usize) -> (Value<'r>, Value<'r>) {
        g.scope("private-input", || {
            let (examples, targets) = self.load(g);
            let halves = split(examples, 2, split_axis(&self.batches));
            (share(halves[half]), if half == 0 { share(targets) } else { targets })
        })
    }
}
