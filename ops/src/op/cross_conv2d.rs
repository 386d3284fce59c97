//! `cross_conv2d(x, x', y, y')`: what one server adds to the convolution of secrets.

use sordino_graph::{AttributeKind, AttributeSpec, OpSpec, Role};

use super::conv2d;
use crate::cross;
use crate::kernel::{Context, KernelError, Op, in_ring_of};
use crate::tensor::conv::ring::conv2d_ring;
use crate::tensor::ring_matmul::Write;
use crate::value::{Tensor, TensorRing};

/// The products of summands that fall to `server`, multiplied as `conv2d` does; see
/// [`cross`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "cross_conv2d",
        role: Role::Compute,
        attributes: &[
            AttributeSpec { name: "same", kind: AttributeKind::Flag },
            AttributeSpec { name: "server", kind: AttributeKind::Int },
            AttributeSpec { name: "stride", kind: AttributeKind::Int },
        ],
        infer: |s| cross::infer(s, &conv2d::OP.spec),
        gradient: None,
    },
    kernel: |cx, inputs| in_ring_of!(cx, cx.node.outputs[0], run(cx, inputs)),
    accumulate: None,
    expand: None,
};

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, _, y, _] = &inputs[..] else { return cx.bug("takes four shares") };
    let shape = cx.conv_shape(x.axes(), y.axes())?;
    cross::run::<R>(cx, inputs, |x, y, out| conv2d_ring(&shape, x, y, out, Write::Add))
}
