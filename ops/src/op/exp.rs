//! `exp(x)`: e to a power.

use std::f64::consts::LOG2_E;

use sordino_graph::{Backward, Expanding, Fixed, Role, Value};

use super::{
    add_n, and, bit, mul, mul_bit, negative, not, polynomial, reshape, to_bits, weigh_bits,
    weighted_sum,
};
use crate::approximate::polynomials::{EXP2_HIGH, EXP2_LOW};
use crate::approximate::{by_width, elementwise, map};
use crate::kernel::Op;
use crate::rules;

/// `e^x` of each element, of plaintext floats or of a secret.
///
/// Of a secret, x·log₂ e is split into its whole part i and the rest f by its digits; 2^f is a
/// polynomial, and 2^i a product of numbers that each digit of i decides on. Source: Aly and Smart,
/// *Benchmarking privacy preserving scientific operations* (ACNS 2019).
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | below 20 | 1.2e-4 of it, or 6e-5 | 17 | 569.4 |
/// | 128 | below 20 | 4e-9 of it, or 8e-10 | 20 | 1406.3 |
///
/// From 20 on it is e^20. x is between ±2^25 at 64 bits, ±2^61 at 128.
#[track_caller]
pub fn exp(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`exp()`].
pub static OP: Op =
    Op::new("exp", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, f64::exp))
        .gradient(gradient)
        .expand(expand);

/// For y = e^x: dx = dy·y.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| mul(dy, b.outputs[0]))]
}

/// The power is as large as any from here on.
const LARGEST: f64 = 20.0;

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| {
        let y = counted(x, fixed, 0);
        let limit = LARGEST * LOG2_E + f64::from(fixed.fraction());
        let small = negative(weighted_sum(&[y], &[1.0], -limit));
        let most = LARGEST.exp();
        let bits = reshape(small, &[1, e.ty().shape.elements()]);
        let rest = weigh_bits(bits, fixed, &[vec![-most]], &[most]);
        add_n([power(y, fixed, Some(small)), rest[0]])
    })
}

/// 2^`doublings`·e^x of a secret for which that is below e^20.
pub(super) fn of_small(x: Value<'_>, doublings: u8) -> Value<'_> {
    let Some((ty, fixed)) = x.ty().and_then(|ty| Some((ty.clone(), ty.fixed()?))) else { return x };
    let flat = reshape(x, &[ty.shape.elements()]);
    reshape(power(counted(flat, fixed, doublings), fixed, None), ty.shape.axes())
}

/// y with 2^`doublings`·e^x = 2^(y − fraction): where it is 0, the power is a unit.
fn counted(x: Value<'_>, fixed: Fixed, doublings: u8) -> Value<'_> {
    weighted_sum(&[x], &[LOG2_E], f64::from(fixed.fraction()) + f64::from(doublings))
}

/// 2^(y − fraction), or 0 where `among` is not set, of the elements of `y` on one axis.
fn power<'r>(y: Value<'r>, fixed: Fixed, among: Option<Value<'r>>) -> Value<'r> {
    let (fraction, width) = (fixed.fraction() as usize, fixed.width().bits() as usize);
    let n = y.ty().map_or(0, |ty| ty.shape.elements());
    // Its digits are those of a number that is positive, or for which e^x is 0.
    let words = to_bits(reshape(y, &[1, n]));
    let digits = fraction.ilog2() as usize;
    let row = |weights: &[(usize, f64)]| {
        let mut row = vec![0.0; width];
        weights.iter().for_each(|&(digit, weight)| row[fraction + digit] = weight);
        row
    };
    let power = |n: usize| (n as f64).exp2();
    // What is left of y of its digits, counted from the middle: −1/2 to 1/2.
    let whole: Vec<_> = (0..digits + 2).map(|digit| (digit, -power(digit))).collect();
    let mut weights = vec![row(&whole)];
    let mut constants = vec![-0.5];
    // 2^-fraction, 1 or 2^fraction, by the two highest digits, not both of which are set.
    let unit = 1.0 / power(fraction);
    weights.push(row(&[(digits, 1.0 - unit), (digits + 1, power(fraction) - unit)]));
    constants.push(unit);
    for digit in 0..digits {
        weights.push(row(&[(digit, power(1 << digit) - 1.0)]));
        constants.push(1.0);
    }
    let rows = weigh_bits(words, fixed, &weights, &constants);
    let rest = polynomial(add_n([y, rows[0]]), by_width(fixed, EXP2_LOW, EXP2_HIGH));
    let positive = reshape(not(bit(words, width - 1)), &[n]);
    let counts = among.map_or(positive, |among| and(positive, among));
    // The smallest factor comes last: a unit that a product errs by is multiplied no further.
    let mut factors = rows[2..].to_vec();
    while factors.len() > 1 {
        let product = |pair: &[Value<'r>]| match *pair {
            [x, y] => mul(x, y),
            _ => pair[0],
        };
        factors = factors.chunks(2).map(product).collect();
    }
    // What is left of a number whose power is 0 is no fraction, and its polynomial may be anything:
    // it is cleared, so that no unit that a product errs by is multiplied by it.
    mul(mul(factors[0], rows[1]), mul_bit(counts, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread};
    use crate::protocol::testing::revealed;
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[3], &[0.0, 1.0, -1e3]);
        assert_eq!(value_of(&[x], |_, x| exp(x[0])), [1.0, f64::from(std::f32::consts::E), 0.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| exp(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 1.2e-4, absolute: 6e-5 },
            Accuracy { relative: 4e-9, absolute: 8e-10 },
        ];
        let far = vec![-3e7, -1e6, 20.0, 20.1, 21.0, 33.3, 45.0, 1e4, 3e7];
        let x = [spread(-30.0, 0.0, 3000), spread(0.0, 20.0, 3000), far].concat();
        check_errors(documented, &x, &|x| exp(x), |x| x.min(20.0).exp());
    }

    /// Now and then a product with 0 errs by a unit, which nothing large may be multiplied by.
    #[test]
    fn what_is_too_small_is_a_unit_at_most() {
        for x in [-1e4, -13.0] {
            let n = 1 << 18;
            let y = revealed("ABY3", Fixed::LOW, &[(&[n], vec![x; n])], &|_, x| exp(x[0]));
            let largest = y.into_iter().map(f64::abs).fold(0.0, f64::max);
            assert!(largest <= 4.0 / 65536.0, "e^{x} is {largest}");
        }
    }
}
