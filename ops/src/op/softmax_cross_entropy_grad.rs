//! `softmax_cross_entropy_grad(logits, labels, dy)`: the gradient of `softmax_cross_entropy`.

use sordino_graph::Role;

use super::cross_entropy::{gradient_kernel, infer_gradient};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
use crate::value::Tensor;

/// `dy · (softmax(logits) − onehot(label)) / n`, the gradient of
/// [`softmax_cross_entropy`](super::softmax_cross_entropy()) by the logits.
pub static OP: Op = Op::new("softmax_cross_entropy_grad", Role::Compute, infer_gradient, kernel);

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let inputs = cx.inputs(inputs)?;
    for_floats!(cx, &inputs[0], T => {
        gradient_kernel::<T>(cx, inputs, |x, labels, [n, c], out| {
            loss::softmax_cross_entropy_grad(x, labels, n, c, out)
        })
    })
}
