//! `transpose(x, permutation)`: a tensor with its axes in another order.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange::View;
use crate::value::Tensor;

/// `y[i[p[0]], i[p[1]], …] = x[i[0], i[1], …]` for the permutation p: axis `k` of the result is
/// axis `permutation[k]` of `x`. Takes values of any type.
///
/// Source: Python array API 2023.12, `permute_dims`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn transpose<'r>(x: Value<'r>, permutation: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("axes", permutation).input(x).build()
}

/// See [`transpose()`].
pub static OP: Op = Op::new("transpose", Role::Arrange, infer, kernel)
    .attributes(&[("axes", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let permutation = rules::axes(s, x)?;
    if permutation.len() != x.shape.rank() {
        return type_error!("takes every axis of {x} once, not {permutation:?}");
    }
    let axes: Vec<_> = permutation.iter().map(|&axis| x.shape.axes()[axis]).collect();
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let permutation = b.attributes.ints("axes").unwrap_or_default();
    let mut inverse = vec![0; permutation.len()];
    (0..).zip(permutation).for_each(|(i, &axis)| inverse[axis as usize] = i);
    vec![b.gradient().map(|dy| transpose(dy, &inverse))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.viewed(&x, &View::transposed(x.axes(), &cx.sizes("axes")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_faults, check_gradients, check_values, fault, input};

    #[test]
    fn turns() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]);
        check_values(ANY, &[x], (&[3, 2], &[1, 4, 2, 5, 3, 6]), |_, x| transpose(x[0], &[1, 0]));
        check_values(ANY, &[(&[], &[7])], (&[], &[7]), |_, x| transpose(x[0], &[]));
        let empty = (&[2, 0, 3][..], &[][..]);
        check_values(ANY, &[empty], (&[3, 2, 0], &[]), |_, x| transpose(x[0], &[2, 0, 1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 4]], |_, x| transpose(x[0], &[2, 0, 1]));
        check_gradients(&[&[1, 2, 1, 1, 2, 1, 3, 1]], |_, x| {
            transpose(x[0], &[6, 1, 0, 7, 4, 2, 3, 5])
        });
    }

    #[test]
    fn every_axis_stands_once() {
        let faults = [
            fault(|g| {
                transpose(input(g, "x", &[2, 3]), &[0]);
            }),
            fault(|g| {
                transpose(input(g, "x", &[2, 3]), &[0, 0]);
            }),
            fault(|g| {
                transpose(input(g, "x", &[2, 3]), &[0, 2]);
            }),
        ];
        let expected = ["every axis of f32[2,3] once", "axis 0 twice", "no axis 2 in f32[2,3]"];
        check_faults(faults, expected);
    }
}
