//! Positive numbers as c·2^e with c in [1, 2).

use std::ops::RangeInclusive;

use sordino_graph::{Fixed, Value};

use super::{below, length, steps};
use crate::op::{
    add_n, and, bit, mul, mul_bit, polynomial, reshape, scale, shift_left, shift_right,
    sum_of_products, to_bits, weigh_bits, weighted_sum, xor,
};

/// A positive number x = c·2^e, and a number that depends on e.
pub(crate) struct Scaled<'r> {
    /// c − 1.5, at most 0.5 in magnitude. For x = 0, c is 0.
    pub(crate) centred: Value<'r>,
    /// The function of e; 0 where x = 0.
    pub(crate) of_exponent: Value<'r>,
}

/// The middle of the range of c.
const MIDDLE: f64 = 1.5;

/// The exponent of the largest number that digits are looked for, plus 1: x is smaller than 2^33.
const LARGEST: i32 = 32;

/// 2^n.
fn power(n: i32) -> f64 {
    f64::from(n).exp2()
}

impl<'r> Scaled<'r> {
    /// By the digits of `words`, those of `x`, `[n]`, which is positive or 0 and below 2^33. In
    /// floating point this is the split of Catrina and Saxena (2010).
    ///
    /// The words' digits from the first 1 down become ones by ORs of shifted words; weights of all
    /// these ones, telescoped, are those of the first.
    pub(crate) fn by_digits(
        x: Value<'r>,
        words: Value<'r>,
        fixed: Fixed,
        function: impl Fn(i32) -> f64,
    ) -> Self {
        let (width, fraction) = (fixed.width().bits() as usize, fixed.fraction() as i32);
        let exponents = -fraction..=LARGEST;
        // c has as many bits more as make the scale of the largest x a whole number of units.
        let shift = LARGEST - fraction;
        let row = |function: &dyn Fn(i32) -> f64| {
            let values = std::iter::once(0.0).chain(exponents.clone().map(function));
            let (falls, _) = steps(&values.collect::<Vec<_>>(), fixed);
            let mut weights: Vec<f64> = falls.iter().map(|fall| -fall).collect();
            weights.resize(width, 0.0);
            weights
        };
        let weights = [row(&|e| power(shift - e)), row(&function)];
        let words = reshape(or_down(words, width), &[1, length(x)]);
        let rows = weigh_bits(words, fixed, &weights, &[0.0; 2]);
        Self::new(x, &rows, shift)
    }

    /// By comparisons of `x`, `[n]`, with powers of two, for `exponents` that are known and few.
    pub(crate) fn by_comparisons(
        x: Value<'r>,
        exponents: RangeInclusive<i32>,
        fixed: Fixed,
        function: impl Fn(i32) -> f64,
    ) -> Self {
        let shift = (*exponents.end()).max(0);
        let row = |function: &dyn Fn(i32) -> f64| {
            steps(&exponents.clone().map(function).collect::<Vec<_>>(), fixed)
        };
        let rows = [row(&|e| power(shift - e)), row(&function)];
        let (weights, constants): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let thresholds: Vec<f64> = exponents.skip(1).map(power).collect();
        let rows = weigh_bits(below(x, &thresholds), fixed, &weights, &constants);
        Self::new(x, &rows, shift)
    }

    /// From the rows of 2^(shift − e) and of the function of e.
    fn new(x: Value<'r>, rows: &[Value<'r>], shift: i32) -> Self {
        let c = sum_of_products(&[(x, rows[0])], shift.unsigned_abs());
        Self { centred: weighted_sum(&[c], &[1.0], -MIDDLE), of_exponent: rows[1] }
    }

    /// A polynomial of c − 1.5, times the function of e.
    pub(crate) fn times_polynomial(&self, coefficients: &[f64]) -> Value<'r> {
        mul(polynomial(self.centred, coefficients), self.of_exponent)
    }
}

/// Words with all digits below one that is set also set.
fn or_down(mut words: Value<'_>, width: usize) -> Value<'_> {
    let mut by = 1;
    while by < width {
        let moved = shift_right(words, by);
        words = xor(xor(words, moved), and(words, moved));
        by *= 2;
    }
    words
}

/// The sign of a number, for it to be taken away and given to another.
pub(crate) struct Sign<'r>(Value<'r>);

impl<'r> Sign<'r> {
    /// `x`, or −`x` if the sign is negative: exactly.
    pub(crate) fn times(&self, x: Value<'r>) -> Value<'r> {
        add_n([x, scale(mul_bit(self.0, x), -2.0)])
    }
}

/// The sign of `x`, `[n]`, and the words of its magnitude, less a unit if it is negative: what
/// turning over all digits gives, without carries.
pub(crate) fn separated(x: Value<'_>, fixed: Fixed) -> (Sign<'_>, Value<'_>) {
    let width = fixed.width().bits() as usize;
    let words = to_bits(x);
    let sign = bit(words, width - 1);
    let mut everywhere = shift_right(words, width - 1);
    let mut by = 1;
    while by < width {
        everywhere = xor(everywhere, shift_left(everywhere, by));
        by *= 2;
    }
    (Sign(sign), xor(words, everywhere))
}
