//! `slice(x, begin, end, strides)`: elements at regular distances along each axis.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::{pad_zeros, scatter};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange::View;
use crate::value::Tensor;

/// `y[i] = x[begin + i·stride]`: along each axis the elements `begin`, `begin + stride`, … before
/// `end`. Takes values of any type.
///
/// Positions count from the first element, and none from the last. With a negative stride, elements
/// are taken from `begin` backwards, and the `end` before which that stops is −1 to reach element
/// 0. An axis of n elements has begin and end in 0..=n, for negative strides in −1..n; a stride is
/// never 0.
///
/// Source: ONNX `Slice`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn slice<'r>(x: Value<'r>, begin: &[i64], end: &[i64], strides: &[i64]) -> Value<'r> {
    let op = x.recording().op(&OP.spec).input(x);
    op.attr("begin", begin).attr("end", end).attr("strides", strides).build()
}

/// See [`slice()`].
pub static OP: Op = Op::new("slice", Role::Arrange, infer, kernel)
    .attributes(&[
        ("begin", AttributeKind::Ints),
        ("end", AttributeKind::Ints),
        ("strides", AttributeKind::Ints),
    ])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let list = |name| s.attributes.ints(name).unwrap_or_default();
    let (begin, end, strides) = (list("begin"), list("end"), list("strides"));
    if [begin, end, strides].iter().any(|list| list.len() != x.shape.rank()) {
        return type_error!("takes begin, end and stride for each axis of {x}");
    }
    let each = begin.iter().zip(end).zip(strides).zip(x.shape.axes()).enumerate();
    let axes = each.map(|(axis, (((&begin, &end), &stride), &n))| {
        size(n as i64, begin, end, stride).ok_or_else(|| {
            TypeError(format!("finds no elements {begin}..{end} by {stride} on axis {axis} of {x}"))
        })
    });
    let axes = axes.collect::<Result<Vec<_>, _>>()?;
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

/// How many of n elements a range takes; `None` if it leaves them.
fn size(n: i64, begin: i64, end: i64, stride: i64) -> Option<usize> {
    let (first, past) = if stride > 0 { (begin, end) } else { (end, begin) };
    let bounds = if stride > 0 { 0..=n } else { -1..=n - 1 };
    let inside = bounds.contains(&first) && bounds.contains(&past) && first <= past;
    (inside && stride != 0)
        .then(|| (past - first).unsigned_abs().div_ceil(stride.unsigned_abs()) as usize)
}

/// Each element of the gradient goes back to where it was taken from.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let types = b.inputs[0].ty().zip(b.outputs[0].ty());
    let list = |name| b.attributes.ints(name).unwrap_or_default();
    let (begin, strides) = (list("begin"), list("strides"));
    let back = b.gradient().zip(types).map(|(mut dy, (x, y))| {
        let (from, to) = (x.shape.axes(), y.shape.axes());
        let (mut before, mut after) = (vec![0; from.len()], vec![0; from.len()]);
        for (axis, (&n, &taken)) in from.iter().zip(to).enumerate() {
            if strides[axis] == 1 || taken == 0 {
                before[axis] = if taken == 0 { 0 } else { begin[axis] as usize };
                after[axis] = n - taken - before[axis];
            } else {
                let position = |i| (begin[axis] + i * strides[axis]) as usize;
                let positions: Vec<_> = (0..taken as i64).map(position).collect();
                dy = scatter(dy, &positions, axis, n);
            }
        }
        if before.iter().chain(&after).all(|&n| n == 0) {
            dy
        } else {
            pad_zeros(dy, &before, &after)
        }
    });
    vec![back]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let list = |name| cx.node.attributes.ints(name).unwrap_or_default();
    let sizes = cx.node.outputs[0].shape.axes();
    let view = View::sliced(x.axes(), list("begin"), sizes, list("strides"));
    cx.viewed(&x, &view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_faults, check_gradients, check_values, fault, input};

    #[test]
    fn takes_ranges() {
        let x = (&[2, 5][..], &[0, 1, 2, 3, 4, 10, 11, 12, 13, 14][..]);
        check_values(ANY, &[x], (&[1, 3], &[11, 12, 13]), |_, x| {
            slice(x[0], &[1, 1], &[2, 4], &[1, 1])
        });
        check_values(ANY, &[x], (&[2, 3], &[10, 12, 14, 0, 2, 4]), |_, x| {
            slice(x[0], &[1, 0], &[-1, 5], &[-1, 2])
        });
        check_values(ANY, &[x], (&[2, 2], &[3, 1, 13, 11]), |_, x| {
            slice(x[0], &[0, 3], &[2, -1], &[7 - 6, -2])
        });
        check_values(ANY, &[x], (&[2, 0], &[]), |_, x| slice(x[0], &[0, 5], &[2, 5], &[1, 3]));
        check_values(ANY, &[(&[], &[7])], (&[], &[7]), |_, x| slice(x[0], &[], &[], &[]));
        check_values(ANY, &[(&[0], &[])], (&[0], &[]), |_, x| slice(x[0], &[-1], &[-1], &[-1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 7, 4]], |_, x| slice(x[0], &[0, 5, 1], &[3, 0, 3], &[1, -2, 1]));
        check_gradients(&[&[3, 7]], |_, x| slice(x[0], &[2, 1], &[-1, 7], &[-1, 3]));
        check_gradients(&[&[4]], |_, x| slice(x[0], &[0], &[4], &[1]));
    }

    #[test]
    fn positions_are_inside() {
        let faults = [
            fault(|g| {
                slice(input(g, "x", &[4]), &[0], &[5], &[1]);
            }),
            fault(|g| {
                slice(input(g, "x", &[4]), &[3], &[2], &[1]);
            }),
            fault(|g| {
                slice(input(g, "x", &[4]), &[4], &[-1], &[-1]);
            }),
            fault(|g| {
                slice(input(g, "x", &[4]), &[0], &[4], &[0]);
            }),
            fault(|g| {
                slice(input(g, "x", &[4]), &[i64::MIN], &[i64::MAX], &[i64::MIN]);
            }),
            fault(|g| {
                slice(input(g, "x", &[4]), &[0, 0], &[4, 1], &[1, 1]);
            }),
        ];
        let expected = [
            "0..5 by 1",
            "3..2 by 1",
            "4..-1 by -1",
            "0..4 by 0",
            "on axis 0 of f32[4]",
            "begin, end and stride for each axis of f32[4]",
        ];
        check_faults(faults, expected);
    }
}
