//! `tanh(x)`: the hyperbolic tangent.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{add_constant, mul, neg, square};
use crate::approximate::segments::{TANH_HIGH, TANH_LOW};
use crate::approximate::{by_width, elementwise, map, piecewise};
use crate::kernel::Op;
use crate::rules;

/// `tanh x` of each element, of plaintext floats or of a secret.
///
/// Of a secret it is a polynomial between thresholds, as [`sigmoid()`](super::sigmoid()). Source:
/// as there.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | 5.6e-4 | 10 | 470 |
/// | 128 | all | 9.5e-7 of it, or 3.7e-9 | 16 | 1596.9 |
#[track_caller]
pub fn tanh(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`tanh()`].
pub static OP: Op =
    Op::new("tanh", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, f64::tanh))
        .gradient(gradient)
        .expand(expand);

/// For y = tanh x: dx = dy·(1 − y²).
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let slope = |y: Value<'r>| add_constant(neg(square(y)), 1.0);
    vec![b.gradient().map(|dy| mul(dy, slope(b.outputs[0])))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| piecewise(x, by_width(fixed, &TANH_LOW, &TANH_HIGH), fixed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[3], &[0.0, -1e4, 1e4]);
        assert_eq!(value_of(&[x], |_, x| tanh(x[0])), [0.0, -1.0, 1.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| tanh(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 0.0, absolute: 5.6e-4 },
            Accuracy { relative: 9.5e-7, absolute: 3.7e-9 },
        ];
        let x = [spread(-12.0, 12.0, 6000), vec![-1e9, -1048576.0, 1048576.0, 1e9]].concat();
        check_errors(documented, &x, &|x| tanh(x), f64::tanh);
    }
}
