//! `log_softmax(x)`: logarithms of numbers as probabilities.

use sordino_graph::{Backward, Expanding, Role, Signature, Type, TypeError, Value, type_error};

use super::log::{logarithm, of_exponent};
use super::softmax::{exponents, last_axis, powers_of_e};
use super::{broadcast, exp, mul, reduce_sum, reshape, sub};
use crate::approximate::Scaled;
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::fixed::Real;
use crate::value::Tensor;

/// `x − ln Σ e^x` along the last axis, of plaintext floats or of a secret.
///
/// Of a secret as [`softmax()`](super::softmax()), with the logarithm of the sum.
///
/// | bits | error at most | rounds for up to 2,048 rows of 10 | bytes an element of them |
/// |---|---|---|---|
/// | 64 | 1.2e-4 | 49 | 655.1 |
/// | 128 | 3.6e-9 | 56 | 1606.7 |
#[track_caller]
pub fn log_softmax(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`log_softmax()`].
pub static OP: Op =
    Op::new("log_softmax", Role::Compute, infer, kernel).gradient(gradient).expand(expand);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match rules::factor(x)?.shape.axes().last() {
        Some(1..) => Ok(vec![x.clone()]),
        _ => type_error!("takes rows of one number or more, not {x}"),
    }
}

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
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Real>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let n = x.axes().last().copied().unwrap_or(1).max(1);
    for row in cx.items_mut::<T>(&mut x)?.chunks_mut(n) {
        let largest = row.iter().map(|x| x.to_f64()).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = row.iter().map(|x| (x.to_f64() - largest).exp()).sum();
        row.iter_mut().for_each(|x| *x = T::from_f64(x.to_f64() - largest - sum.ln()));
    }
    Ok(vec![x])
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let x = e.inputs[0];
    let (Some(fixed), Some((less, _, sums, rows))) = (e.ty().fixed(), powers_of_e(x)) else {
        return vec![x];
    };
    let shape = e.ty().shape.axes();
    let exponents = exponents(shape.last().copied().unwrap_or(1));
    let sums = Scaled::by_comparisons(sums, exponents, fixed, &[&of_exponent]);
    vec![sub(less, broadcast(reshape(logarithm(sums, fixed), &rows), shape))]
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use super::*;
    use crate::approximate::testing::{Accuracy, log_sum, worst_of_rows};
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
        for (fixed, accuracy) in [
            (Fixed::LOW, Accuracy { relative: 0.0, absolute: 1.2e-4 }),
            (Fixed::HIGH, Accuracy { relative: 0.0, absolute: 3.6e-9 }),
        ] {
            let exact: fn(&[f64]) -> Vec<f64> = |x| x.iter().map(|of| of - log_sum(x)).collect();
            let worst = worst_of_rows(fixed, &|x| log_softmax(x), exact, accuracy);
            assert!((0.3..=1.0).contains(&worst), "{worst} times the documented error, {fixed}");
        }
    }
}
