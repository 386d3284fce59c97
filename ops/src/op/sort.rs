//! `sort(x, axis)`: items in order.

use sordino_graph::{Backward, Expanding, Role, Signature, Type, TypeError, Value};

use super::{concat, cumsum, ones_like, reshape, slice_axis, transpose};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::ordering::sorted;
use crate::rules;
use crate::tensor::order::{self, Sequences};
use crate::value::Tensor;

/// `y[0] ≤ y[1] ≤ …` along `axis`: `x` from the smallest to the largest, plaintext floats or a
/// secret.
///
/// Exact. What is no number is last. The gradient goes to the items where they were.
///
/// Secrets, up to some hundreds, are compared in all pairs at once, with 48.6 bytes a pair and 44
/// an item at 64 bits in 9 rounds; the comparisons are summed to ranks, which are learnt in a
/// shuffled order that nobody knows. More take the layers of a sorting network (Batcher's merge
/// exchange): with t = ⌈log2 n⌉, t(t + 1)/2 layers of 6 rounds at 64 bits, with a comparison and a
/// choice, 79 bytes, for each of (t² − t + 4)·2^t/4 − 1 pairs of n = 2^t items.
///
/// Source: Python array API 2023.12, `sort`; [ranks](crate::tensor::order::ranks); Knuth, *The art
/// of computer programming*, volume 3, algorithm 5.2.2 M.
///
/// | bits | for | error at most | rounds | bytes an item of 128 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 9 | 3123.8 |
/// | 128 | all | exact | 9 | 6306.9 |
#[track_caller]
pub fn sort(x: Value<'_>, axis: usize) -> Value<'_> {
    sort_by_key(x, &[], axis).swap_remove(0)
}

/// `keys` as by [`sort()`] along `axis`, and then each of `values`, of the type of `keys`, moved as
/// they were.
///
/// Values of equal keys stay in order, but for secret keys that a network sorts. The gradients of
/// all go to where the items were. With [`cumsum`](super::cumsum()) of ones as values, these are
/// the places in `keys` that the items come from.
///
/// Source: Python array API 2023.12, `argsort`; [`sort()`].
///
/// | bits | for | error at most | rounds | bytes an item of 128 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 9 | 3155.8 |
/// | 128 | all | exact | 9 | 6370.9 |
#[track_caller]
pub fn sort_by_key<'r>(keys: Value<'r>, values: &[Value<'r>], axis: usize) -> Vec<Value<'r>> {
    let results = 1 + values.len();
    let Some(ty) = keys.ty() else { return vec![keys; results] };
    if axis >= ty.shape.rank() {
        let message = format!("finds no axis {axis} in {ty}");
        return vec![keys.recording().faulty("sort", message); results];
    }
    if let Some(other) = values.iter().filter_map(Value::ty).find(|other| *other != ty) {
        let message = format!("takes values of the type of the keys, {ty}, not {other}");
        return vec![keys.recording().faulty("sort", message); results];
    }
    keys.recording().here(|| {
        let columns = std::iter::once(keys).chain(values.iter().copied());
        let flat: Vec<_> = columns.map(|column| sequences(column, axis)).collect();
        let sorted = sort_columns(if results == 1 { flat[0] } else { concat(flat, 0) });
        let part = |i| if results == 1 { sorted } else { slice_axis(sorted, 0, i..i + 1) };
        (0..results).map(|i| like(part(i), ty.shape.axes(), axis)).collect()
    })
}

/// A tensor as `[1, items, lanes]`, its axis `axis` being the items.
pub(crate) fn sequences(x: Value<'_>, axis: usize) -> Value<'_> {
    let axes = axes_of(x);
    let moved = if axis == 0 { x } else { transpose(x, &axis_first(axes.len(), axis)) };
    let lanes = axes[..axis].iter().chain(&axes[axis + 1..]).product();
    reshape(moved, &[1, axes[axis], lanes])
}

/// The inverse of [`sequences`], for a tensor of these axes but for the number of items.
pub(crate) fn like<'r>(x: Value<'r>, axes: &[usize], axis: usize) -> Value<'r> {
    let Some(&[_, items, _]) = x.ty().as_ref().map(|ty| ty.shape.axes()) else { return x };
    let others: Vec<_> = axes[..axis].iter().chain(&axes[axis + 1..]).copied().collect();
    let x = reshape(x, &[&[items], &others[..]].concat());
    if axis == 0 {
        return x;
    }
    let mut back: Vec<_> = (1..=axis).chain([0]).collect();
    back.extend(axis + 1..axes.len());
    transpose(x, &back)
}

fn axis_first(rank: usize, axis: usize) -> Vec<usize> {
    std::iter::once(axis).chain((0..rank).filter(|&other| other != axis)).collect()
}

pub(crate) fn axes_of(x: Value<'_>) -> Vec<usize> {
    x.ty().map(|ty| ty.shape.axes().to_vec()).unwrap_or_default()
}

/// Sorts `[columns, items, lanes]` by the first column.
#[track_caller]
pub(crate) fn sort_columns(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`sort()`]. Takes `[columns, items, lanes]`, and sorts the items of each lane by the first
/// column.
pub static OP: Op = Op::new("sort", Role::Compute, infer, kernel)
    .gradient(gradient)
    .expand(|e: &Expanding<'_, '_>| vec![sorted(e.inputs[0])]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    rules::number(x)?.expect_rank::<3>()?;
    Ok(vec![x.clone()])
}

/// Sorting the gradient by where its items come from brings it back.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let x = b.inputs[0];
    let Some(dy) = b.gradient() else { return vec![None] };
    let keys = slice_axis(x, 0, 0..1);
    let ones = keys.recording().op(&ones_like::OP.spec).input(keys).build();
    let places = slice_axis(sort_columns(concat([keys, cumsum(ones, 1)], 0)), 0, 1..2);
    let back = sort_columns(concat([places, dy], 0));
    vec![Some(slice_axis(back, 0, 1..1 + axes_of(dy)[0]))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let Some(sizes) = Sequences::of(x.axes()) else { return cx.bug("got no sequences") };
    for_floats!(cx, &x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| order::sort(sizes, x, out)))
    })
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use super::*;
    use crate::protocol::testing::revealed;
    use crate::testing::{
        check_faults, check_gradients, check_plaintext, fault, floats, input, value_of,
    };

    #[test]
    fn sorts_along_an_axis() {
        let x = (&[2, 3][..], &[3, 1, -2, 5, 5, -6][..]);
        check_plaintext(&[x], (&[2, 3], &[-2, 1, 3, -6, 5, 5]), |_, x| sort(x[0], 1));
        check_plaintext(&[x], (&[2, 3], &[3, 1, -6, 5, 5, -2]), |_, x| sort(x[0], 0));
        check_plaintext(&[(&[0, 2], &[])], (&[0, 2], &[]), |_, x| sort(x[0], 0));
    }

    #[test]
    fn values_move_with_their_keys() {
        let x = [floats(&[4], &[2.0, 1.0, 2.0, -1.0]), floats(&[4], &[1.0, 2.0, 3.0, 4.0])];
        let y = value_of(&x, |_, x| sort_by_key(x[0], &[x[1], x[0]], 0)[1]);
        assert_eq!(y, [4.0, 2.0, 1.0, 3.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 5, 3]], |_, x| sort(x[0], 1));
        check_gradients(&[&[7], &[7]], |_, x| sort_by_key(x[0], &[x[1]], 0)[1]);
    }

    #[test]
    fn axes_and_types_fit() {
        let faults = [
            fault(|g| {
                sort(input(g, "x", &[2, 3]), 2);
            }),
            fault(|g| {
                sort_by_key(input(g, "x", &[2, 3]), &[input(g, "y", &[3, 2])], 0);
            }),
        ];
        let expected =
            ["sort finds no axis 2 in f32[2,3]", "type of the keys, f32[2,3], not f32[3"];
        check_faults(faults, expected);
    }

    /// Quarters with many that are equal, and the largest and smallest there are.
    fn numbers(n: usize, seed: u64) -> Vec<f64> {
        let mut random = crate::data::random::SplitMix64::new(seed);
        let mut draw = |i: usize| match i {
            2 => 2f64.powi(33),
            4 => -2f64.powi(33),
            _ => (f64::from(random.below(40)) - 20.0) / 4.0,
        };
        (0..n).map(&mut draw).collect()
    }

    #[test]
    fn secrets_are_sorted() {
        for (items, lanes) in [(0, 2), (1, 3), (2, 1), (3, 5), (7, 1), (33, 2), (2000, 1)] {
            let x = numbers(items * lanes, items as u64);
            let mut expected = vec![0.0; x.len()];
            order::sort(Sequences { columns: 1, items, lanes }, &x, &mut expected);
            for (protocol, fixed) in
                [("ABY3", Fixed::LOW), ("ABY3", Fixed::HIGH), ("Plain", Fixed::LOW)]
            {
                let inputs: [(&[usize], _); 1] = [(&[items, lanes], x.clone())];
                let y = revealed(protocol, fixed, &inputs, &|_, x| sort(x[0], 0));
                assert_eq!(y, expected, "{protocol} {fixed} {items} x {lanes}");
            }
        }
    }

    #[test]
    fn secret_values_move_with_their_keys() {
        let keys = numbers(41, 1);
        let inputs: [(&[usize], _); 1] = [(&[41], keys.clone())];
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            // A value tells its key, whichever of the equal ones it was.
            let y = revealed("ABY3", fixed, &inputs, &|_, x| {
                let double = super::super::scale(x[0], 2.0);
                let sorted = sort_by_key(x[0], &[double, x[0]], 0);
                super::super::concat(sorted, 0)
            });
            let mut expected = keys.clone();
            expected.sort_by(f64::total_cmp);
            assert_eq!(y[..41], expected);
            assert_eq!(y[82..], expected);
            assert!(y[41..82].iter().zip(&expected).all(|(y, x)| *y == 2.0 * x));
        }
    }
}
