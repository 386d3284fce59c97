//! How far functions of secrets are from those of reals.

use sordino_graph::{Fixed, Value};

use crate::protocol::testing::revealed;

/// An error that may be: the larger of both.
#[derive(Clone, Copy)]
pub(crate) struct Accuracy {
    /// Times the function's magnitude.
    pub(crate) relative: f64,
    /// By itself.
    pub(crate) absolute: f64,
}

impl Accuracy {
    /// The error of `y`, as a multiple of what may be.
    pub(crate) fn used(self, fixed: Fixed, exact: f64, y: f64) -> f64 {
        // What a player learns of 64 bits is an f32.
        let rounding = if fixed == Fixed::LOW { exact.abs() * 6e-8 } else { 0.0 };
        ((y - exact).abs() - rounding) / self.absolute.max(self.relative * exact.abs())
    }
}

/// `n` numbers from `from` to `to`, at equal distances.
pub(crate) fn spread(from: f64, to: f64, n: usize) -> Vec<f64> {
    (0..n).map(|i| from + (to - from) * i as f64 / (n - 1) as f64).collect()
}

/// `n` powers of two with exponents from `from` to `to`, at equal distances.
pub(crate) fn spread_powers(from: f64, to: f64, n: usize) -> Vec<f64> {
    spread(from, to, n).into_iter().map(f64::exp2).collect()
}

/// The numbers as secrets hold them.
pub(crate) fn encoded(x: &[f64], fixed: Fixed) -> Vec<f64> {
    let unit = (1u64 << fixed.fraction()) as f64;
    x.iter().map(|x| (x * unit).round() / unit).collect()
}

/// The greatest error of a function of secrets at these points, as a multiple of what may be.
pub(crate) fn worst(
    fixed: Fixed,
    x: &[f64],
    function: &dyn for<'r> Fn(Value<'r>) -> Value<'r>,
    exact: fn(f64) -> f64,
    accuracy: Accuracy,
) -> f64 {
    let x = encoded(x, fixed);
    let y = revealed("ABY3", fixed, &[(&[x.len()], x.clone())], &|_, x| function(x[0]));
    x.iter().zip(y).map(|(&x, y)| accuracy.used(fixed, exact(x), y)).fold(0.0, f64::max)
}
