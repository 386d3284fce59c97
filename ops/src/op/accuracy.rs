//! `accuracy(logits, labels)`: the share of examples that a classifier gets right.

use sordino_graph::{Role, Shape, Signature, Type, TypeError, Value};

use super::cross_entropy::expect_logits;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss::{argmax_accuracy, sigmoid_accuracy};
use crate::value::Tensor;

/// Fraction of the `n` examples whose largest of `c` logits is that of the label; with one logit,
/// those where `logit > 0` exactly when the label is 1.
///
/// Shapes: `logits` floats `[n,c]`, `labels` i32`[n]`; returns `[]` of the same floats in 0..=1.
#[track_caller]
pub fn accuracy<'r>(logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(labels).build()
}

/// See [`accuracy()`].
pub static OP: Op = Op::new("accuracy", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    Ok(vec![expect_logits(s)?.with_shape(Shape::scalar())])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels] = cx.inputs(inputs)?;
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let labels = cx.labels(&labels)?;
    for_floats!(cx, &logits, T => {
        let logits = cx.items::<T>(&logits)?;
        let accuracy = if c == 1 {
            sigmoid_accuracy(logits, labels, n)?
        } else {
            argmax_accuracy(logits, labels, n, c)?
        };
        Ok(cx.output::<T>(|out| out.fill(accuracy)))
    })
}
