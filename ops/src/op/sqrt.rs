//! `sqrt(x)`: the square root.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{mul, rsqrt, scale, to_bits};
use crate::approximate::polynomials::{SQRT_HIGH, SQRT_LOW};
use crate::approximate::{Scaled, by_width, elementwise, map};
use crate::kernel::Op;
use crate::rules;

/// `√x` of each element, of plaintext floats or of a secret.
///
/// Of a secret x = c·2^e with c in [1, 2), it is a polynomial of c times 2^(e/2), as
/// [`rsqrt()`](super::rsqrt()). Source: as there.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | 2^-14 to 2^33 | 2e-4 of it, or 4e-5 | 23 | 782.5 |
/// | 128 | 2^-14 to 2^33 | 2e-7 of it, or 2e-9 | 28 | 2017.8 |
///
/// For 0 it is 0, for x below 0 some number.
#[track_caller]
pub fn sqrt(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`sqrt()`].
pub static OP: Op =
    Op::new("sqrt", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, f64::sqrt))
        .gradient(gradient)
        .expand(expand);

/// For y = √x: dx = dy / (2√x).
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let half = |dy| scale(mul(dy, rsqrt(b.inputs[0])), 0.5);
    vec![b.gradient().map(half)]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| {
        let x = Scaled::by_digits(x, to_bits(x), fixed, |e| (f64::from(e) / 2.0).exp2());
        x.times_polynomial(by_width(fixed, SQRT_LOW, SQRT_HIGH))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread_powers};
    use crate::op::{add_constant, square};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[2], &[0.0, 2.25]);
        assert_eq!(value_of(&[x], |_, x| sqrt(x[0])), [0.0, 1.5]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| sqrt(add_constant(square(x[0]), 1.0)));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 2e-4, absolute: 4e-5 },
            Accuracy { relative: 2e-7, absolute: 2e-9 },
        ];
        let x = spread_powers(-14.0, 32.9, 6000);
        check_errors(documented, &x, &|x| sqrt(x), f64::sqrt);
    }
}
