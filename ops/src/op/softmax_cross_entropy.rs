//! `softmax_cross_entropy(logits, labels)`: the loss of a classifier of several classes.

use sordino_graph::{Backward, Role, Shape, Signature, Type, TypeError, Value};

use super::cross_entropy::expect_logits;
use super::softmax_cross_entropy_grad::softmax_cross_entropy_grad;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::loss;
use crate::value::Tensor;

/// Mean over the batch of −ln softmax(logits)\[label\], computed from logits and stable.
///
/// Shapes: `logits` floats `[n,c]`, `labels` i32`[n]` in 0..c; returns `[]` of the same floats.
#[track_caller]
pub fn softmax_cross_entropy<'r>(logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(labels).build()
}

/// See [`softmax_cross_entropy()`].
pub static OP: Op =
    Op::new("softmax_cross_entropy", Role::Compute, infer, kernel).gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let logits = expect_logits(s)?;
    Ok(vec![logits.with_shape(Shape::scalar())])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let dy = b.gradient();
    vec![dy.map(|dy| softmax_cross_entropy_grad(b.inputs[0], b.inputs[1], dy)), None]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, labels] = cx.inputs(inputs)?;
    let &[n, c] = logits.axes() else { return cx.bug("got no matrix") };
    let labels = cx.labels(&labels)?;
    for_floats!(cx, &logits, T => {
        let loss = loss::softmax_cross_entropy(cx.items::<T>(&logits)?, labels, n, c)?;
        Ok(cx.output::<T>(|out| out.fill(loss)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, fault, floats, input, inputs, labels};

    #[test]
    fn gradients_are_right() {
        let classes = Tensor::i32(&Shape::new(&[4]).unwrap(), vec![2, 0, 1, 2]);
        let others = [("labels", classes)];
        let logits = inputs(&[&[4, 3]]);
        check_gradients_of(&logits, &others, 1.0 / 32.0, 1e-3, &|g, x| {
            softmax_cross_entropy(x[0], labels(g, 4))
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
                    softmax_cross_entropy(input(g, "x", &[1, n]), labels(g, 1)),
                );
            })[0][0]
        };
        assert_eq!(loss(&[1e4, 0.0, -1e4], 0), 0.0);
        assert_eq!(loss(&[1e4, 0.0, -1e4], 2), 2e4);
    }

    #[test]
    fn a_label_a_row() {
        let fault = fault(|g| {
            softmax_cross_entropy(input(g, "x", &[4, 3]), labels(g, 3));
        });
        assert!(fault.contains("takes a label for each row of f32[4,3]"), "{fault}");
    }

    #[test]
    fn labels_are_classes_and_errors_name_the_place_alone() {
        for label in [3, -1, i32::MAX] {
            let graph = sordino_graph::record(
                "loss",
                &sordino_graph::Setup::new([crate::testing::me()]),
                |g| {
                    softmax_cross_entropy(input(g, "x", &[2, 3]), labels(g, 2));
                },
            );
            let classes = Tensor::i32(&Shape::new(&[2]).unwrap(), vec![0, label]);
            let variables = [("x".into(), floats(&[2, 3], &[0.0; 6])), ("labels".into(), classes)];
            let own = crate::testing::Own::with(variables);
            let error = crate::testing::run(&graph.unwrap(), &own).unwrap_err().to_string();
            assert_eq!(error, "label 1 of the batch is not one of the 3 classes");
        }
    }
}
