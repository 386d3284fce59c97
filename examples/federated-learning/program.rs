//! The program: a model owner trains on the data of several data owners and learns only the mean
//! of their gradients.

use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;

/// Trains the model, and tests it on data of its own.
#[derive(Debug)]
pub struct ModelOwner {
    pub player: PlayerName,
    pub model: Sequential,
    pub dataset: Dataset,
    pub seed: u32,
}

/// Computes gradients on data that it shows nobody.
#[derive(Debug, Clone)]
pub struct DataOwner {
    pub player: PlayerName,
    pub model: Sequential,
    pub batches: BatchRequest,
}

impl AsRef<PlayerName> for DataOwner {
    fn as_ref(&self) -> &PlayerName {
        &self.player
    }
}

/// Learning rate of gradient descent.
const RATE: f64 = 0.1;

/// Examples a batch of the model owner's test set.
pub const TEST_BATCH: usize = 100;

#[secure_function]
pub fn initialize(g: &Recording<'_>, model_owner: &ModelOwner) {
    model_owner.model.initialize(g, &model_owner.player, model_owner.seed);
}

#[secure_function]
pub fn federated_training(g: &Recording<'_>, model_owner: &ModelOwner, data_owners: &[DataOwner]) {
    let weights = model_owner.share_weights(g);
    let gradients: Vec<_> =
        data_owners.iter().map(|owner| owner.compute_gradient(g, &weights)).collect();
    let mean = g.scope("secure_aggregation", || mean_of(&gradients));
    model_owner.update_model(g, &mean);
}

#[secure_function]
pub fn validate_model(g: &Recording<'_>, model_owner: &ModelOwner) {
    let weights = model_owner.share_weights(g);
    g.scope("validation", || {
        let range = 0..model_owner.dataset.examples(Split::Test);
        let (dataset, split) = (model_owner.dataset, Split::Test);
        let request = BatchRequest { dataset, split, range, batch: TEST_BATCH, shuffle: None };
        let (images, labels) = load_batch(g, &model_owner.player, &request);
        let logits = model_owner.model.logits(images, &weights);
        publish("loss", model_owner.model.loss(logits, labels));
        publish("accuracy", accuracy(logits, labels));
    });
}

/// The mean, tensor by tensor, of what each owner shares.
fn mean_of<'r>(gradients: &[Vec<Value<'r>>]) -> Vec<Value<'r>> {
    let owners = gradients.len() as f64;
    let tensors = gradients.first().map_or(0, Vec::len);
    let mean =
        |i| scale(add_n(gradients.iter().map(|owner: &Vec<Value<'r>>| owner[i])), 1.0 / owners);
    (0..tensors).map(mean).collect()
}

impl ModelOwner {
    /// The current weights.
    fn share_weights<'r>(&self, g: &Recording<'r>) -> Vec<Value<'r>> {
        g.scope("parameters", || {
            let parameters = self.model.parameters();
            parameters.iter().map(|p| read_variable(g, &self.player, &p.name, &p.ty())).collect()
        })
    }

    /// A step of gradient descent with the mean gradient, which only the model owner sees.
    fn update_model<'r>(&self, g: &Recording<'r>, mean: &[Value<'r>]) {
        g.scope("output", || {
            for (parameter, gradient) in self.model.parameters().iter().zip(mean) {
                descend(&parameter.name, RATE, reveal(*gradient, &self.player));
            }
        });
    }
}

impl DataOwner {
    /// The gradient of the loss on the next batch, shared among the servers.
    fn compute_gradient<'r>(&self, g: &Recording<'r>, weights: &[Value<'r>]) -> Vec<Value<'r>> {
        g.scope("private-input", || {
            let batch = || load_batch(g, &self.player, &self.batches);
            let (images, labels) = g.scope("data_loading", batch);
            let gradient = g.scope("gradient_computation", || {
                let weights: Vec<_> = weights.iter().map(|w| transfer(*w, &self.player)).collect();
                let logits = self.model.logits(images, &weights);
                gradients(self.model.loss(logits, labels), &weights)
            });
            gradient.into_iter().map(share).collect()
        })
    }
}
