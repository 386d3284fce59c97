//! The largest and smallest along an axis, of plaintext floats or of secrets.
//!
//! Up to 8 items are compared in all pairs at once: an item is the largest if it is below
//! none behind it and above all before it. More items are taken in groups, whose largest are
//! compared in turn; so are items at many places, two by two. Of n ≤ 8 secrets of 64 bits that takes 6 rounds for the
//! n(n − 1)/2 comparisons, up to 3 for their AND and 2 for the choice.

use sordino_graph::Value;

use crate::op::{
    add_n, and, bit_to_number, broadcast, concat, gather, join_bits, mul_bit, negative, pad_zeros,
    position, reduce_sum, reshape, scale, slice_axis, split_bits, transpose, winners, xor,
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

/// `max(x[0], x[1], …)`: the largest along `axis`, which the result does not have. The gradient
/// goes to the first of them.
///
/// Source: Python array API 2023.12, `max`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 17 | 127.5 |
/// | 128 | all | exact | 18 | 260.5 |
#[track_caller]
pub fn reduce_max(x: Value<'_>, axis: usize) -> Value<'_> {
    along(x, axis, "reduce_max", largest)
}

/// `min(x[0], x[1], …)`: the smallest along `axis`, which the result does not have.
///
/// Source: Python array API 2023.12, `min`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 17 | 127.5 |
/// | 128 | all | exact | 18 | 260.5 |
#[track_caller]
pub fn reduce_min(x: Value<'_>, axis: usize) -> Value<'_> {
    scale(along(scale(x, -1.0), axis, "reduce_min", largest), -1.0)
}

/// `y[i] = 1` for the least `i` with `x[i] = max(x)`: which is the first of the largest along
/// `axis`, as truth values: of the shape of `x`, with the axis moved to the front.
///
/// Source: ONNX `Hardmax`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 16 | 124.8 |
/// | 128 | all | exact | 18 | 254.6 |
#[track_caller]
pub fn one_hot_max(x: Value<'_>, axis: usize) -> Value<'_> {
    along(x, axis, "one_hot_max", one_hot)
}

/// The least `i` with `x[i] = max(x)`: the position along `axis`, which has up to 65,536 items, of
/// the first of the largest, as a number.
///
/// Source: Python array API 2023.12, `argmax`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 17 | 129.5 |
/// | 128 | all | exact | 20 | 264.1 |
#[track_caller]
pub fn argmax(x: Value<'_>, axis: usize) -> Value<'_> {
    along(x, axis, "argmax", |x| match items(x) {
        1 => scale(largest(x), 0.0),
        n if n <= at_once(x) => bit_to_number(position(first_largest(x))),
        _ => bit_to_number(place(one_hot(x))),
    })
}

/// The least `i` with `x[i] = min(x)`: the position along `axis` of the first of the smallest, as a
/// number.
///
/// Source: Python array API 2023.12, `argmin`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of 2,048 rows of 10 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 17 | 129.5 |
/// | 128 | all | exact | 20 | 264.1 |
#[track_caller]
pub fn argmin(x: Value<'_>, axis: usize) -> Value<'_> {
    argmax(scale(x, -1.0), axis)
}

fn axes(x: Value<'_>) -> Vec<usize> {
    x.ty().map(|ty| ty.shape.axes().to_vec()).unwrap_or_default()
}

/// Size of the first axis; 0 of what is faulty alone.
fn items(x: Value<'_>) -> usize {
    axes(x).first().copied().unwrap_or(0)
}

/// What `of` makes of `x` with an axis, which must have items, as its first.
#[track_caller]
fn along<'r>(
    x: Value<'r>,
    axis: usize,
    op: &str,
    of: impl FnOnce(Value<'r>) -> Value<'r>,
) -> Value<'r> {
    let (Some(ty), g) = (x.ty(), x.recording()) else { return x };
    let axes = ty.shape.axes();
    match axes.get(axis) {
        None => return g.faulty(op, format!("finds no axis {axis} in {ty}")),
        Some(0) => return g.faulty(op, format!("finds no items along axis {axis} of {ty}")),
        Some(_) => {}
    }
    let others = (0..axes.len()).filter(|&other| other != axis);
    let axis_first: Vec<_> = std::iter::once(axis).chain(others).collect();
    g.here(|| of(if axis == 0 { x } else { transpose(x, &axis_first) }))
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
    if n == 0 {
        return x;
    }
    if n > at_once(x) {
        return largest(largest(grouped(x)));
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
    if n == 0 {
        return x;
    }
    if n == 1 {
        // No number is below itself.
        return crate::op::not(negative(differences(x, &[(0, 0)])));
    }
    if n <= at_once(x) {
        return split_bits(first_largest(x), 0..n);
    }
    let grouped = grouped(x);
    let shape = axes(grouped);
    let groups = one_hot(largest(grouped));
    let both = swapped(and(one_hot(grouped), broadcast(groups, &shape)));
    let merged = reshape(both, &[&[shape[0] * shape[1]], &shape[2..]].concat());
    if shape[0] * shape[1] == n { merged } else { slice_axis(merged, 0, 0..n) }
}

/// The most bits of a word.
const WORD: usize = 128;

/// The number, in binary, of the one item along the first axis that is set. Of more items than a word
/// has bits, its column and its row in a table as wide as a word.
fn place(hot: Value<'_>) -> Value<'_> {
    let n = items(hot);
    if n == 0 {
        return hot;
    }
    if n <= WORD {
        return position(join_bits(hot));
    }
    let (rows, lanes) = (n.div_ceil(WORD), &axes(hot)[1..]);
    let mut after = vec![0; 1 + lanes.len()];
    after[0] = rows * WORD - n;
    let filled = pad_zeros(hot, &vec![0; after.len()], &after);
    let table = reshape(filled, &[&[rows, WORD], lanes].concat());
    let digits = [place(any(table)), place(any(swapped(table)))];
    let bits = |x: Value<'_>| x.ty().and_then(|ty| ty.bits()).unwrap_or(1) as usize;
    join_bits(concat(digits.map(|x| split_bits(x, 0..bits(x))), 0))
}

/// The XOR along the first axis, of which one item at most is set.
fn any(x: Value<'_>) -> Value<'_> {
    let mut x = x;
    while items(x) > 1 {
        let (n, half) = (items(x), items(x) / 2);
        let both = xor(slice_axis(x, 0, 0..half), slice_axis(x, 0, half..2 * half));
        x = if n % 2 == 0 { both } else { concat([both, slice_axis(x, 0, n - 1..n)], 0) };
    }
    reshape(x, &axes(x)[1..])
}

/// The items in groups of equal size, up to [`at_once`]: `[n,…]` to `[size,groups,…]`. The last item
/// stands for those that the last groups lack: it is never the first largest again.
fn grouped(x: Value<'_>) -> Value<'_> {
    let (n, others) = (items(x), &axes(x)[1..]);
    let groups = n.div_ceil(at_once(x));
    let size = n.div_ceil(groups);
    let lacking = groups * size - n;
    let filled = if lacking == 0 {
        x
    } else {
        let last = slice_axis(x, 0, n - 1..n);
        concat([x, broadcast(last, &[&[lacking], others].concat())], 0)
    };
    swapped(reshape(filled, &[&[groups, size], others].concat()))
}

/// The first two axes in each other's place.
fn swapped(x: Value<'_>) -> Value<'_> {
    let order: Vec<_> = [1, 0].into_iter().chain(2..axes(x).len()).collect();
    transpose(x, &order)
}
