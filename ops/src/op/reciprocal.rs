//! `reciprocal(x)`: 1 / x.

use sordino_graph::{Backward, OpSpec, Role, Signature, Type, TypeError, Value};

use super::{mul, neg, square};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `1 / x` of each element, of plaintext floats or of a secret.
#[track_caller]
pub fn reciprocal(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`reciprocal()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "reciprocal",
        role: Role::Compute,
        attributes: &[],
        infer,
        gradient: Some(gradient),
    },
    kernel,
    accumulate: None,
    expand: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    Ok(vec![rules::factor(x)?.clone()])
}

/// For y = 1 / x: dx = −dy·y².
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| neg(mul(dy, square(b.outputs[0]))))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Float>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    cx.items_mut::<T>(&mut x)?.iter_mut().for_each(|x| *x = T::ONE / *x);
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{add_constant, square};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn inverts() {
        let x = floats(&[3], &[2.0, -0.25, 0.0]);
        assert_eq!(value_of(&[x], |_, x| reciprocal(x[0])), [0.5, -4.0, f64::INFINITY]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| reciprocal(add_constant(square(x[0]), 1.0)));
    }
}
