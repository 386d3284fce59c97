//! `softmax_cross_entropy(logits, labels)`: the loss of a classifier of several classes.

use sordino_graph::{Backward, Role, Shape, Signature, Type, TypeError, Value};

use super::cross_entropy::{expect_logits, gradient_of_labels, loss_kernel};
use super::softmax_cross_entropy_grad;
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
    gradient_of_labels(b, &softmax_cross_entropy_grad::OP.spec)
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let inputs = cx.inputs(inputs)?;
    for_floats!(cx, &inputs[0], T => {
        loss_kernel::<T>(cx, inputs, |x, labels, [n, c]| loss::softmax_cross_entropy(x, labels, n, c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, fault, floats, input, inputs, labels, shape, values};

    #[test]
    fn gradients_are_right() {
        let classes = Tensor::i32(&shape(&[4]), vec![2, 0, 1, 2]);
        let others = [("labels", classes)];
        let logits = inputs(&[&[4, 3]]);
        check_gradients_of(&logits, &others, 1.0 / 32.0, 1e-3, &|g, x| {
            softmax_cross_entropy(x[0], labels(g, 4))
        });
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let loss = |logits: &[f32], label| {
            let others = [("labels", Tensor::i32(&shape(&[1]), vec![label]))];
            let logits = [floats(&[1, logits.len()], logits)];
            values(&logits, &others, &|g, x| softmax_cross_entropy(x[0], labels(g, 1)))
        };
        assert_eq!(loss(&[1e4, 0.0, -1e4], 0), [0.0]);
        assert_eq!(loss(&[1e4, 0.0, -1e4], 2), [2e4]);
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
            let classes = Tensor::i32(&shape(&[2]), vec![0, label]);
            let variables = [("x".into(), floats(&[2, 3], &[0.0; 6])), ("labels".into(), classes)];
            let own = crate::testing::Own::with(variables);
            let error = crate::testing::run(&graph.unwrap(), &own).unwrap_err().to_string();
            assert_eq!(error, "label 1 of the batch is not one of the 3 classes");
        }
    }
}
