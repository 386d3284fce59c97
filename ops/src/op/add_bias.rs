//! `add_bias(x, b)`: adds a vector to every row.

use sordino_graph::{Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::sum_rows;
use crate::items::{Item, for_numbers};
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::number::Number;
use crate::value::Tensor;

/// `y[.., j] = x[.., j] + b[j]`.
///
/// Shapes: `x` `[..,c]`, `b` `[c]`, both plaintext floats or both secrets; returns that of `x`.
///
/// Source: Python array API 2023.12, `add`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn add_bias<'r>(x: Value<'r>, b: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(b).build()
}

/// See [`add_bias()`].
pub static OP: Op = Op::new("add_bias", Role::Compute, infer, kernel).gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x, b] = s.inputs()?;
    if (x.secrecy, x.element) != (b.secrecy, b.element) {
        return type_error!("adds values of one kind, not {b} to {x}");
    }
    let [c] = b.expect_rank()?;
    if x.expect_number()?.shape.axes().last() == Some(&c) {
        Ok(vec![x.clone()])
    } else {
        type_error!("adds {b} to the last axis of {x}: their sizes differ")
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient(), b.gradient().map(sum_rows)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, b] = cx.inputs(inputs)?;
    for_numbers!(cx, &x, T => run::<T>(cx, x, &b))
}

fn run<T: Item + Number>(
    cx: &Context<'_>,
    mut x: Tensor,
    b: &Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let b = cx.items::<T>(b)?;
    for row in cx.items_mut::<T>(&mut x)?.chunks_exact_mut(b.len().max(1)) {
        row.iter_mut().zip(b).for_each(|(x, b)| *x = x.plus(*b));
    }
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NUMBERS, check_gradients, check_values, fault, input};

    #[test]
    fn adds_to_every_row() {
        let (x, b) = ((&[2, 1, 2][..], &[1, 2, 3, -4][..]), (&[2][..], &[10, 20][..]));
        check_values(NUMBERS, &[x, b], (&[2, 1, 2], &[11, 22, 13, 16]), |_, x| {
            add_bias(x[0], x[1])
        });
        check_values(NUMBERS, &[(&[0, 2], &[]), b], (&[0, 2], &[]), |_, x| add_bias(x[0], x[1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 2], &[2]], |_, x| add_bias(x[0], x[1]));
        check_gradients(&[&[2, 2, 2, 3], &[3]], |_, x| add_bias(x[0], x[1]));
    }

    #[test]
    fn sizes_must_agree() {
        let fault = fault(|g| {
            add_bias(input(g, "x", &[2, 3]), input(g, "b", &[2]));
        });
        assert!(fault.contains("add_bias adds f32[2] to the last axis of f32[2,3]"), "{fault}");
    }
}
