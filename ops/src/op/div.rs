//! `div(x, y)`: quotients of elements.

use sordino_graph::{Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::arithmetic::together;
use super::{mul, neg, reciprocal};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `x / y` with both repeated to a common shape, see [`broadcast()`](super::broadcast()): of
/// plaintext floats, or of secrets, where it is `x` times the [`reciprocal()`] of `y`.
///
/// To divide by a public number see [`div_constant()`](super::div_constant()).
///
/// Source: Python array API 2023.12, `divide`.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | y of ±2^-14 to ±2^33 | that of `1 / y` times x, and 1 unit | 25 | 898.5 |
/// | 128 | y of ±2^-14 to ±2^33 | that of `1 / y` times x, and 1 unit | 30 | 2309.8 |
#[track_caller]
pub fn div<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    match together("div", x, y) {
        Ok((x, y)) => x.recording().op(&OP.spec).input(x).input(y).build(),
        Err(faulty) => faulty,
    }
}

/// See [`div()`]. Both inputs have one type.
pub static OP: Op = Op::new("div", Role::Compute, infer, kernel)
    .gradient(gradient)
    .expand(|e| vec![mul(e.inputs[0], reciprocal(e.inputs[1]))]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x, y] = s.inputs()?;
    if x == y {
        Ok(vec![rules::number(x)?.clone()])
    } else {
        type_error!("takes two values of one type, not {x} and {y}")
    }
}

/// For z = x / y: dx = dz / y and dy = −dz·z / y.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let dx = b.gradient().map(|dz| div(dz, b.inputs[1]));
    vec![dx, dx.map(|dx| neg(mul(dx, b.outputs[0])))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, y] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x, &y))
}

fn run<T: Item + Float>(
    cx: &Context<'_>,
    mut x: Tensor,
    y: &Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let quotients = cx.items_mut::<T>(&mut x)?.iter_mut().zip(cx.items::<T>(y)?);
    quotients.for_each(|(x, y)| *x /= *y);
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{add_constant, square};
    use crate::testing::{FLOATS, check_gradients, check_values, fault, input};

    #[test]
    fn divides() {
        let (x, y) = ((&[2, 2][..], &[6, 8, -9, 4][..]), (&[2][..], &[3, 2][..]));
        check_values(FLOATS, &[x, y], (&[2, 2], &[2, 4, -3, 2]), |_, x| div(x[0], x[1]));
        check_values(FLOATS, &[(&[0], &[]), (&[], &[1])], (&[0], &[]), |_, x| div(x[0], x[1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3], &[3]], |_, x| div(x[0], add_constant(square(x[1]), 1.0)));
    }

    #[test]
    fn shapes_fit() {
        let fault = fault(|g| {
            div(input(g, "x", &[2]), input(g, "y", &[3]));
        });
        assert!(fault.contains("div cannot repeat f32[2] and f32[3] to one shape"), "{fault}");
    }
}
