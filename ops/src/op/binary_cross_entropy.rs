//! `binary_cross_entropy(logits, targets)`: the loss of a classifier of two classes.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::cross_entropy::{gradient_of_targets, infer_of_targets, loss_of};
use super::softplus;
use crate::kernel::{Context, KernelError, Op};
use crate::op;
use crate::value::Tensor;

/// `Σ ln(1 + e^x) − t·x` over the logits x and targets t: −ln of the probability that sigmoid(x)
/// gives t, summed over the examples of a batch; of plaintext floats or secrets.
///
/// Shapes: `logits` and `targets` `[n,c]`, targets 0 or 1; returns `[]`.
///
/// Source: Bishop, *Pattern recognition and machine learning* (2006), equation 4.90.
///
/// | bits | for | error at most | rounds | bytes an example |
/// |---|---|---|---|---|
/// | 64 | logits in ±2^15 | 9e-4 an example | 38 | 1415.5 |
/// | 128 | logits in ±2^15 | 7e-6 an example | 50 | 4255 |
#[track_caller]
pub fn binary_cross_entropy<'r>(logits: Value<'r>, targets: Value<'r>) -> Value<'r> {
    logits.recording().op(&OP.spec).input(logits).input(targets).build()
}

/// See [`binary_cross_entropy()`].
pub static OP: Op = Op::new("binary_cross_entropy", Role::Compute, infer_of_targets, kernel)
    .gradient(gradient)
    .expand(expand);

/// sigmoid(logits) − targets.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    gradient_of_targets(b, op::sigmoid)
}

/// ln(1 + e^x) − t·x = −ln sigmoid(|x|) + relu(x) − t·x.
fn expand<'r>(node: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let [logits, targets] = node.inputs[..] else { return vec![] };
    let certainty = op::log(op::sigmoid(op::abs(logits)));
    let chosen = op::sub(op::relu(logits), op::mul(targets, logits));
    vec![op::reduce_sum(op::sub(chosen, certainty), &[0, 1], false)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [logits, targets] = cx.inputs(inputs)?;
    let (Some(x), Some(t)) = (logits.to_f64(), targets.to_f64()) else {
        return cx.bug("got no floats");
    };
    let loss: f64 = x.iter().zip(&t).map(|(&x, t)| softplus::of_float(x) - t * x).sum();
    Ok(loss_of(&logits, loss))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, floats, input, inputs, value_of};

    #[test]
    fn gradients_are_right() {
        let targets = floats(&[3, 1], &[0.0, 1.0, 1.0]);
        let logits = inputs(&[&[3, 1]]);
        check_gradients_of(&logits, &[("t", targets)], 1.0 / 32.0, 1e-3, &|g, x| {
            binary_cross_entropy(x[0], input(g, "t", &[3, 1]))
        });
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_loss() {
        let x = [floats(&[2, 1], &[1e4, -1e4]), floats(&[2, 1], &[0.0, 0.0])];
        assert_eq!(value_of(&x, |_, x| binary_cross_entropy(x[0], x[1])), [1e4]);
    }
}
