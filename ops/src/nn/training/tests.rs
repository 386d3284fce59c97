use sordino_graph::{Element, Fixed, Recording, Setup, Shape, Type, record};

use super::*;
use crate::data::random::SplitMix64;
use crate::nn::{Layer, Padding};
use crate::op::{publish, read_variable};
use crate::plan::Plan;
use crate::protocol::testing::{Players, setup};
use crate::testing::player;
use crate::value::Tensor;

const STEPS: usize = 4;
const BATCH: usize = 6;

/// A trainer of these layers for images of 6×6 pixels, whose parameters are secret.
fn secret(layers: &[Layer], loss: Loss, optimizer: Optimizer) -> Trainer {
    let home = Home::Secure(vec![player("owner")]);
    Trainer { model: Sequential::new(&[6, 6, 1], layers), home, loss, optimizer }
}

/// The owner's variables of this name and these axes, each step the same.
fn batch<'r>(g: &Recording<'r>, name: &str, axes: &[usize]) -> Value<'r> {
    let ty = Type::plain(Element::F32, Shape::new(axes).unwrap());
    read_variable(g, &player("owner"), name, &ty)
}

/// Every parameter after a few steps, and the outputs that the model then gives.
fn trained(trainer: &Trainer, setup: &Setup) -> Vec<Vec<f64>> {
    let owner = player("owner");
    let outputs: usize = trainer.model.output().iter().product();
    let (x_axes, y_axes) = ([BATCH, 6, 6, 1], [BATCH, outputs]);
    let mut random = SplitMix64::new(5);
    let mut players = Players::default();
    let x: Vec<f32> = (0..BATCH * 36).map(|_| random.unit() as f32).collect();
    let y: Vec<f32> =
        (0..BATCH * outputs).map(|i| f32::from(i % outputs == i / outputs % outputs)).collect();
    players.set("owner", "x", Tensor::f32(&Shape::new(&x_axes).unwrap(), x));
    players.set("owner", "y", Tensor::f32(&Shape::new(&y_axes).unwrap(), y));

    let mut run = |program: &dyn for<'r> Fn(&Recording<'r>)| {
        let plan = Plan::new(record("program", setup, |g| program(g)).unwrap()).unwrap();
        players.run(&plan.lowered).unwrap();
    };
    run(&|g| trainer.initialize(g, &owner, 3));
    for _ in 0..STEPS {
        run(&|g| {
            trainer.fit(
                g,
                trainer.home.bring(batch(g, "x", &x_axes)),
                trainer.home.bring(batch(g, "y", &y_axes)),
            );
        });
    }
    run(&|g| {
        let shown = |value| match trainer.home {
            Home::Player(_) => value,
            Home::Secure(_) => op::reveal(value, &owner),
        };
        for parameter in trainer.model.parameters() {
            publish("w", shown(trainer.home.read(g, &parameter.name, &parameter.ty())));
        }
        publish("y", shown(trainer.predict(g, trainer.home.bring(batch(g, "x", &x_axes)))));
    });
    players.published()
}

/// Trains in plaintext on the owner, and on secrets under ABY3, and compares.
#[track_caller]
fn follows_plaintext(layers: &[Layer], loss: Loss, optimizer: Optimizer, tolerance: f64) {
    let secret = secret(layers, loss, optimizer);
    let plain = Trainer { home: Home::Player(player("owner")), ..secret.clone() };
    let expected = trained(&plain, &setup("ABY3", Fixed::HIGH));
    let first = trained_nothing(&plain);
    assert_ne!(expected[0], first, "training changes nothing");
    let actual = trained(&secret, &setup("ABY3", Fixed::HIGH));
    assert_eq!(expected.len(), actual.len());
    for (expected, actual) in expected.iter().flatten().zip(actual.iter().flatten()) {
        assert!((expected - actual).abs() <= tolerance, "{expected} is {actual}");
    }
}

/// The first parameter before training.
fn trained_nothing(trainer: &Trainer) -> Vec<f64> {
    let plan = record("program", &setup("ABY3", Fixed::HIGH), |g| {
        trainer.initialize(g, &player("owner"), 3);
        let parameter = &trainer.model.parameters()[0];
        publish("w", trainer.home.read(g, &parameter.name, &parameter.ty()));
    });
    let mut players = Players::default();
    players.run(&Plan::new(plan.unwrap()).unwrap().lowered).unwrap();
    players.published().remove(0)
}

const DENSE: [Layer; 4] = [Layer::Flatten, Layer::Dense(5), Layer::Relu, Layer::Dense(3)];

#[test]
fn optimizers_follow_plaintext() {
    for optimizer in [
        Optimizer::Sgd { rate: 0.5, momentum: 0.0 },
        Optimizer::Sgd { rate: 0.2, momentum: 0.5 },
        Optimizer::Adam { rate: 0.05 },
        Optimizer::AmsGrad { rate: 0.05 },
    ] {
        follows_plaintext(&DENSE, Loss::CategoricalCrossEntropy, optimizer, 1e-4);
    }
}

#[test]
fn losses_follow_plaintext() {
    let sgd = Optimizer::Sgd { rate: 0.1, momentum: 0.0 };
    follows_plaintext(&[Layer::Flatten, Layer::Dense(1)], Loss::BinaryCrossEntropy, sgd, 1e-5);
    let squashed = [Layer::Flatten, Layer::Dense(4), Layer::Tanh, Layer::Dense(2), Layer::Sigmoid];
    follows_plaintext(&squashed, Loss::SquaredError, sgd, 1e-5);
}

#[test]
fn layers_follow_plaintext() {
    let sgd = Optimizer::Sgd { rate: 0.1, momentum: 0.0 };
    let conv = |stride, padding| Layer::Conv { filters: 2, size: 3, stride, padding };
    let head = [Layer::Flatten, Layer::Dense(3)];
    let models: [&[Layer]; 3] = [
        &[conv(1, Padding::Valid), Layer::MaxPool(2), Layer::Relu],
        &[conv(2, Padding::Same), Layer::BatchNorm, Layer::Relu],
        &[Layer::Reshape(vec![3, 12, 1]), conv(1, Padding::Same), Layer::AveragePool(3)],
    ];
    for layers in models {
        let layers = [layers, &head].concat();
        follows_plaintext(&layers, Loss::CategoricalCrossEntropy, sgd, 1e-4);
    }
}
