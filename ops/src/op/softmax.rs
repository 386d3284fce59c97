//! `softmax(x)`: numbers as probabilities.

use sordino_graph::{Backward, Expanding, Role, Signature, Type, TypeError, Value, type_error};

use super::exp::of_small;
use super::{broadcast, mul, reduce_max, reduce_sum, reshape, sub};
use crate::approximate::polynomials::{RECIPROCAL_HIGH, RECIPROCAL_LOW};
use crate::approximate::{Scaled, by_width};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::fixed::Real;
use crate::value::Tensor;

/// `e^x / Σ e^x` along the last axis, of plaintext floats or of a secret.
///
/// Of a secret, the largest of each row is subtracted first: what is left is not positive, and the
/// sum of its powers is from 1 to the length of the rows, so that its reciprocal takes few
/// comparisons. Source of the subtraction: Blanchard, Higham and Higham, *Accurately computing the
/// log-sum-exp and softmax functions* (IMA Journal of Numerical Analysis, 2021).
///
/// | bits | for | error at most | rounds for up to 2,048 rows of 10 | bytes an element of them |
/// |---|---|---|---|---|
/// | 64 | x within 2^25 of the largest | 6e-4 of it, or 1e-4 | 51 | 685.1 |
/// | 128 | x within 2^25 of the largest | 4e-7 of it, or 3e-9 | 58 | 1662.3 |
#[track_caller]
pub fn softmax(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`softmax()`].
pub static OP: Op =
    Op::new("softmax", Role::Compute, infer, kernel).gradient(gradient).expand(expand);

/// The type of a function of rows of numbers: that of the input.
pub(super) fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match rules::number(x)?.shape.axes().last() {
        Some(1..) => Ok(vec![x.clone()]),
        _ => type_error!("takes rows of one number or more, not {x}"),
    }
}

/// For y = softmax(x): dx = y·(dy − Σ dy·y).
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let y = b.outputs[0];
    let dx = |dy| match last_axis(dy) {
        Some(axis) => mul(y, sub(dy, reduce_sum(mul(dy, y), &[axis], true))),
        None => dy,
    };
    vec![b.gradient().map(dx)]
}

/// The last axis of a value.
pub(super) fn last_axis(x: Value<'_>) -> Option<usize> {
    x.ty()?.shape.rank().checked_sub(1)
}

/// The numbers less the largest of their row, 2^`doublings` times their powers of e, and the sums of
/// these, which are on one axis; and the shape of something that each row has one of.
pub(super) fn powers_of_e<'r>(
    x: Value<'r>,
    doublings: u8,
) -> Option<(Value<'r>, Value<'r>, Value<'r>, Vec<usize>)> {
    let shape = x.ty()?.shape;
    let (axis, rows) = (last_axis(x)?, [shape.axes().split_last()?.1, &[1]].concat());
    let largest = broadcast(reshape(reduce_max(x, axis), &rows), shape.axes());
    let less = sub(x, largest);
    let powers = of_small(less, doublings);
    let count = rows.iter().product();
    Some((less, powers, reshape(reduce_sum(powers, &[axis], false), &[count]), rows))
}

/// The exponents of the powers of two that sums of `n` powers are between.
pub(super) fn exponents(n: usize) -> std::ops::RangeInclusive<i32> {
    0..=((n.max(2) - 1).ilog2().max(1) as i32)
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => of_rows::<T>(cx, x, |x, sum| x.exp() / sum))
}

/// The function of each number of a row, less the largest of the row, and of the sum of their
/// powers of e.
pub(super) fn of_rows<T: Item + Real>(
    cx: &Context<'_>,
    mut x: Tensor,
    function: impl Fn(f64, f64) -> f64,
) -> Result<Vec<Tensor>, KernelError> {
    let n = x.axes().last().copied().unwrap_or(1).max(1);
    for row in cx.items_mut::<T>(&mut x)?.chunks_mut(n) {
        let largest = row.iter().map(|x| x.to_f64()).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x.to_f64() - largest).exp()).sum();
        row.iter_mut().for_each(|x| *x = T::from_f64(function(x.to_f64() - largest, sum)));
    }
    Ok(vec![x])
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let x = e.inputs[0];
    let (Some(fixed), Some((_, powers, sums, rows))) = (e.ty().fixed(), powers_of_e(x, 0)) else {
        return vec![x];
    };
    let shape = e.ty().shape.axes();
    let exponents = exponents(shape.last().copied().unwrap_or(1));
    let sums = Scaled::by_comparisons(sums, exponents, fixed, |e| f64::from(-e).exp2());
    let reciprocals = sums.times_polynomial(by_width(fixed, RECIPROCAL_LOW, RECIPROCAL_HIGH));
    vec![mul(powers, broadcast(reshape(reciprocals, &rows), shape))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors_of_rows, log_sum};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_stable() {
        let x = floats(&[2, 2], &[1e4, 1e4, -1e4, 1e4]);
        let y = value_of(&[x], |_, x| softmax(x[0]));
        assert_eq!(y, [0.5, 0.5, 0.0, 1.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 4]], |_, x| softmax(x[0]));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 6e-4, absolute: 1e-4 },
            Accuracy { relative: 4e-7, absolute: 3e-9 },
        ];
        let exact: fn(&[f64]) -> Vec<f64> =
            |x| x.iter().map(|of| (of - log_sum(x)).exp()).collect();
        check_errors_of_rows(documented, &|x| softmax(x), exact);
    }
}
