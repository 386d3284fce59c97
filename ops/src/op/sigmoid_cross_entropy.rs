//! `sigmoid_cross_entropy(logits, labels)`: the loss of a classifier of two classes.

use sordino_graph::{
    Backward, Element, OpSpec, Role, Shape, Signature, Type, TypeError, Value, type_error,
};

use super::sigmoid_cross_entropy_grad::sigmoid_cross_entropy_grad;
use super::softmax_cross_entropy::expect_logits;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
use crate::value::Tensor;

/// Mean over the batch of −ln of the probability that sigmoid(logit) gives the label, computed
/// from logits and stable.
///
/// Shapes: `logits` f32`[n,1]`, `labels` i32`[n]` of 0 and 1; returns f32`[]`.
#[track_caller]
pub fn sigmoid_cross_entropy<'r>(logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(labels).build()
}

/// See [`sigmoid_cross_entropy()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "sigmoid_cross_entropy",
        role: Role::Compute,
        attributes: &[],
        infer,
        gradient: Some(gradient),
    },
    kernel,
    accumulate: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    expect_logits(s)?;
    match s.inputs[0].shape.axes() {
        [_, 1] => Ok(vec![Type::plain(Element::F32, Shape::scalar())]),
        _ => type_error!("takes one logit an example, not {}", s.inputs[0]),
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let dy = b.gradient();
    vec![dy.map(|dy| sigmoid_cross_entropy_grad(b.inputs[0], b.inputs[1], dy)), None]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels] = cx.inputs(inputs)?;
    let &[n, _] = logits.axes() else { return cx.bug("got no matrix") };
    let loss = loss::sigmoid_cross_entropy(cx.floats(&logits)?, cx.labels(&labels)?, n)?;
    Ok(vec![Tensor::f32(&Shape::scalar(), vec![loss])])
}
