//! What is measured: operations at sizes that papers and other systems measure them at.

use sordino::ops::tensor::conv::Padding;
use sordino::prelude::*;

/// A function of secrets, at a size.
#[derive(Debug)]
pub struct Case {
    /// What the command line calls it.
    pub name: &'static str,
    /// Shapes of the secrets that it takes.
    pub inputs: Vec<Vec<usize>>,
    /// What it computes.
    pub compute: for<'r> fn(&[Value<'r>]) -> Value<'r>,
}

impl Case {
    /// The size of its first input, as `65536` or `128x784`.
    pub fn size(&self) -> String {
        let axes = self.inputs[0].iter().map(ToString::to_string);
        axes.collect::<Vec<_>>().join("x")
    }
}

/// Every case; `n` is the number of elements of those that work element by element.
pub fn all(n: usize) -> Vec<Case> {
    let case = |name, inputs: &[&[usize]], compute| Case {
        name,
        inputs: inputs.iter().map(|axes| axes.to_vec()).collect(),
        compute,
    };
    vec![
        case("add", &[&[n], &[n]], |x| add(x[0], x[1])),
        case("scale", &[&[n]], |x| scale(x[0], 0.3)),
        case("mul", &[&[n], &[n]], |x| mul(x[0], x[1])),
        case("square", &[&[n]], |x| square(x[0])),
        case("matmul", &[&[128, 784], &[784, 128]], |x| matmul(x[0], x[1])),
        case("matmul-large", &[&[1000, 1000], &[1000, 1000]], |x| matmul(x[0], x[1])),
        case("conv2d", &[&[128, 28, 28, 1], &[5, 5, 1, 16]], |x| {
            conv2d(x[0], x[1], 1, Padding::Valid)
        }),
        case("negative", &[&[n]], |x| negative(x[0])),
        case("is-zero", &[&[n]], |x| is_zero(x[0])),
        case("relu", &[&[n]], |x| relu(x[0])),
        case("maximum", &[&[n], &[n]], |x| maximum(x[0], x[1])),
        case("maximum-of-4", &[&[n, 4]], |x| reduce_max(x[0], 1)),
        case("max-pool", &[&[128, 24, 24, 16]], |x| max_pool(x[0], 2)),
        case("to-bits", &[&[n]], |x| to_bits(x[0])),
        case("exp", &[&[n]], |x| exp(x[0])),
        case("log", &[&[n]], |x| log(x[0])),
        case("reciprocal", &[&[n]], |x| reciprocal(x[0])),
        case("sqrt", &[&[n]], |x| sqrt(x[0])),
        case("rsqrt", &[&[n]], |x| rsqrt(x[0])),
        case("sigmoid", &[&[n]], |x| sigmoid(x[0])),
        case("tanh", &[&[n]], |x| tanh(x[0])),
        case("softmax", &[&[128, 10]], |x| softmax(x[0])),
        case("log-softmax", &[&[128, 10]], |x| log_softmax(x[0])),
        case("div", &[&[n], &[n]], |x| div(x[0], x[1])),
        case("cumsum", &[&[n]], |x| cumsum(x[0], 0)),
        case("argmax", &[&[128, 10]], |x| argmax(x[0], 1)),
    ]
}
