//! `reduce_sum(x, axes, keep_dims)`: the sum along some axes.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value};

use super::{broadcast, reshape};
use crate::items::{Item, for_numbers};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Number;
use crate::tensor::sums;
use crate::value::Tensor;

/// `Σ x`: the sum of `x` along `axes`, which the result lacks, or has with size 1 if `keep_dims`.
/// The sum of nothing is 0.
///
/// Takes plaintext floats, secrets and shares. The order in which floats are added depends on the
/// shapes alone.
///
/// Source: Python array API 2023.12, `sum`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: sums of up to 2^12 numbers of any size, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn reduce_sum<'r>(x: Value<'r>, axes: &[usize], keep_dims: bool) -> Value<'r> {
    x.recording().op(&OP.spec).attr("axes", axes).attr("keep_dims", keep_dims).input(x).build()
}

/// See [`reduce_sum()`].
pub static OP: Op = Op::new("reduce_sum", Role::Compute, infer, kernel)
    .attributes(&[("axes", AttributeKind::Ints), ("keep_dims", AttributeKind::Flag)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let summed = rules::axes(s, x.expect_number()?)?;
    let keep = s.attributes.flag("keep_dims").unwrap_or_default();
    let kept = x.shape.axes().iter().enumerate().filter_map(|(axis, &n)| {
        let summed = summed.contains(&axis);
        if summed { keep.then_some(1) } else { Some(n) }
    });
    Ok(vec![x.with_shape(rules::shape(&kept.collect::<Vec<_>>())?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let summed = b.attributes.ints("axes").unwrap_or_default();
    let shape = b.inputs[0].ty().map(|ty| ty.shape);
    let repeated = b.gradient().zip(shape).map(|(dy, shape)| {
        let size = |(axis, &n)| if summed.contains(&(axis as i64)) { 1 } else { n };
        let kept: Vec<_> = shape.axes().iter().enumerate().map(size).collect();
        broadcast(reshape(dy, &kept), shape.axes())
    });
    vec![repeated]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_numbers!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Number>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let summed = cx.sizes("axes")?;
    // Neighbours that are both summed, or both not, are as one.
    let mut groups: Vec<(usize, bool)> = Vec::new();
    for (axis, &n) in x.axes().iter().enumerate().filter(|(_, n)| **n != 1) {
        let sums = summed.contains(&axis);
        match groups.last_mut().filter(|(_, last)| *last == sums) {
            Some((elements, _)) => *elements *= n,
            None => groups.push((n, sums)),
        }
    }
    // From the inside: the first sum is the only one that reads all elements.
    while let Some(at) = groups.iter().rposition(|(_, sums)| *sums) {
        let axes: Vec<_> = groups.iter().map(|(n, _)| *n).collect();
        let [outer, rows, row] = rules::matrices(&axes, at);
        let mut out = T::zeros(outer * row);
        sums::sum(cx.items::<T>(&x)?, rows, row, &mut out);
        x = T::tensor(&rules::shape(&[out.len()])?, out);
        groups.remove(at);
    }
    let x = cx.items::<T>(&x)?;
    Ok(cx.output::<T>(|out| out.copy_from_slice(x)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        NUMBERS, check_faults, check_gradients, check_values, fault, input, labels,
    };

    #[test]
    fn adds_along_axes() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, -6][..]);
        check_values(NUMBERS, &[x], (&[3], &[5, 7, -3]), |_, x| reduce_sum(x[0], &[0], false));
        check_values(NUMBERS, &[x], (&[2, 1], &[6, 3]), |_, x| reduce_sum(x[0], &[1], true));
        check_values(NUMBERS, &[x], (&[], &[9]), |_, x| reduce_sum(x[0], &[1, 0], false));
        check_values(NUMBERS, &[x], (&[1, 1], &[9]), |_, x| reduce_sum(x[0], &[0, 1], true));
        check_values(NUMBERS, &[(&[], &[7])], (&[], &[7]), |_, x| reduce_sum(x[0], &[], false));
        check_values(NUMBERS, &[(&[2, 0], &[])], (&[2], &[0, 0]), |_, x| {
            reduce_sum(x[0], &[1], false)
        });
        check_values(NUMBERS, &[(&[2, 0], &[])], (&[0], &[]), |_, x| reduce_sum(x[0], &[0], false));
    }

    #[test]
    fn any_axes_of_eight() {
        let axes = [2, 1, 3, 2, 1, 2, 3, 2];
        let x: Vec<i64> = (0..144).map(|i| i * 5 % 17 - 8).collect();
        let mut expected = [0; 9];
        for (i, x) in x.iter().enumerate() {
            // Axes 2 and 6 are left.
            expected[i / 24 % 3 * 3 + i / 2 % 3] += x;
        }
        check_values(NUMBERS, &[(&axes, &x)], (&[1, 3, 3], &expected), |_, x| {
            reduce_sum(x[0], &[7, 0, 3, 4, 5], false)
        });
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 2]], |_, x| reduce_sum(x[0], &[0, 2], false));
        check_gradients(&[&[2, 3, 2]], |_, x| reduce_sum(x[0], &[1], true));
        check_gradients(&[&[3]], |_, x| reduce_sum(x[0], &[0], false));
    }

    #[test]
    fn axes_exist_once() {
        let faults = [
            fault(|g| {
                reduce_sum(input(g, "x", &[2]), &[1], false);
            }),
            fault(|g| {
                reduce_sum(input(g, "x", &[2]), &[0, 0], false);
            }),
            fault(|g| {
                reduce_sum(labels(g, 2), &[0], false);
            }),
        ];
        let expected = ["reduce_sum finds no axis 1 in f32[2]", "axis 0 twice", "not i32[2]"];
        check_faults(faults, expected);
    }
}
