//! `cross_conv2d(x, x', y, y')`: what one server adds to the convolution of secrets.

use sordino_graph::{AttributeKind, Role};

use super::conv2d;
use crate::cross;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::conv::ring::conv2d_ring;
use crate::tensor::ring_matmul::Write;
use crate::value::{Tensor, TensorRing};

/// The products of summands that fall to `server`, multiplied as `conv2d` does; see
/// [`cross`].
pub static OP: Op =
    Op::new("cross_conv2d", Role::Compute, |s| cross::infer(s, &conv2d::OP.spec), in_ring!(run))
        .attributes(&[
            ("same", AttributeKind::Flag),
            ("server", AttributeKind::Int),
            ("stride", AttributeKind::Int),
        ]);

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, _, y, _] = &inputs[..] else { return cx.bug("takes four shares") };
    let shape = cx.conv_shape(x.axes(), y.axes())?;
    cross::run::<R>(cx, inputs, |x, y, out| conv2d_ring(&shape, x, y, out, Write::Add))
}
