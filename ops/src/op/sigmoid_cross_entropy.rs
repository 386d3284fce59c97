//! `sigmoid_cross_entropy(logits, labels)`: the loss of a classifier of two classes.

use sordino_graph::{Backward, Role, Shape, Signature, Type, TypeError, Value, type_error};

use super::cross_entropy::{expect_logits, gradient_of_labels, loss_kernel};
use super::sigmoid_cross_entropy_grad;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
use crate::value::Tensor;

/// Mean over the batch of −ln of the probability that sigmoid(logit) gives the label, computed
/// from logits and stable.
///
/// Shapes: `logits` floats `[n,1]`, `labels` i32`[n]` of 0 and 1; returns `[]` of the same floats.
#[track_caller]
pub fn sigmoid_cross_entropy<'r>(logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(labels).build()
}

/// See [`sigmoid_cross_entropy()`].
pub static OP: Op =
    Op::new("sigmoid_cross_entropy", Role::Compute, infer, kernel).gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let logits = expect_logits(s)?;
    match logits.shape.axes() {
        [_, 1] => Ok(vec![logits.with_shape(Shape::scalar())]),
        _ => type_error!("takes one logit an example, not {logits}"),
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    gradient_of_labels(b, &sigmoid_cross_entropy_grad::OP.spec)
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let inputs = cx.inputs(inputs)?;
    for_floats!(cx, &inputs[0], T => {
        loss_kernel::<T>(cx, inputs, |x, labels, [n, _]| loss::sigmoid_cross_entropy(x, labels, n))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, fault, floats, input, inputs, labels, shape, values};

    #[test]
    fn gradients_are_right() {
        let classes = Tensor::i32(&shape(&[4]), vec![1, 0, 0, 1]);
        let others = [("labels", classes)];
        let logits = inputs(&[&[4, 1]]);
        check_gradients_of(&logits, &others, 1.0 / 32.0, 1e-3, &|g, x| {
            sigmoid_cross_entropy(x[0], labels(g, 4))
        });
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let loss = |logits: &[f32], label| {
            let others = [("labels", Tensor::i32(&shape(&[1]), vec![label]))];
            let logits = [floats(&[1, logits.len()], logits)];
            values(&logits, &others, &|g, x| sigmoid_cross_entropy(x[0], labels(g, 1)))
        };
        assert_eq!(loss(&[1e4], 1), [0.0]);
        assert_eq!(loss(&[1e4], 0), [1e4]);
        assert_eq!(loss(&[-1e4], 1), [1e4]);
    }

    #[test]
    fn one_logit_an_example() {
        let fault = fault(|g| {
            sigmoid_cross_entropy(input(g, "x", &[4, 3]), labels(g, 4));
        });
        assert!(fault.contains("takes one logit an example, not f32[4,3]"), "{fault}");
    }
}
