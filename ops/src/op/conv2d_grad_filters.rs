//! `conv2d_grad_filters(images, dy)`: the gradient of `conv2d` by its filters.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use super::conv2d::{conv_shape, infer_gradient};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::conv;
use crate::value::Tensor;

/// The gradient of [`conv2d`](super::conv2d()) by its filters, which have the given `shape`.
pub static OP: Op = Op::new("conv2d_grad_filters", Role::Compute, infer, kernel).attributes(&[
    ("same", AttributeKind::Flag),
    ("shape", AttributeKind::Ints),
    ("stride", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    infer_gradient(s, |images, filters| conv_shape(s, images, filters))
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [images, dy] = cx.inputs(inputs)?;
    let shape = &cx.node.outputs[0].shape;
    let conv = cx.conv_shape(images.axes(), shape.axes())?;
    for_floats!(cx, &images, T => {
        let (images, dy) = (cx.items::<T>(&images)?, cx.items(&dy)?);
        Ok(cx.output(|out| conv::conv2d_grad_filters(&conv, images, dy, out)))
    })
}
