//! The program: a model owner trains in plaintext and shares the weights once; a client shares
//! images, and it alone sees what the model says of them.

use sordino::graph::Element;
use sordino::ops::data::BatchRequest;
use sordino::ops::nn::Trainer;
use sordino::prelude::*;

use crate::learning::{load_weights, save_weights, targets};

/// Has a model that it shows nobody.
#[derive(Debug)]
pub struct ModelOwner {
    pub player: PlayerName,
    pub seed: u32,
    pub batches: BatchRequest,
    /// Files of the weights to begin with.
    pub weights_in: Option<String>,
    /// Files that the weights are left in.
    pub weights_out: Option<String>,
}

/// Has images that it shows nobody.
#[derive(Debug)]
pub struct Client {
    pub player: PlayerName,
    pub batches: BatchRequest,
}

/// First weights, where the model owner trains.
#[secure_function]
pub fn initialize(g: &Recording<'_>, model_owner: &ModelOwner, plaintext: &Trainer) {
    plaintext.initialize(g, &model_owner.player, model_owner.seed);
    if let Some(name) = &model_owner.weights_in {
        load_weights(g, &plaintext.model, &model_owner.player, name);
    }
}

/// A step of training by the model owner alone.
#[secure_function]
pub fn plaintext_training(g: &Recording<'_>, model_owner: &ModelOwner, plaintext: &Trainer) {
    let (examples, labels) = load_batch(g, &model_owner.player, &model_owner.batches);
    plaintext.fit(g, examples, targets(labels, model_owner.batches.dataset));
}

/// The model owner puts its weights into files.
#[secure_function]
pub fn save_model(g: &Recording<'_>, model_owner: &ModelOwner, plaintext: &Trainer) {
    if let Some(name) = &model_owner.weights_out {
        save_weights(g, &plaintext.model, &model_owner.player, name);
    }
}

/// The weights become secrets, which the servers keep.
#[secure_function]
pub fn share_model(g: &Recording<'_>, model_owner: &ModelOwner, secure: &Trainer) {
    g.scope("model", || secure.import(g, &model_owner.player));
}

/// The client learns the probabilities of its next images' classes.
#[secure_function]
pub fn joint_inference(g: &Recording<'_>, client: &Client, secure: &Trainer) {
    let (images, labels) = g.scope("private-input", || {
        let (images, labels) = load_batch(g, &client.player, &client.batches);
        (share(images), labels)
    });
    let two_classes = secure.model.output() == [1];
    let probabilities = g.scope("prediction", || {
        let logits = secure.predict(g, images);
        if two_classes { sigmoid(logits) } else { softmax(logits) }
    });
    g.scope("output", || {
        let seen = cast(reveal(probabilities, &client.player), Element::F32);
        // `accuracy` takes what is above 0 for class 1.
        let scores = if two_classes { add_constant(seen, -0.5) } else { seen };
        publish("accuracy", accuracy(scores, labels));
    });
}
