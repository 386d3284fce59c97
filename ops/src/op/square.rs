//! `square(x)`: each element times itself.

use sordino_graph::{Backward, Role, Value};

use super::{mul, scale};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `x²` of each element, of plaintext floats or of a secret; errors as those of [`mul()`].
///
/// Source: Python array API 2023.12, `square`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | 1 unit | 2 | 30 |
/// | 128 | products below 2^62 | 1 unit | 2 | 60 |
#[track_caller]
pub fn square(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`square()`].
pub static OP: Op = Op::new("square", Role::Compute, rules::elementwise, kernel)
    .gradient(gradient)
    .expand(|e| vec![mul(e.inputs[0], e.inputs[0])]);

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| scale(mul(dy, b.inputs[0]), 2.0))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Float>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    cx.items_mut::<T>(&mut x)?.iter_mut().for_each(|x| *x *= *x);
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOATS, check_gradients, check_values, fault, labels};

    #[test]
    fn squares() {
        let x = (&[3][..], &[2, 0, -3][..]);
        check_values(FLOATS, &[x], (&[3], &[4, 0, 9]), |_, x| square(x[0]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| square(x[0]));
    }

    #[test]
    fn takes_numbers() {
        let fault = fault(|g| {
            square(labels(g, 2));
        });
        assert!(fault.contains("takes floats or secret numbers, not i32[2]"), "{fault}");
    }
}
