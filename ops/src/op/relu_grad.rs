//! `relu_grad(y, dy)`: the gradient of `relu`.

use sordino_graph::{Element, OpSpec, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice_mut};

/// `dy` where `y = relu(x)` is positive, else 0. At x = 0 the gradient is taken as 0.
#[track_caller]
pub(crate) fn relu_grad<'r>(y: Value<'r>, dy: Value<'r>) -> Value<'r> {
    y.recording().op(&OP.spec).input(y).input(dy).build()
}

/// `dy` where `y` is positive, else 0: the gradient of [`relu`](super::relu()).
pub static OP: Op = Op {
    spec: OpSpec { name: "relu_grad", role: Role::Compute, attributes: &[], infer, gradient: None },
    kernel,
    accumulate: None,
    expand: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [y, dy] = s.inputs()?;
    if y.expect_plain(Element::F32)? == dy {
        Ok(vec![dy.clone()])
    } else {
        type_error!("takes two tensors of one type, not {y} and {dy}")
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [y, dy] = cx.inputs(inputs)?;
    let y = cx.floats(&y)?;
    let Tensor::F32(mut dy) = dy else { return cx.bug("got no f32 tensor") };
    for (dy, y) in slice_mut(&mut dy).iter_mut().zip(y) {
        *dy = if *y > 0.0 { *dy } else { 0.0 };
    }
    Ok(vec![Tensor::F32(dy)])
}
