//! `cumsum(x, axis)`: running sums.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value};

use super::reverse;
use crate::items::{Item, for_numbers};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Number;
use crate::tensor::sums::cumulate;
use crate::value::Tensor;

/// `y[.., i, ..] = x[.., 0, ..] + … + x[.., i, ..]` along `axis`.
///
/// Takes plaintext floats, secrets and shares.
///
/// Source: Python array API 2023.12, `cumulative_sum`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: up to 2^12 numbers of any size, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn cumsum(x: Value<'_>, axis: usize) -> Value<'_> {
    x.recording().op(&OP.spec).attr("axis", axis).input(x).build()
}

/// See [`cumsum()`].
pub static OP: Op = Op::new("cumsum", Role::Compute, infer, kernel)
    .attributes(&[("axis", AttributeKind::Int)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    rules::axis(s, x.expect_number()?)?;
    Ok(vec![x.clone()])
}

/// An element is in every sum from its own on: dx[i] = dy[i] + dy[i + 1] + ….
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let axis = b.attributes.int("axis").unwrap_or_default() as usize;
    vec![b.gradient().map(|dy| reverse(cumsum(reverse(dy, &[axis]), axis), &[axis]))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_numbers!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Number>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let [_, rows, row] = rules::matrices(x.axes(), cx.size("axis")?);
    cumulate(cx.items_mut::<T>(&mut x)?, rows, row);
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NUMBERS, check_gradients, check_values, fault, input};

    #[test]
    fn runs() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, -6][..]);
        check_values(NUMBERS, &[x], (&[2, 3], &[1, 3, 6, 4, 9, 3]), |_, x| cumsum(x[0], 1));
        check_values(NUMBERS, &[x], (&[2, 3], &[1, 2, 3, 5, 7, -3]), |_, x| cumsum(x[0], 0));
        check_values(NUMBERS, &[(&[0, 2], &[])], (&[0, 2], &[]), |_, x| cumsum(x[0], 0));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 2]], |_, x| cumsum(x[0], 1));
    }

    #[test]
    fn the_axis_exists() {
        let fault = fault(|g| {
            cumsum(input(g, "x", &[]), 0);
        });
        assert!(fault.contains("cumsum finds no axis 0 in f32[]"), "{fault}");
    }
}
