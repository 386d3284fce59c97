//! `log(x)`: the natural logarithm.

use sordino_graph::{Backward, Expanding, Fixed, Role, Value};

use super::{add_n, mul, polynomial, reciprocal, to_bits};
use crate::approximate::polynomials::{LOG_HIGH, LOG_LOW};
use crate::approximate::{Scaled, by_width, elementwise, map};
use crate::kernel::Op;
use crate::rules;

/// `ln x` of each element, of plaintext floats or of a secret.
///
/// Of a secret x = c·2^e with c in [1, 2), it is a polynomial of c plus e·ln 2. Source: Aly and
/// Smart, *Benchmarking privacy preserving scientific operations* (ACNS 2019), but with the
/// polynomial that errs least.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | 2^-14 to 2^33 | 5e-5, and what x errs by | 23 | 804.5 |
/// | 128 | 2^-14 to 2^33 | 1.5e-9, and what x errs by | 28 | 2165.8 |
///
/// For x of 0 or less it is some number.
#[track_caller]
pub fn log(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`log()`].
pub static OP: Op =
    Op::new("log", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, f64::ln))
        .gradient(gradient)
        .expand(expand);

/// For y = ln x: dx = dy / x.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| mul(dy, reciprocal(b.inputs[0])))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| {
        logarithm(Scaled::by_digits(x, to_bits(x), fixed, of_exponent), fixed)
    })
}

/// The logarithm of 2^e.
pub(super) fn of_exponent(e: i32) -> f64 {
    f64::from(e) * std::f64::consts::LN_2
}

/// The logarithm of a number, whose function of the exponent is [`of_exponent`].
pub(super) fn logarithm(x: Scaled<'_>, fixed: Fixed) -> Value<'_> {
    let significand = polynomial(x.centred, by_width(fixed, LOG_LOW, LOG_HIGH));
    add_n([significand, x.of_exponent])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread_powers};
    use crate::op::{add_constant, square};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[2], &[1.0, 0.0]);
        assert_eq!(value_of(&[x], |_, x| log(x[0])), [0.0, f64::NEG_INFINITY]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| log(add_constant(square(x[0]), 1.0)));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 0.0, absolute: 5e-5 },
            Accuracy { relative: 0.0, absolute: 1.5e-9 },
        ];
        let x = spread_powers(-14.0, 32.9, 6000);
        check_errors(documented, &x, &|x| log(x), f64::ln);
    }
}
