//! Optimizers: what a gradient does to the parameters.

use sordino_graph::{Recording, Value};

use super::{Home, Parameter};
use crate::op;

/// A rule by which gradients change parameters. Gradients are *sums* over a batch of `n` examples;
/// rates are for means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent: v ← μ·v + g, w ← w − rate·v.
    Sgd {
        /// Step size.
        rate: f64,
        /// μ: what stays of the last step, 0 for none.
        momentum: f64,
    },
    /// Kingma and Ba, *Adam* (ICLR 2015), with β1 = 0.9 and β2 = 0.99.
    Adam {
        /// Step size.
        rate: f64,
    },
    /// Reddi, Kale and Kumar, *On the convergence of Adam and beyond* (ICLR 2018).
    AmsGrad {
        /// Step size.
        rate: f64,
    },
}

/// Decay of the mean of gradients.
const BETA1: f64 = 0.9;
/// Decay of the mean of squared gradients. 0.99 and not 0.999: a thousandth of a square is often
/// less than the unit of a fixed-point number.
const BETA2: f64 = 0.99;
/// Added to the mean of squares, in units of summed gradients.
const EPSILON: f64 = 1.0 / 256.0;

impl Optimizer {
    /// Names of the variables that it keeps for each parameter, beside the parameter itself.
    #[must_use]
    pub fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { momentum: 0.0, .. } => &[],
            Self::Sgd { .. } => &["velocity"],
            Self::Adam { .. } => &["mean", "square"],
            Self::AmsGrad { .. } => &["mean", "square", "largest"],
        }
    }

    /// Records a step for one parameter, whose value is `w`, with the sum `gradient` over `n`
    /// examples.
    #[track_caller]
    pub(super) fn step<'r>(
        &self,
        g: &Recording<'r>,
        home: &Home,
        parameter: &Parameter,
        w: Value<'r>,
        gradient: Value<'r>,
        n: usize,
    ) {
        let slot = |name: &str| format!("{}/{name}", parameter.name);
        let read = |name: &str| home.read(g, &slot(name), &parameter.ty());
        let keep = |name: &str, value| home.assign(&slot(name), value);
        let mixed =
            |old, new, decay: f64| op::add(op::scale(old, decay), op::scale(new, 1.0 - decay));
        let (direction, rate) = match *self {
            Self::Sgd { rate, momentum: 0.0 } => (gradient, rate / n as f64),
            Self::Sgd { rate, momentum } => {
                let velocity = op::add(op::scale(read("velocity"), momentum), gradient);
                keep("velocity", velocity);
                (velocity, rate / n as f64)
            }
            // The direction does not depend on the scale of gradients, so sums do as well as means.
            Self::Adam { rate } | Self::AmsGrad { rate } => {
                let mean = mixed(read("mean"), gradient, BETA1);
                let square = mixed(read("square"), op::square(gradient), BETA2);
                keep("mean", mean);
                keep("square", square);
                let spread = if let Self::AmsGrad { .. } = self {
                    let largest = op::maximum(read("largest"), square);
                    keep("largest", largest);
                    largest
                } else {
                    square
                };
                (op::mul(mean, op::rsqrt(op::add_constant(spread, EPSILON))), rate)
            }
        };
        home.assign(&parameter.name, op::sub(w, op::scale(direction, rate)));
    }
}
