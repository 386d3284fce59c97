//! `softmax_cross_entropy_grad(logits, labels, dy)`: the gradient of `softmax_cross_entropy`.

use sordino_graph::{Element, OpSpec, Role, Signature, Type, TypeError, Value, type_error};

use super::softmax_cross_entropy::expect_logits;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
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
    expect_logits(s)?;
    let [logits, _, dy] = s.inputs()?;
    if dy.expect_plain(Element::F32)?.shape.rank() == 0 {
        Ok(vec![logits.clone()])
    } else {
        type_error!("takes the gradient of a scalar, not {dy}")
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels, dy] = cx.inputs(inputs)?;
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let mut out = vec![0.0; n * c];
    let labels = cx.labels(&labels)?;
    loss::softmax_cross_entropy_grad(cx.floats(&logits)?, labels, n, c, &mut out)?;
    let dy = cx.scalar(&dy)?;
    out.iter_mut().for_each(|x| *x *= dy);
    Ok(vec![Tensor::f32(&cx.node.outputs[0].shape, out)])
}
