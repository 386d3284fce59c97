//! `conv2d_grad_filters(images, dy)`: the gradient of `conv2d` by its filters.

use sordino_graph::{AttributeKind, Backward, Role, Shape, Signature, Type, TypeError, Value};

use super::conv2d::{conv_shape, expect_kind, expect_output, four_axes};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::conv;
use crate::value::Tensor;

/// Records the gradient by the filters of the convolution that `b` is about.
#[track_caller]
pub(crate) fn conv2d_grad_filters<'r>(
    b: &Backward<'r>,
    images: Value<'r>,
    filters: Value<'r>,
    dy: Value<'r>,
) -> Value<'r> {
    let shape = filters.ty().map_or_else(Shape::scalar, |ty| ty.shape);
    let flag = b.attributes.flag("same").unwrap_or_default();
    let op = images.recording().op(&OP.spec).input(images).input(dy).attr("same", flag);
    op.attr("stride", b.attributes.int("stride").unwrap_or(1)).attr("shape", shape.axes()).build()
}

/// The gradient of [`conv2d`](super::conv2d()) by its filters, which have the given `shape`.
pub static OP: Op = Op::new("conv2d_grad_filters", Role::Compute, infer, kernel).attributes(&[
    ("same", AttributeKind::Flag),
    ("shape", AttributeKind::Ints),
    ("stride", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [images, dy] = s.inputs()?;
    let kind = expect_kind(images, dy)?;
    let conv = conv_shape(s, images.expect_rank()?, four_axes(s)?)?;
    expect_output(&conv, dy.expect_rank()?)?;
    Ok(vec![kind.with_shape(s.shape("shape")?)])
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
