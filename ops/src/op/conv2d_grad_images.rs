//! `conv2d_grad_images(filters, dy)`: the gradient of `conv2d` by its images.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use super::conv2d::{conv_shape, infer_gradient};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::conv;
use crate::value::Tensor;

/// The gradient of [`conv2d`](super::conv2d()) by its images, which have the given `shape`.
pub static OP: Op = Op::new("conv2d_grad_images", Role::Compute, infer, kernel).attributes(&[
    ("same", AttributeKind::Flag),
    ("shape", AttributeKind::Ints),
    ("stride", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    infer_gradient(s, |filters, images| conv_shape(s, images, filters))
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [filters, dy] = cx.inputs(inputs)?;
    let shape = &cx.node.outputs[0].shape;
    let conv = cx.conv_shape(shape.axes(), filters.axes())?;
    for_floats!(cx, &filters, T => {
        let (filters, dy) = (cx.items::<T>(&filters)?, cx.items(&dy)?);
        Ok(cx.output(|out| conv::conv2d_grad_images(&conv, filters, dy, out)))
    })
}
