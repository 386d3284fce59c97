//! `conv2d_grad_images(filters, dy)`: the gradient of `conv2d` by its images.

use sordino_graph::{AttributeKind, Backward, Role, Shape, Signature, Type, TypeError, Value};

use super::conv2d::{conv_shape, expect_kind, expect_output, four_axes};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::conv;
use crate::value::Tensor;

/// Records the gradient by the images of the convolution that `b` is about.
#[track_caller]
pub(crate) fn conv2d_grad_images<'r>(
    b: &Backward<'r>,
    images: Value<'r>,
    filters: Value<'r>,
    dy: Value<'r>,
) -> Value<'r> {
    let shape = images.ty().map_or_else(Shape::scalar, |ty| ty.shape);
    let flag = b.attributes.flag("same").unwrap_or_default();
    let op = filters.recording().op(&OP.spec).input(filters).input(dy).attr("same", flag);
    op.attr("stride", b.attributes.int("stride").unwrap_or(1)).attr("shape", shape.axes()).build()
}

/// The gradient of [`conv2d`](super::conv2d()) by its images, which have the given `shape`.
pub static OP: Op = Op::new("conv2d_grad_images", Role::Compute, infer, kernel).attributes(&[
    ("same", AttributeKind::Flag),
    ("shape", AttributeKind::Ints),
    ("stride", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [filters, dy] = s.inputs()?;
    let kind = expect_kind(filters, dy)?;
    let conv = conv_shape(s, four_axes(s)?, filters.expect_rank()?)?;
    expect_output(&conv, dy.expect_rank()?)?;
    Ok(vec![kind.with_shape(s.shape("shape")?)])
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
