//! `add_bias(x, b)`: adds a vector to every row.

use sordino_graph::{
    Backward, Element, OpSpec, Role, Signature, Type, TypeError, Value, type_error,
};

use super::sum_rows;
use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice_mut};

/// `y[.., j] = x[.., j] + b[j]`.
///
/// Shapes: `x` f32`[..,c]`, `b` f32`[c]`; returns that of `x`.
#[track_caller]
pub fn add_bias<'r>(x: Value<'r>, b: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(b).build()
}

/// See [`add_bias()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "add_bias",
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
    let [x, b] = s.inputs()?;
    x.expect_plain(Element::F32)?;
    let [c] = b.expect_plain(Element::F32)?.expect_rank()?;
    if x.shape.axes().last() == Some(&c) {
        Ok(vec![x.clone()])
    } else {
        type_error!("adds {b} to the last axis of {x}: their sizes differ")
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient(), b.gradient().map(sum_rows)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, b] = cx.inputs(inputs)?;
    let b = cx.floats(&b)?;
    let Tensor::F32(mut x) = x else { return cx.bug("got no f32 tensor") };
    for row in slice_mut(&mut x).chunks_exact_mut(b.len().max(1)) {
        for (x, b) in row.iter_mut().zip(b) {
            *x += b;
        }
    }
    Ok(vec![Tensor::F32(x)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, input, value_of};

    #[test]
    fn adds_to_every_row() {
        let x = [floats(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]), floats(&[2], &[10.0, 20.0])];
        assert_eq!(value_of(&x, |_, x| add_bias(x[0], x[1])), [11.0, 22.0, 13.0, 24.0]);
        let empty = [floats(&[0, 2], &[]), floats(&[2], &[1.0, 1.0])];
        assert!(value_of(&empty, |_, x| add_bias(x[0], x[1])).is_empty());
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 2], &[2]], |_, x| add_bias(x[0], x[1]));
        check_gradients(&[&[2, 2, 2, 3], &[3]], |_, x| add_bias(x[0], x[1]));
    }

    #[test]
    fn sizes_must_agree() {
        let fault = fault(|g| {
            add_bias(input(g, "x", &[2, 3]), input(g, "b", &[2]));
        });
        assert!(fault.contains("add_bias adds f32[2] to the last axis of f32[2,3]"), "{fault}");
    }
}
