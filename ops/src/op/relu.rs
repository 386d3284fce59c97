//! `relu(x)`: the positive part.

use sordino_graph::{Backward, Expanding, Role, Secrecy, Value};

use super::relu_grad;
use crate::compare::positive;
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::op::mul_bit;
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `max(x, 0)` of each element, of plaintext floats or of a secret.
///
/// Of a secret it is x times the bit that says whether x is positive. Source: Mohassel and Rindal,
/// *ABY3* (CCS 2018), section 5.4.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 8 | 78.5 |
/// | 128 | all | exact | 8 | 160.1 |
#[track_caller]
pub fn relu(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`relu()`].
pub static OP: Op =
    Op::new("relu", Role::Compute, rules::elementwise, kernel).gradient(gradient).expand(expand);

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    // Of plaintext, only the output is still needed: the input's memory can be used for it. Of a
    // secret, the input: the sign of it is known by then.
    let secret = b.inputs[0].ty().is_some_and(|ty| ty.secrecy == Secrecy::Secret);
    let which = if secret { b.inputs[0] } else { b.outputs[0] };
    vec![b.gradient().map(|dy| relu_grad::relu_grad(which, dy))]
}

/// `x` where it is positive.
fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    vec![mul_bit(positive(e.inputs[0]), e.inputs[0])]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Float>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let zero = T::default();
    // A comparison, unlike f32::max, keeps NaN, which encoding then reports.
    let each = cx.items_mut::<T>(&mut x)?.iter_mut();
    each.for_each(|x| *x = if *x < zero { zero } else { *x });
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, labels, value_of};

    #[test]
    fn keeps_what_is_positive_and_what_is_no_number() {
        let x = floats(&[5], &[-1.0, -0.0, 0.0, 2.5, f32::NAN]);
        let y = value_of(&[x], |_, x| relu(x[0]));
        assert_eq!(y[..4], [0.0, 0.0, 0.0, 2.5]);
        assert!(y[4].is_nan(), "a NaN that disappears is one that nobody is told of");
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[4, 5]], |_, x| relu(x[0]));
    }

    #[test]
    fn takes_numbers() {
        let fault = fault(|g| {
            relu(labels(g, 2));
        });
        assert!(fault.contains("relu takes floats or secret numbers, not i32[2]"), "{fault}");
    }
}
