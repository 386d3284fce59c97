//! Training with shares is training: each mean gradient, the weights after many steps, accuracy.

mod common;

use common::program::{DataOwner, ModelOwner, federated_training, initialize, validate_model};
use common::{EPOCH, distance, mnist, open_setup, parties, published, setup};
use sordino::ops::data::Dataset;
use sordino::prelude::*;

const RATE: f64 = 0.1;

fn weights<'r>(g: &Recording<'r>, owner: &ModelOwner) -> Vec<Value<'r>> {
    let parameters = owner.model.parameters();
    parameters.iter().map(|p| read_variable(g, &owner.player, &p.name, &p.ty())).collect()
}

fn gradient_of<'r>(g: &Recording<'r>, owner: &DataOwner, weights: &[Value<'r>]) -> Vec<Value<'r>> {
    let weights: Vec<_> = weights.iter().map(|w| transfer(*w, &owner.player)).collect();
    let (images, labels) = load_batch(g, &owner.player, &owner.batches);
    let logits = owner.model.logits(images, &weights);
    gradients(owner.model.loss(logits, labels), &weights)
}

/// The federated program, with every gradient and every mean published.
#[secure_function]
fn observed_training(g: &Recording<'_>, model_owner: &ModelOwner, data_owners: &[DataOwner]) {
    let weights = weights(g, model_owner);
    let gradients: Vec<_> =
        data_owners.iter().map(|owner| gradient_of(g, owner, &weights)).collect();
    for (i, parameter) in model_owner.model.parameters().iter().enumerate() {
        for (number, gradient) in gradients.iter().enumerate() {
            publish(&format!("gradient-{number}-{i}"), gradient[i]);
        }
        let sum = add_n(gradients.iter().map(|gradient| share(gradient[i])));
        let mean = reveal(scale(sum, 1.0 / data_owners.len() as f64), &model_owner.player);
        publish(&format!("mean-{i}"), mean);
        descend(&parameter.name, RATE, mean);
    }
}

/// The federated program without secrets: the gradients go openly to the model owner.
#[secure_function]
fn plaintext_training(g: &Recording<'_>, model_owner: &ModelOwner, data_owners: &[DataOwner]) {
    let weights = weights(g, model_owner);
    let open = |owner: &DataOwner| -> Vec<Value<'_>> {
        let gradient = gradient_of(g, owner, &weights);
        gradient.into_iter().map(|part| transfer(part, &model_owner.player)).collect()
    };
    let gradients: Vec<_> = data_owners.iter().map(open).collect();
    for (i, parameter) in model_owner.model.parameters().iter().enumerate() {
        let sum = add_n(gradients.iter().map(|gradient| gradient[i]));
        descend(&parameter.name, RATE, scale(sum, 1.0 / data_owners.len() as f64));
    }
}

#[secure_function]
fn publish_weights(g: &Recording<'_>, model_owner: &ModelOwner) {
    for (parameter, value) in model_owner.model.parameters().iter().zip(weights(g, model_owner)) {
        publish(&parameter.name, value);
    }
}

/// Every mean of every step is within `bound` of the mean, in f64, of the gradients published.
fn means_are_exact(model: &str, fixed: Fixed, bound: f64) {
    const STEPS: u64 = 4;
    let (model_owner, data_owners) = parties(model, Dataset::Mnist);
    let mut session = Session::local(open_setup("ABY3", fixed), mnist(), None).unwrap();
    session.run(&initialize(&model_owner), 1).unwrap();
    let run = session.run(&observed_training(&model_owner, &data_owners), STEPS).unwrap();
    for (i, parameter) in model_owner.model.parameters().iter().enumerate() {
        let owners: Vec<_> =
            (0..3).map(|owner| published(&run, &format!("gradient-{owner}-{i}"))).collect();
        let means = published(&run, &format!("mean-{i}"));
        assert_eq!(means.len(), STEPS as usize);
        for (step, mean) in means.iter().enumerate() {
            let exact = |j| owners.iter().map(|owner| owner[step][j]).sum::<f64>() / 3.0;
            let exact: Vec<f64> = (0..mean.len()).map(exact).collect();
            let error = distance(mean, &exact);
            assert!(error < bound, "{model}, {}, step {step}: {error:e}", parameter.name);
            // Gradients of zero, or of a model that stands still, would prove nothing.
            assert!(exact.iter().any(|x| x.abs() > 1e-3), "{} does not learn", parameter.name);
            let before = step.checked_sub(1).map(|before| owners[0][before]);
            assert_ne!(before, Some(owners[0][step]), "the batch or the weights never change");
        }
    }
}

#[test]
fn each_mean_of_network_a_is_exact_at_low_precision() {
    means_are_exact("network_a", Fixed::LOW, 2f64.powi(-15));
}

#[test]
fn each_mean_of_network_a_is_exact_at_high_precision() {
    means_are_exact("network_a", Fixed::HIGH, 2f64.powi(-30));
}

#[test]
fn each_mean_of_a_convolutional_network_is_exact() {
    means_are_exact("network_d", Fixed::LOW, 2f64.powi(-15));
    means_are_exact("network_d", Fixed::HIGH, 2f64.powi(-30));
}

/// The weights after some steps of a program, all in one list.
fn trained(fixed: Fixed, program: &Function<'_>, steps: u64) -> Vec<f64> {
    let (model_owner, _) = parties("network_a", Dataset::Mnist);
    let mut session = Session::local(open_setup("ABY3", fixed), mnist(), None).unwrap();
    session.run(&initialize(&model_owner), 1).unwrap();
    session.run(program, steps).unwrap();
    let run = session.run(&publish_weights(&model_owner), 1).unwrap();
    let parameters = model_owner.model.parameters();
    parameters.iter().flat_map(|p| published(&run, &p.name)[0].to_vec()).collect()
}

#[test]
fn training_follows_plaintext_training() {
    const STEPS: u64 = 20;
    let (model_owner, data_owners) = parties("network_a", Dataset::Mnist);
    let secure = federated_training(&model_owner, &data_owners);
    let plaintext = plaintext_training(&model_owner, &data_owners);
    let start = trained(Fixed::LOW, &plaintext, 0);
    let expected = trained(Fixed::LOW, &plaintext, STEPS);
    let moved = distance(&start, &expected);
    assert!(moved > 1e-2, "plaintext training moves weights by {moved} at most");
    // At low precision a mean errs by up to 2^-16, of which a step takes a tenth. Later gradients
    // differ by more than that: a unit near 0 that a changed weight turns on or off changes them
    // by a whole example. At high precision the mean is as good as exact, and what remains is how
    // f32 rounds.
    for (fixed, first, last) in [
        (Fixed::LOW, 0.1 * 2f64.powi(-15), 2f64.powi(-9)),
        (Fixed::HIGH, 2f64.powi(-24), 2f64.powi(-22)),
    ] {
        let after_one = trained(fixed, &secure, 1);
        let error = distance(&after_one, &trained(fixed, &plaintext, 1));
        assert!(error < first, "{fixed}: {error:e} from plaintext training after a step");
        let after_all = trained(fixed, &secure, STEPS);
        let error = distance(&after_all, &expected);
        assert!(error < last, "{fixed}: {error:e} from plaintext training, which moved {moved}");
        // Sums in the ring are exact and those of floats have an order: runs repeat bit for bit.
        assert!(trained(fixed, &secure, STEPS) == after_all, "{fixed}: a second run differs");
    }
}

/// Test accuracy of network_a after some epochs.
fn accuracy_after(epochs: u64, fixed: Fixed) -> f64 {
    let (model_owner, data_owners) = parties("network_a", Dataset::Mnist);
    let mut session = Session::local(setup("ABY3", fixed), mnist(), None).unwrap();
    session.run(&initialize(&model_owner), 1).unwrap();
    session.run(&federated_training(&model_owner, &data_owners), epochs * EPOCH).unwrap();
    session.run(&validate_model(&model_owner), 100).unwrap().mean("accuracy").unwrap()
}

#[test]
fn network_a_learns_at_low_precision() {
    let accuracy = accuracy_after(5, Fixed::LOW);
    assert!(accuracy >= 0.94, "{accuracy}");
}

#[test]
fn network_a_learns_at_high_precision() {
    let accuracy = accuracy_after(5, Fixed::HIGH);
    assert!(accuracy >= 0.94, "{accuracy}");
}
