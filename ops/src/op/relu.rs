//! `relu(x)`: the positive part.

use sordino_graph::{Backward, Element, OpSpec, Role, Signature, Type, TypeError, Value};

use super::relu_grad;
use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice_mut};

/// `max(x, 0)` of each element of an f32 tensor.
#[track_caller]
pub fn relu(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`relu()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "relu",
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
    Ok(vec![x.expect_plain(Element::F32)?.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| relu_grad::relu_grad(b.outputs[0], dy))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [Tensor::F32(mut x)] = cx.inputs(inputs)? else { return cx.bug("got no f32 tensor") };
    // A comparison, unlike f32::max, keeps NaN, which encoding then reports.
    slice_mut(&mut x).iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
    Ok(vec![Tensor::F32(x)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, labels, value_of};

    #[test]
    fn keeps_what_is_positive_and_what_is_no_number() {
        let x = floats(&[5], &[-1.0, -0.0, 0.0, 2.5, f32::NAN]);
        let y = value_of(&[x], |_, x| relu(x[0]));
        assert_eq!(y[..4], [0.0, 0.0, 0.0, 2.5]);
        assert!(y[4].is_nan(), "a NaN that disappears is one that nobody is told of");
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[4, 5]], |_, x| relu(x[0]));
    }

    #[test]
    fn takes_floats() {
        let fault = fault(|g| {
            relu(labels(g, 2));
        });
        assert!(fault.contains("relu takes plaintext f32, not i32[2]"), "{fault}");
    }
}
