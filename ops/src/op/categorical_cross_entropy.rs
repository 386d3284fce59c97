//! `categorical_cross_entropy(logits, targets)`: the loss of a classifier of several classes, of one-hot targets.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::cross_entropy::{gradient_of_targets, infer_of_targets, loss_of};
use crate::kernel::{Context, KernelError, Op};
use crate::op;
use crate::value::Tensor;

/// `−Σ targets · ln softmax(logits)`, over classes and the examples of a batch; of plaintext floats
/// or secrets.
///
/// Shapes: `logits` and `targets` `[n,c]`, targets of a row adding up to 1; returns `[]`.
///
/// Source: Bishop, *Pattern recognition and machine learning* (2006), equation 4.108.
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | logits within 2^25 of the largest | 1.4e-4 an element | 51 | 685.5 |
/// | 128 | logits within 2^25 of the largest | 4e-9 an element | 58 | 1666.7 |
#[track_caller]
pub fn categorical_cross_entropy<'r>(logits: Value<'r>, targets: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(targets).build()
}

/// See [`categorical_cross_entropy()`].
pub static OP: Op = Op::new("categorical_cross_entropy", Role::Compute, infer_of_targets, kernel)
    .gradient(gradient)
    .expand(expand);

/// softmax(logits) − targets, where the targets of a row add up to 1.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    gradient_of_targets(b, op::softmax)
}

fn expand<'r>(node: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let [logits, targets] = node.inputs[..] else { return vec![] };
    let terms = op::mul(targets, op::log_softmax(logits));
    vec![op::neg(op::reduce_sum(terms, &[0, 1], false))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, targets] = cx.inputs(inputs)?;
    let columns = logits.axes().last().copied().unwrap_or(1).max(1);
    let (Some(x), Some(t)) = (logits.to_f64(), targets.to_f64()) else {
        return cx.bug("got no floats");
    };
    let mut loss = 0.0;
    for (x, t) in x.chunks(columns).zip(t.chunks(columns)) {
        let largest = x.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
        let log_sum = x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln() + largest;
        loss += x.iter().zip(t).map(|(x, t)| t * (log_sum - x)).sum::<f64>();
    }
    Ok(loss_of(&logits, loss))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, floats, input, inputs, value_of};

    #[test]
    fn gradients_are_right() {
        let targets = floats(&[2, 3], &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
        let logits = inputs(&[&[2, 3]]);
        check_gradients_of(&logits, &[("t", targets)], 1.0 / 32.0, 1e-3, &|g, x| {
            categorical_cross_entropy(x[0], input(g, "t", &[2, 3]))
        });
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let x = [floats(&[1, 3], &[1e4, 0.0, -1e4]), floats(&[1, 3], &[0.0, 0.0, 1.0])];
        assert_eq!(value_of(&x, |_, x| categorical_cross_entropy(x[0], x[1])), [2e4]);
    }
}
