//! The largest and smallest along an axis, of plaintext floats or of secrets.
//!
//! Up to 8 items are compared in all pairs at once: an item is the largest if it is below
//! none behind it and above all before it. More items are taken in groups, whose largest are
//! compared in turn; so are items at many places, two by two. Of n ≤ 8 secrets of 64 bits that takes 6 rounds for the n(n − 1)/2
//! comparisons, up to 3 for their AND and 2 for the choice.

use sordino_graph::Value;

use crate::op::{
    add_n, and, bit_to_number, broadcast, gather, join_bits, mul_bit, negative, position,
    reduce_sum, reshape, scale, split_bits, transpose, winners,
};

/// Items that are compared in all pairs, where few are.
const AT_ONCE: usize = 8;

/// Places, beside the axis, from which on items are compared two by two: more rounds take less time
/// there than more comparisons.
const MANY: usize = 4096;

/// Items of `x`, along its first axis, that are compared in all pairs.
fn at_once(x: Value<'_>) -> usize {
    let places = axes(x).iter().skip(1).product::<usize>();
    if places > MANY { 2 } else { AT_ONCE }
}

/// The largest along `axis`, which the result does not have. The gradient goes to the first of
/// them.
#[track_caller]
pub fn reduce_max(x: Value<'_>, axis: usize) -> Value<'_> {
    match axis_first(x, axis) {
        Some(x) => largest(x),
        None => x.recording().faulty("reduce_max", "takes an axis that has items"),
    }
}

/// The smallest along `axis`, which the result does not have.
#[track_caller]
pub fn reduce_min(x: Value<'_>, axis: usize) -> Value<'_> {
    scale(reduce_max(scale(x, -1.0), axis), -1.0)
}

/// Which is the first of the largest along `axis`, as truth values: of the shape of `x`, with the
/// axis moved to the front.
#[track_caller]
pub fn one_hot_max(x: Value<'_>, axis: usize) -> Value<'_> {
    match axis_first(x, axis) {
        Some(x) => one_hot(x),
        None => x.recording().faulty("one_hot_max", "takes an axis that has items"),
    }
}

/// The position along `axis`, which has up to 128 items, of the first of the largest, as a number.
#[track_caller]
pub fn argmax(x: Value<'_>, axis: usize) -> Value<'_> {
    match axis_first(x, axis) {
        Some(x) if items(x) > at_once(x) => bit_to_number(position(join_bits(one_hot(x)))),
        Some(x) if items(x) > 1 => bit_to_number(position(first_largest(x))),
        Some(x) => scale(largest(x), 0.0),
        None => x.recording().faulty("argmax", "takes an axis that has items"),
    }
}

/// The position along `axis` of the first of the smallest, as a number.
#[track_caller]
pub fn argmin(x: Value<'_>, axis: usize) -> Value<'_> {
    argmax(scale(x, -1.0), axis)
}

fn axes(x: Value<'_>) -> Vec<usize> {
    x.ty().map(|ty| ty.shape.axes().to_vec()).unwrap_or_default()
}

/// Size of the first axis.
fn items(x: Value<'_>) -> usize {
    axes(x).first().copied().unwrap_or(0)
}

/// The value with an axis, which must have items, as its first.
fn axis_first(x: Value<'_>, axis: usize) -> Option<Value<'_>> {
    let axes = axes(x);
    axes.get(axis).filter(|&&items| items > 0)?;
    if axis == 0 {
        return Some(x);
    }
    let others = (0..axes.len()).filter(|&other| other != axis);
    Some(transpose(x, &std::iter::once(axis).chain(others).collect::<Vec<_>>()))
}

/// `x[i] − x[j]` of pairs (i, j).
fn differences<'r>(x: Value<'r>, pairs: &[(usize, usize)]) -> Value<'r> {
    let (left, right): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
    add_n([gather(x, &left, 0), scale(gather(x, &right, 0), -1.0)])
}

/// Words whose set bit is that of the first largest of 2 to [`AT_ONCE`] items.
pub(crate) fn first_largest(x: Value<'_>) -> Value<'_> {
    let pairs = winners::pairs(items(x));
    winners::winners(join_bits(negative(differences(x, &pairs))), items(x))
}

/// The largest along the first axis.
pub(crate) fn largest(x: Value<'_>) -> Value<'_> {
    let n = items(x);
    if n > at_once(x) {
        return largest(largest(grouped(x).0));
    }
    let first = reshape(gather(x, &[0], 0), &axes(x)[1..]);
    if n == 1 {
        return first;
    }
    let above: Vec<_> = (1..n).map(|i| (i, 0)).collect();
    let chosen = mul_bit(split_bits(first_largest(x), 1..n), differences(x, &above));
    add_n([first, reduce_sum(chosen, &[0], false)])
}

/// Which is the first of the largest along the first axis.
pub(crate) fn one_hot(x: Value<'_>) -> Value<'_> {
    let n = items(x);
    if n == 1 {
        // No number is below itself.
        return crate::op::not(negative(differences(x, &[(0, 0)])));
    }
    if n <= at_once(x) {
        return split_bits(first_largest(x), 0..n);
    }
    let (grouped, size) = grouped(x);
    let shape = axes(grouped);
    let groups = one_hot(largest(grouped));
    let both = and(one_hot(grouped), broadcast(groups, &shape));
    let merged = [&[shape[0] * shape[1]], &shape[2..]].concat();
    let places: Vec<_> = (0..n).map(|item| item % size * shape[1] + item / size).collect();
    gather(reshape(both, &merged), &places, 0)
}

/// The items in groups of equal size, up to [`at_once`]: `[n,…]` to `[size,groups,…]`, and the
/// size. The last item stands for those that the last groups lack: it is never the first largest
/// again.
fn grouped(x: Value<'_>) -> (Value<'_>, usize) {
    let n = items(x);
    let groups = n.div_ceil(at_once(x));
    let size = n.div_ceil(groups);
    let places =
        (0..size).flat_map(|i| (0..groups).map(move |group| (group * size + i).min(n - 1)));
    let shape = [&[size, groups], &axes(x)[1..]].concat();
    (reshape(gather(x, &places.collect::<Vec<_>>(), 0), &shape), size)
}
