//! `softmax_cross_entropy_grad(logits, labels, dy)`: the gradient of `softmax_cross_entropy`.

use sordino_graph::{OpSpec, Role, Signature, Type, TypeError, Value};

use super::softmax_cross_entropy::{expect_gradient, expect_logits};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// Records `dy` times the gradient of the loss by the logits.
#[track_caller]
pub(crate) fn softmax_cross_entropy_grad<'r>(
    logits: Value<'r>,
    labels: Value<'r>,
    dy: Value<'r>,
) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(labels).input(dy).build()
}

/// `dy · (softmax(logits) − onehot(label)) / n`, the gradient of
/// [`softmax_cross_entropy`](super::softmax_cross_entropy()) by the logits.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "softmax_cross_entropy_grad",
        role: Role::Compute,
        attributes: &[],
        infer,
        gradient: None,
    },
    kernel,
    accumulate: None,
    expand: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [logits, _, dy] = s.inputs()?;
    expect_gradient(dy, expect_logits(s)?)?;
    Ok(vec![logits.clone()])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels, dy] = cx.inputs(inputs)?;
    for_floats!(cx, &logits, T => run::<T>(cx, &logits, &labels, &dy))
}

fn run<T: Item + Float>(
    cx: &Context<'_>,
    logits: &Tensor,
    labels: &Tensor,
    dy: &Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let mut out = T::zeros(cx.node.outputs[0].shape.elements());
    loss::softmax_cross_entropy_grad(cx.items(logits)?, cx.labels(labels)?, n, c, &mut out)?;
    let dy = cx.scalar(dy)?;
    out.iter_mut().for_each(|x| *x *= dy);
    Ok(vec![T::tensor(&cx.node.outputs[0].shape, out)])
}
