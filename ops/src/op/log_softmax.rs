//! `log_softmax(x)`: logarithms of numbers as probabilities.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::log::{logarithm, of_exponent};
use super::softmax::{exponents, infer, last_axis, of_rows, powers_of_e};
use super::{broadcast, exp, mul, reduce_sum, reshape, sub};
use crate::approximate::Scaled;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// `x − ln Σ e^x` along the last axis, of plaintext floats or of a secret.
///
/// Of a secret as [`softmax()`](super::softmax()), with the logarithm of the sum of eight times the
/// powers.
///
/// Source: ONNX `LogSoftmax`; Blanchard, Higham and Higham, *Accurately computing the log-sum-exp
/// and softmax functions* (IMA Journal of Numerical Analysis, 2021).
///
/// | bits | for | error at most | rounds for up to 2,048 rows of 10 | bytes an element of them |
/// |---|---|---|---|---|
/// | 64 | x within 2^25 of the largest | 1.2e-4 | 49 | 655.5 |
/// | 128 | x within 2^25 of the largest | 3.6e-9 | 56 | 1606.7 |
#[track_caller]
pub fn log_softmax(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`log_softmax()`].
pub static OP: Op =
    Op::new("log_softmax", Role::Compute, infer, kernel).gradient(gradient).expand(expand);

/// For y = log_softmax(x): dx = dy − softmax(x)·Σ dy.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let y = b.outputs[0];
    let dx = |dy| {
        let (Some(axis), Some(ty)) = (last_axis(dy), dy.ty()) else { return dy };
        let sums = broadcast(reduce_sum(dy, &[axis], true), ty.shape.axes());
        sub(dy, mul(exp(y), sums))
    };
    vec![b.gradient().map(dx)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => of_rows::<T>(cx, x, |x, sum| x - sum.ln()))
}

/// How often the powers are doubled before they are added: the sum errs by that much less.
const DOUBLINGS: u8 = 3;

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let x = e.inputs[0];
    let (Some(fixed), Some((less, _, sums, rows))) = (e.ty().fixed(), powers_of_e(x, DOUBLINGS))
    else {
        return vec![x];
    };
    let shape = e.ty().shape.axes();
    let (doublings, n) = (i32::from(DOUBLINGS), shape.last().copied().unwrap_or(1));
    let exponents = exponents(n).start() + doublings..=exponents(n).end() + doublings;
    let sums = Scaled::by_comparisons(sums, exponents, fixed, |e| of_exponent(e - doublings));
    vec![sub(less, broadcast(reshape(logarithm(sums, fixed), &rows), shape))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors_of_rows, log_sum};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_stable() {
        let x = floats(&[2, 2], &[1e4, 1e4, -1e4, 1e4]);
        let y = value_of(&[x], |_, x| log_softmax(x[0]));
        assert_eq!(
            y,
            [
                -std::f64::consts::LN_2 as f32 as f64,
                -std::f64::consts::LN_2 as f32 as f64,
                -2e4,
                0.0
            ]
        );
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 4]], |_, x| log_softmax(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 0.0, absolute: 1.2e-4 },
            Accuracy { relative: 0.0, absolute: 3.6e-9 },
        ];
        let exact: fn(&[f64]) -> Vec<f64> = |x| x.iter().map(|of| of - log_sum(x)).collect();
        check_errors_of_rows(documented, &|x| log_softmax(x), exact);
    }
}
