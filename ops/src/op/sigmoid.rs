//! `sigmoid(x)`: the logistic function.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{mul, square, sub};
use crate::approximate::segments::{SIGMOID_HIGH, SIGMOID_LOW};
use crate::approximate::{by_width, elementwise, map, piecewise};
use crate::kernel::Op;
use crate::rules;

/// `1 / (1 + e^-x)` of each element, of plaintext floats or of a secret.
///
/// Of a secret it is a polynomial between thresholds. Sources: Mohassel and Rindal, *ABY3* (CCS
/// 2018), and for segments and degrees of the accuracy that is asked for Fan et al., *NFGen* (CCS
/// 2022).
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | 9.2e-4 | 10 | 424 |
/// | 128 | all | 9.5e-7 of it, or 3.7e-9 | 16 | 1709 |
#[track_caller]
pub fn sigmoid(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`sigmoid()`].
pub static OP: Op =
    Op::new("sigmoid", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, logistic))
        .gradient(gradient)
        .expand(expand);

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// For y = sigmoid(x): dx = dy·(y − y²).
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let slope = |y| sub(y, square(y));
    vec![b.gradient().map(|dy| mul(dy, slope(b.outputs[0])))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| piecewise(x, by_width(fixed, &SIGMOID_LOW, &SIGMOID_HIGH), fixed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[3], &[0.0, -1e4, 1e4]);
        assert_eq!(value_of(&[x], |_, x| sigmoid(x[0])), [0.5, 0.0, 1.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| sigmoid(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 0.0, absolute: 9.2e-4 },
            Accuracy { relative: 9.5e-7, absolute: 3.7e-9 },
        ];
        let x = [spread(-22.0, 22.0, 6000), vec![-1e9, -1048576.0, 1048576.0, 1e9]].concat();
        check_errors(documented, &x, &|x| sigmoid(x), logistic);
    }
}
