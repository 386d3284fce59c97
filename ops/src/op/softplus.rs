//! `softplus(x)`: the smooth positive part.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{mul, sigmoid};
use crate::approximate::segments::{SOFTPLUS_HIGH, SOFTPLUS_LOW};
use crate::approximate::{by_width, elementwise, map, piecewise};
use crate::kernel::Op;
use crate::rules;

/// `ln(1 + e^x)` of each element, of plaintext floats or of a secret.
///
/// Of a secret it is a polynomial between thresholds, as [`sigmoid()`](super::sigmoid()).
///
/// Source: ONNX `Softplus`.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | ±2^15 | 8.6e-4 | 10 | 424 |
/// | 128 | ±2^15 | 9.5e-7 of it, or 3.7e-9 | 16 | 1709 |
#[track_caller]
pub fn softplus(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`softplus()`].
pub static OP: Op =
    Op::new("softplus", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, of_float))
        .gradient(gradient)
        .expand(expand);

/// `ln(1 + e^x)` without overflow.
pub(super) fn of_float(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// For y = softplus(x): dx = dy·sigmoid(x).
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| mul(dy, sigmoid(b.inputs[0])))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| piecewise(x, by_width(fixed, &SOFTPLUS_LOW, &SOFTPLUS_HIGH), fixed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[3], &[0.0, -1e4, 1e4]);
        assert_eq!(
            value_of(&[x], |_, x| softplus(x[0])),
            [f64::from(std::f32::consts::LN_2), 0.0, 1e4]
        );
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| softplus(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 0.0, absolute: 8.6e-4 },
            Accuracy { relative: 9.5e-7, absolute: 3.7e-9 },
        ];
        let x = [spread(-22.0, 22.0, 6000), vec![-1e9, -32767.0, 32767.0]].concat();
        check_errors(documented, &x, &|x| softplus(x), of_float);
    }
}
