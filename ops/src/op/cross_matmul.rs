//! `cross_matmul(x, x', y, y')`: what one server adds to the matrix product of two secrets.

use sordino_graph::{AttributeKind, Role};

use super::matmul;
use crate::cross;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::matmul::MatmulShape;
use crate::tensor::ring_matmul::{Write, matmul_ring};
use crate::value::{Tensor, TensorRing};

/// The matrix products of summands that fall to `server`; see [`cross`].
pub static OP: Op =
    Op::new("cross_matmul", Role::Compute, |s| cross::infer(s, &matmul::OP.spec), in_ring!(run))
        .attributes(&[
            ("server", AttributeKind::Int),
            ("transpose_a", AttributeKind::Flag),
            ("transpose_b", AttributeKind::Flag),
        ]);

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let (&[a0, a1], &[_, n]) = (inputs[0].axes(), cx.node.outputs[0].shape.axes()) else {
        return cx.bug("takes matrices");
    };
    let (transpose_a, transpose_b) = (cx.flag("transpose_a"), cx.flag("transpose_b"));
    let (m, k) = if transpose_a { (a1, a0) } else { (a0, a1) };
    let shape = MatmulShape { m, k, n, transpose_a, transpose_b };
    cross::run::<R>(cx, inputs, |x, y, out| matmul_ring(shape, x, y, out, Write::Add))
}
