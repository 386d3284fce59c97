//! What losses from logits have in common: of plaintext labels, and of one-hot targets.

use sordino_graph::{
    Backward, Element, OpSpec, Shape, Signature, Type, TypeError, Value, type_error,
};

use super::{mul, ones_like, sub};
use crate::items::Item;
use crate::kernel::{Context, KernelError};
use crate::tensor::loss::LabelOutOfRange;
use crate::tensor::number::Float;
use crate::value::{Tensor, slice};

/// Checks that the first two inputs are logits of a batch and its labels; returns the logits.
pub(super) fn expect_logits<'a>(s: &Signature<'a>) -> Result<&'a Type, TypeError> {
    let [logits, labels, ..] = s.inputs else {
        return type_error!("takes logits and labels");
    };
    let [n, _] = logits.expect_float()?.expect_rank()?;
    let [examples] = labels.expect_plain(Element::I32)?.expect_rank()?;
    if n == examples { Ok(logits) } else { type_error!("takes a label for each row of {logits}") }
}

/// The loss of logits and labels, which `loss` makes of them, examples and classes.
pub(super) fn loss_kernel<T: Item + Float>(
    cx: &Context<'_>,
    [logits, labels]: [Tensor; 2],
    loss: impl Fn(&[T], &[i32], [usize; 2]) -> Result<T, LabelOutOfRange>,
) -> Result<Vec<Tensor>, KernelError> {
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let loss = loss(cx.items(&logits)?, cx.labels(&labels)?, [n, c])?;
    Ok(cx.output(|out| out.fill(loss)))
}

/// The gradients of a loss of logits and labels: that by the logits, of the op `grad`.
pub(super) fn gradient_of_labels<'r>(
    b: &Backward<'r>,
    grad: &'static OpSpec,
) -> Vec<Option<Value<'r>>> {
    let [logits, labels] = b.inputs[..] else { return vec![] };
    let op = logits.recording().op(grad).input(logits).input(labels);
    vec![b.gradient().map(|dy| op.input(dy).build()), None]
}

/// The type of the gradient by the logits, from those of logits, labels and the gradient of the loss.
pub(super) fn infer_gradient(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [logits, _, dy] = s.inputs()?;
    if *dy == expect_logits(s)?.with_shape(Shape::scalar()) {
        Ok(vec![logits.clone()])
    } else {
        type_error!("takes the gradient of a scalar, not {dy}")
    }
}

/// The gradient by the logits, which `slope` makes for a loss whose gradient is 1: from logits,
/// labels, examples and classes.
pub(super) fn gradient_kernel<T: Item + Float>(
    cx: &Context<'_>,
    [logits, labels, dy]: [Tensor; 3],
    slope: impl Fn(&[T], &[i32], [usize; 2], &mut [T]) -> Result<(), LabelOutOfRange>,
) -> Result<Vec<Tensor>, KernelError> {
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let mut out = T::zeros(cx.node.outputs[0].shape.elements());
    slope(cx.items(&logits)?, cx.labels(&labels)?, [n, c], &mut out)?;
    let dy = cx.scalar(&dy)?;
    out.iter_mut().for_each(|x| *x *= dy);
    Ok(vec![T::tensor(&cx.node.outputs[0].shape, out)])
}

/// The type of a loss of logits and targets.
pub(super) fn infer_of_targets(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [logits, targets] = s.inputs()?;
    if logits != targets {
        return type_error!("takes logits and targets of one type, not {logits} and {targets}");
    }
    let [_, _] = logits.expect_number()?.expect_rank()?;
    Ok(vec![logits.with_shape(Shape::scalar())])
}

/// The gradient of a loss whose slope is that of `predicted`, made of the logits, less the targets.
pub(super) fn gradient_of_targets<'r>(
    b: &Backward<'r>,
    predicted: impl Fn(Value<'r>) -> Value<'r>,
) -> Vec<Option<Value<'r>>> {
    let [logits, targets] = b.inputs[..] else { return vec![] };
    let slope = || sub(predicted(logits), targets);
    vec![b.gradient().map(|dy| times(slope(), dy)), None]
}

/// `x` times the gradient of a loss by itself, which most often is a constant 1.
fn times<'r>(x: Value<'r>, dy: Value<'r>) -> Value<'r> {
    match dy.op() {
        Some(op) if std::ptr::eq(op, &ones_like::OP.spec) => x,
        _ => mul(x, dy),
    }
}

/// A loss of `logits`, as the floats that they are.
pub(super) fn loss_of(logits: &Tensor, loss: f64) -> Vec<Tensor> {
    vec![match logits {
        Tensor::F32(_) => Tensor::f32(&Shape::scalar(), vec![loss as f32]),
        _ => Tensor::f64(&Shape::scalar(), vec![loss]),
    }]
}

impl Context<'_> {
    /// The labels of an `i32` tensor.
    pub(crate) fn labels<'t>(&self, tensor: &'t Tensor) -> Result<&'t [i32], KernelError> {
        match tensor {
            Tensor::I32(labels) => Ok(slice(labels)),
            _ => self.bug("got no labels"),
        }
    }

    /// The one element of a scalar.
    pub(crate) fn scalar<T: Item>(&self, tensor: &Tensor) -> Result<T, KernelError> {
        self.items::<T>(tensor)?.first().copied().map_or_else(|| self.bug("got no scalar"), Ok)
    }
}

impl From<LabelOutOfRange> for KernelError {
    fn from(error: LabelOutOfRange) -> Self {
        Self::Label { index: error.index, classes: error.classes }
    }
}
