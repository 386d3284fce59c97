//! How far functions of secrets are from those of reals.

use sordino_graph::{Fixed, Value};

use crate::data::random::SplitMix64;
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

/// Rows of softmaxes: how many, how long, and the magnitude of their numbers.
const ROWS: [(usize, usize, f64); 7] = [
    (40, 1, 5.0),
    (40, 2, 3.0),
    (40, 8, 1e-3),
    (40, 10, 6.0),
    (40, 100, 4.0),
    (40, 33, 30.0),
    (1, 9000, 4.0),
];

/// As [`check_errors`], of a function of rows.
pub(crate) fn check_errors_of_rows(
    documented: [Accuracy; 2],
    function: &dyn for<'r> Fn(Value<'r>) -> Value<'r>,
    exact: fn(&[f64]) -> Vec<f64>,
) {
    for (fixed, accuracy) in [Fixed::LOW, Fixed::HIGH].into_iter().zip(documented) {
        let (mut random, mut worst) = (SplitMix64::new(5), 0.0f64);
        for (rows, n, magnitude) in ROWS {
            let x = (0..rows * n).map(|_| (random.unit() * 2.0 - 1.0) * magnitude);
            let x = encoded(&x.collect::<Vec<_>>(), fixed);
            let y = revealed("ABY3", fixed, &[(&[rows, n], x.clone())], &|_, x| function(x[0]));
            let used = x.chunks(n).flat_map(exact).zip(y);
            worst = used.map(|(exact, y)| accuracy.used(fixed, exact, y)).fold(worst, f64::max);
        }
        assert!((0.3..=1.0).contains(&worst), "{worst} times the documented error, {fixed}");
    }
}

/// The logarithm of the sum of the powers of e of a row.
pub(crate) fn log_sum(x: &[f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// Checks that a function of secrets errs by no more than is documented for 64 bits and for 128, and
/// at the worst of these points by not much less.
pub(crate) fn check_errors(
    documented: [Accuracy; 2],
    x: &[f64],
    function: &dyn for<'r> Fn(Value<'r>) -> Value<'r>,
    exact: fn(f64) -> f64,
) {
    for (fixed, accuracy) in [Fixed::LOW, Fixed::HIGH].into_iter().zip(documented) {
        let x = encoded(x, fixed);
        let y = revealed("ABY3", fixed, &[(&[x.len()], x.clone())], &|_, x| function(x[0]));
        let used = x.iter().zip(y).map(|(&x, y)| accuracy.used(fixed, exact(x), y));
        let worst = used.fold(0.0, f64::max);
        assert!((0.4..=1.0).contains(&worst), "{worst} times the documented error, {fixed}");
    }
}
