//! How secrets are sorted, and the largest of some.
//!
//! Few items are compared in all pairs: a comparison more for each pair, but as many rounds as one
//! comparison takes. More items take a network, whose layers come one after the other.

use sordino_graph::Value;

use crate::op::network_differences::network_differences;
use crate::op::network_exchange::network_exchange;
use crate::op::order::order;
use crate::op::pair_differences::{pair_differences, pairs};
use crate::op::sort::{axes_of, like, sequences, sort_columns};
use crate::op::{broadcast, concat, mul_bit, negative, reshape, reverse, slice_axis, transpose};
use crate::tensor::order::{Sequences, network};

/// What takes how long, in nanoseconds, among three servers on one machine. Only choices between
/// ways of sorting depend on it.
mod time {
    /// A message and the steps around it.
    pub(super) const ROUND: usize = 150_000;
    /// A comparison.
    pub(super) const COMPARISON: usize = 60;
    /// A comparison among those of all pairs, which are too many for the caches.
    pub(super) const PAIR: usize = 150;
    /// A choice.
    pub(super) const CHOICE: usize = 40;
    /// A number shuffled.
    pub(super) const SHUFFLED: usize = 60;
}

/// Most pairs that are compared at once: what they take in memory.
const MOST_PAIRS: usize = 1 << 22;

/// Whether all pairs are compared at once.
fn at_once(Sequences { columns, items, lanes }: Sequences) -> bool {
    let all = pairs(items).saturating_mul(lanes);
    if items < 2 || all > MOST_PAIRS {
        return false;
    }
    let layers = network(items);
    let compared: usize = layers.iter().map(|layer| layer.pairs(items) * lanes).sum();
    let shuffled = items * lanes * columns * time::SHUFFLED;
    let by_pairs = 10 * time::ROUND + all * time::PAIR + shuffled;
    let each = time::COMPARISON + columns * time::CHOICE;
    by_pairs < 6 * layers.len() * time::ROUND + compared * each
}

/// The secret `[columns, items, lanes]`, sorted by its first column.
pub(crate) fn sorted(x: Value<'_>) -> Value<'_> {
    match Sequences::of(&axes_of(x)) {
        Some(sizes) if at_once(sizes) => {
            let keys = reshape(slice_axis(x, 0, 0..1), &[sizes.items, sizes.lanes]);
            order(negative(pair_differences(keys)), x)
        }
        Some(sizes) => by_network(x, sizes),
        None => x,
    }
}

fn by_network(x: Value<'_>, sizes: Sequences) -> Value<'_> {
    let mut x = x;
    for layer in network(sizes.items) {
        let differences = network_differences(x, layer);
        let swapped = if sizes.columns == 1 {
            negative(differences)
        } else {
            let of_keys = negative(slice_axis(differences, 0, 0..1));
            broadcast(of_keys, &axes_of(differences))
        };
        x = network_exchange(x, mul_bit(swapped, differences), layer);
    }
    x
}

/// Most items of a group whose largest are taken by themselves.
const GROUP: usize = 256;

/// `y[0] ≥ … ≥ y[k − 1]`: the `k` largest along `axis`, from the largest on: plaintext floats or a
/// secret.
///
/// Exact. The gradient goes to the items where they were. A few of many secrets are taken from
/// groups of 4k first, and from what is left again.
///
/// Source: ONNX `TopK`; [`sort()`](crate::op::sort()).
///
/// | bits | for | error at most | rounds | bytes an item, for 3 of 128 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 18 | 536.6 |
/// | 128 | all | exact | 18 | 1070.8 |
#[track_caller]
pub fn top_k(x: Value<'_>, k: usize, axis: usize) -> Value<'_> {
    let Some(ty) = x.ty() else { return x };
    let Some(&items) = ty.shape.axes().get(axis) else {
        return x.recording().faulty("top_k", format!("finds no axis {axis} in {ty}"));
    };
    if !(1..=items).contains(&k) {
        let message = format!("takes 1 to {items} items along axis {axis} of {ty}, not {k}");
        return x.recording().faulty("top_k", message);
    }
    x.recording().here(|| {
        let few =
            if ty.fixed().is_some() { few(sequences(x, axis), k) } else { sequences(x, axis) };
        like(reverse(largest(sort_columns(few), k), &[1]), ty.shape.axes(), axis)
    })
}

/// Items that the `k` largest are among, few if `k` is small.
fn few(x: Value<'_>, k: usize) -> Value<'_> {
    let size = (4 * k).max(16);
    match axes_of(x)[..] {
        [_, items, lanes] if size <= GROUP && items > 2 * size => {
            few(of_groups(x, k, size, items, lanes), k)
        }
        _ => x,
    }
}

/// The last `k` items.
fn largest(x: Value<'_>, k: usize) -> Value<'_> {
    let items = axes_of(x).get(1).copied().unwrap_or(k);
    slice_axis(x, 1, items - k..items)
}

/// The `k` largest of each group of `size` items, and what is left over.
fn of_groups(x: Value<'_>, k: usize, size: usize, items: usize, lanes: usize) -> Value<'_> {
    let groups = items / size;
    let whole = reshape(slice_axis(x, 1, 0..groups * size), &[groups, size, lanes]);
    let side_by_side = reshape(transpose(whole, &[1, 0, 2]), &[1, size, groups * lanes]);
    let chosen = reshape(largest(sort_columns(side_by_side), k), &[1, k * groups, lanes]);
    concat([chosen, slice_axis(x, 1, groups * size..items)], 1)
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use super::*;
    use crate::protocol::testing::revealed;
    use crate::testing::{check_faults, check_gradients, check_plaintext, fault, input};

    #[test]
    fn the_largest_from_the_largest_on() {
        let x = (&[2, 3][..], &[3, 1, -2, 5, 5, -6][..]);
        check_plaintext(&[x], (&[2, 2], &[3, 1, 5, 5]), |_, x| top_k(x[0], 2, 1));
        check_plaintext(&[x], (&[1, 3], &[5, 5, -2]), |_, x| top_k(x[0], 1, 0));
        check_gradients(&[&[2, 5, 3]], |_, x| top_k(x[0], 2, 1));
    }

    #[test]
    fn the_largest_secrets() {
        let mut random = crate::data::random::SplitMix64::new(3);
        for (n, k) in [(1, 1), (5, 2), (100, 3), (333, 1), (700, 70)] {
            let x: Vec<f64> = (0..n).map(|_| f64::from(random.below(90)) - 45.0).collect();
            let mut expected = x.clone();
            expected.sort_by(|x, y| y.total_cmp(x));
            let inputs: [(&[usize], _); 1] = [(&[n], x)];
            for fixed in [Fixed::LOW, Fixed::HIGH] {
                let y = revealed("ABY3", fixed, &inputs, &|_, x| top_k(x[0], k, 0));
                assert_eq!(y, expected[..k], "{k} of {n} {fixed}");
            }
        }
    }

    #[test]
    fn there_are_so_many() {
        let faults = [
            fault(|g| {
                top_k(input(g, "x", &[2, 3]), 4, 1);
            }),
            fault(|g| {
                top_k(input(g, "x", &[2, 3]), 1, 2);
            }),
        ];
        let expected = ["takes 1 to 3 items along axis 1 of f32[2,3], not 4", "finds no axis 2"];
        check_faults(faults, expected);
    }

    #[test]
    fn few_items_are_compared_in_all_pairs() {
        let of = |items, lanes| at_once(Sequences { columns: 1, items, lanes });
        assert!(of(100, 1) && of(512, 1) && !of(1024, 1) && !of(4096, 1) && !of(65_536, 1));
        assert!(of(10, 100) && !of(2, 1_000_000));
    }
}
