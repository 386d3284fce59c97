//! The models that the examples train, by the names that their users know.

use sordino::prelude::*;

/// Names of all models.
#[allow(dead_code, reason = "each program that shares this file uses what it needs")]
pub const NAMES: [&str; 5] =
    ["network_a", "network_b", "network_c", "network_d", "logistic_regression"];

/// The model of that name, for images of 28×28 pixels.
pub fn model(name: &str) -> Option<Sequential> {
    use Layer::{Dense, Flatten, MaxPool, Relu};
    let conv = |filters| Layer::Conv { filters, size: 5, stride: 1, padding: Padding::Valid };
    let layers = match name {
        "network_a" => vec![Flatten, Dense(128), Relu, Dense(128), Relu, Dense(10)],
        "network_b" => pooled(conv(16), conv(16), 100),
        "network_c" => pooled(conv(20), conv(50), 500),
        "network_d" => {
            let conv = Layer::Conv { filters: 5, size: 5, stride: 2, padding: Padding::Same };
            vec![conv, Relu, Flatten, Dense(100), Relu, Dense(10)]
        }
        "logistic_regression" => vec![Flatten, Dense(1)],
        _ => return None,
    };
    return Some(Sequential::new(&[28, 28, 1], &layers));

    fn pooled(first: Layer, second: Layer, hidden: usize) -> Vec<Layer> {
        let head = [Flatten, Dense(hidden), Relu, Dense(10)];
        [&[first, MaxPool(2), Relu, second, MaxPool(2), Relu], &head[..]].concat()
    }
}
