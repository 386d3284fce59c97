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
