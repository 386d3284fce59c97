//! Functions that say in other words what ops of structure do.

use std::ops::Range;

use sordino_graph::Value;

use super::{broadcast, concat, reshape, slice};

fn axes_of(x: Value<'_>) -> Vec<usize> {
    x.ty().map(|ty| ty.shape.axes().to_vec()).unwrap_or_default()
}

/// As [`broadcast()`](super::broadcast()).
///
/// Source: Python array API 2023.12, `broadcast_to`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn broadcast_to<'r>(x: Value<'r>, shape: &[usize]) -> Value<'r> {
    broadcast(x, shape)
}

/// `x` with an axis of size 1 inserted, which is axis `axis` of the result.
///
/// Source: Python array API 2023.12, `expand_dims`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn expand_dims(x: Value<'_>, axis: usize) -> Value<'_> {
    let Some(ty) = x.ty() else { return x };
    if axis > ty.shape.rank() {
        return x.recording().faulty("expand_dims", format!("puts no axis {axis} into {ty}"));
    }
    let mut axes = ty.shape.axes().to_vec();
    axes.insert(axis, 1);
    reshape(x, &axes)
}

/// `x` without the given axes, which have size 1.
///
/// Source: Python array API 2023.12, `squeeze`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn squeeze<'r>(x: Value<'r>, axes: &[usize]) -> Value<'r> {
    let Some(ty) = x.ty() else { return x };
    if let Some(axis) = axes.iter().find(|&&axis| ty.shape.axes().get(axis) != Some(&1)) {
        let message = format!("finds no axis {axis} of size 1 in {ty}");
        return x.recording().faulty("squeeze", message);
    }
    let others = ty.shape.axes().iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    reshape(x, &others.map(|(_, &n)| n).collect::<Vec<_>>())
}

/// `y[.., i, ..] = x[i]`: tensors of one shape put together along a new axis, which is axis `axis`
/// of the result.
///
/// Source: Python array API 2023.12, `stack`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
///
/// # Panics
/// When there is nothing to put together.
#[track_caller]
pub fn stack<'r>(xs: impl IntoIterator<Item = Value<'r>>, axis: usize) -> Value<'r> {
    let mut layers = Vec::new();
    for x in xs {
        layers.push(expand_dims(x, axis));
    }
    assert!(!layers.is_empty(), "stack takes at least one value");
    concat(layers, axis)
}

/// `y[p][.., i, ..] = x[.., p·n + i, ..]`: `x` cut into `parts` of equal size along `axis`.
///
/// Source: ONNX `Split`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn split(x: Value<'_>, parts: usize, axis: usize) -> Vec<Value<'_>> {
    let Some(ty) = x.ty() else { return vec![x; parts] };
    let size = ty.shape.axes().get(axis).copied().filter(|n| parts > 0 && n % parts == 0);
    let Some(n) = size else {
        let message = format!("cannot cut axis {axis} of {ty} into {parts} equal parts");
        return vec![x.recording().faulty("split", message); parts];
    };
    let mut slices = Vec::new();
    for part in 0..parts {
        slices.push(slice_axis(x, axis, part * (n / parts)..(part + 1) * (n / parts)));
    }
    slices
}

/// The elements of `x`, row-major, on one axis.
///
/// Source: Python array API 2023.12, `reshape`, to −1.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn flatten(x: Value<'_>) -> Value<'_> {
    let elements = axes_of(x).iter().product();
    reshape(x, &[elements])
}

/// The elements `range` along `axis`, and everything along the others.
///
/// Source: ONNX `Slice`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn slice_axis(x: Value<'_>, axis: usize, range: Range<usize>) -> Value<'_> {
    let Some(ty) = x.ty() else { return x };
    let (mut begin, mut end) = (vec![0; ty.shape.rank()], Vec::new());
    end.extend(ty.shape.axes().iter().map(|&n| n as i64));
    if axis >= end.len() {
        return x.recording().faulty("slice_axis", format!("finds no axis {axis} in {ty}"));
    }
    let position = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    (begin[axis], end[axis]) = (position(range.start), position(range.end));
    slice(x, &begin, &end, &vec![1; begin.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_gradients, check_values, fault, input};

    const X: (&[usize], &[i64]) = (&[2, 3], &[1, 2, 3, 4, 5, 6]);

    #[test]
    fn axes_come_and_go() {
        check_values(ANY, &[X], (&[2, 1, 3], X.1), |_, x| expand_dims(x[0], 1));
        check_values(ANY, &[X], (&[2, 3, 1], X.1), |_, x| expand_dims(x[0], 2));
        check_values(ANY, &[X], (&[6], X.1), |_, x| flatten(x[0]));
        check_values(ANY, &[(&[1, 2, 1], &[1, 2])], (&[2], &[1, 2]), |_, x| squeeze(x[0], &[2, 0]));
        check_values(ANY, &[(&[], &[7])], (&[1], &[7]), |_, x| flatten(x[0]));
        check_values(ANY, &[(&[1], &[7])], (&[2], &[7, 7]), |_, x| broadcast_to(x[0], &[2]));
    }

    #[test]
    fn stacks_and_parts() {
        let expected = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6];
        check_values(ANY, &[X, X], (&[2, 3, 2], &expected), |_, x| stack([x[0], x[1]], 2));
        check_values(ANY, &[X, X], (&[2, 2, 3], &[X.1, X.1].concat()), |_, x| {
            stack([x[0], x[1]], 0)
        });
        check_values(ANY, &[X], (&[2, 1], &[2, 5]), |_, x| split(x[0], 3, 1)[1]);
        check_values(ANY, &[X], (&[1, 3], &[4, 5, 6]), |_, x| split(x[0], 2, 0)[1]);
        check_values(ANY, &[X], (&[2, 2], &[2, 3, 5, 6]), |_, x| slice_axis(x[0], 1, 1..3));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[4, 2], &[2, 2]], |_, x| stack([split(x[0], 2, 0)[1], x[1]], 1));
        check_gradients(&[&[1, 3]], |_, x| expand_dims(flatten(squeeze(x[0], &[0])), 0));
    }

    #[test]
    fn faults_are_told_once() {
        let faults = [
            fault(|g| {
                flatten(squeeze(input(g, "x", &[2, 1]), &[0]));
            }),
            fault(|g| {
                flatten(expand_dims(input(g, "x", &[2, 1]), 3));
            }),
            fault(|g| {
                stack(split(input(g, "x", &[5]), 2, 0), 0);
            }),
            fault(|g| {
                flatten(slice_axis(input(g, "x", &[5]), 1, 0..1));
            }),
        ];
        let expected = [
            "squeeze finds no axis 0 of size 1 in f32[2,1]",
            "expand_dims puts no axis 3 into f32[2,1]",
            "split cannot cut axis 0 of f32[5] into 2 equal parts",
            "slice_axis finds no axis 1 in f32[5]",
        ];
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
            assert_eq!(fault.lines().count(), 2, "{fault}");
        }
    }
}
