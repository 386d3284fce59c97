//! `sigmoid_cross_entropy(logits, labels)`: the loss of a classifier of two classes.

use sordino_graph::{Backward, Role, Shape, Signature, Type, TypeError, Value, type_error};

use super::cross_entropy::expect_logits;
use super::sigmoid_cross_entropy_grad::sigmoid_cross_entropy_grad;
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
    let dy = b.gradient();
    vec![dy.map(|dy| sigmoid_cross_entropy_grad(b.inputs[0], b.inputs[1], dy)), None]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels] = cx.inputs(inputs)?;
    let &[n, _] = logits.axes() else { return cx.bug("got no matrix") };
    let labels = cx.labels(&labels)?;
    for_floats!(cx, &logits, T => {
        let loss = loss::sigmoid_cross_entropy(cx.items::<T>(&logits)?, labels, n)?;
        Ok(cx.output::<T>(|out| out.fill(loss)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, fault, floats, input, inputs, labels};

    #[test]
    fn gradients_are_right() {
        let classes = Tensor::i32(&Shape::new(&[4]).unwrap(), vec![1, 0, 0, 1]);
        let others = [("labels", classes)];
        let logits = inputs(&[&[4, 1]]);
        check_gradients_of(&logits, &others, 1.0 / 32.0, 1e-3, &|g, x| {
            sigmoid_cross_entropy(x[0], labels(g, 4))
        });
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let loss = |logits: &[f32], label| {
            let logits = floats(&[1, logits.len()], logits);
            let classes = Tensor::i32(&Shape::new(&[1]).unwrap(), vec![label]);
            let n = logits.axes()[1];
            let variables = [("x", logits), ("labels", classes)];
            crate::testing::evaluate(&variables, |g| {
                crate::op::publish(
                    "loss",
                    sigmoid_cross_entropy(input(g, "x", &[1, n]), labels(g, 1)),
                );
            })[0][0]
        };
        assert_eq!(loss(&[1e4], 1), 0.0);
        assert_eq!(loss(&[1e4], 0), 1e4);
        assert_eq!(loss(&[-1e4], 1), 1e4);
    }

    #[test]
    fn one_logit_an_example() {
        let fault = fault(|g| {
            sigmoid_cross_entropy(input(g, "x", &[4, 3]), labels(g, 4));
        });
        assert!(fault.contains("takes one logit an example, not f32[4,3]"), "{fault}");
    }
}
