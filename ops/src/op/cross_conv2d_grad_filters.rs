//! `cross_conv2d_grad_filters(x, x', y, y')`: what one server adds to the gradient of a convolution by its filters of secrets.

use sordino_graph::{AttributeKind, Role};

use super::conv2d_grad_filters;
use crate::cross;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::conv::ring::conv2d_ring_grad_filters;
use crate::tensor::ring_matmul::Write;
use crate::value::{Tensor, TensorRing};

/// The products of summands that fall to `server`, multiplied as `conv2d_grad_filters` does; see
/// [`cross`].
pub static OP: Op = Op::new(
    "cross_conv2d_grad_filters",
    Role::Compute,
    |s| cross::infer(s, &conv2d_grad_filters::OP.spec),
    in_ring!(run),
)
.attributes(&[
    ("same", AttributeKind::Flag),
    ("server", AttributeKind::Int),
    ("shape", AttributeKind::Ints),
    ("stride", AttributeKind::Int),
]);

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, ..] = &inputs[..] else { return cx.bug("takes four shares") };
    let shape = cx.conv_shape(x.axes(), cx.node.outputs[0].shape.axes())?;
    cross::run::<R>(cx, inputs, |x, y, out| conv2d_ring_grad_filters(&shape, x, y, out, Write::Add))
}
