//! `sum_rows(x)`: the sum over all axes but the last.

use sordino_graph::{Role, Signature, Type, TypeError, Value, type_error};

use crate::items::for_numbers;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::sums;
use crate::value::Tensor;

/// `y[j] = Σ x[.., j]`: the gradient of a bias.
///
/// Shapes: `x` `[..,c]`, of plaintext floats, a secret or a share; returns `[c]` of the same. The
/// order of additions depends on the shape alone.
///
/// Source: Python array API 2023.12, `sum`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: sums of up to 2^12 numbers of any size, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn sum_rows(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`sum_rows()`].
pub static OP: Op = Op::new("sum_rows", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.expect_number()?.shape.axes().last() {
        Some(&c) => Ok(vec![x.with_shape(rules::shape(&[c])?)]),
        None => type_error!("takes rows, not {x}"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let Some((&c, outer)) = x.axes().split_last() else { return cx.bug("got a scalar") };
    let rows = outer.iter().product();
    for_numbers!(cx, &x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| sums::sum(x, rows, c, out)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NUMBERS, check_values, fault, input};

    #[test]
    fn adds_rows() {
        let x = (&[2, 1, 3][..], &[1, 2, 3, 4, 5, -6][..]);
        check_values(NUMBERS, &[x], (&[3], &[5, 7, -3]), |_, x| sum_rows(x[0]));
        check_values(NUMBERS, &[(&[4], &[1, 2, 3, 4])], (&[4], &[1, 2, 3, 4]), |_, x| {
            sum_rows(x[0])
        });
        check_values(NUMBERS, &[(&[0, 2], &[])], (&[2], &[0, 0]), |_, x| sum_rows(x[0]));
    }

    #[test]
    fn a_scalar_has_no_rows() {
        let fault = fault(|g| {
            sum_rows(input(g, "x", &[]));
        });
        assert!(fault.contains("sum_rows takes rows, not f32[]"), "{fault}");
    }
}
