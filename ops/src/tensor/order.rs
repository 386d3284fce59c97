//! Orders: sorted columns, the layers of a sorting network, comparisons of all pairs, and
//! permutations.
//!
//! A tensor of sequences is `[columns, items, lanes]`: of each lane the items are put in order, in
//! all columns alike.

pub mod ranks;

use std::cmp::Ordering;

use super::number::{Float, Number};

/// The sizes of a tensor of sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequences {
    /// Tensors that are put in order together.
    pub columns: usize,
    /// Items of a sequence.
    pub items: usize,
    /// Sequences side by side.
    pub lanes: usize,
}

impl Sequences {
    /// Elements in all.
    #[must_use]
    pub fn elements(self) -> usize {
        self.columns * self.items * self.lanes
    }

    /// The sizes of a tensor of these axes, if they are three.
    #[must_use]
    pub fn of(axes: &[usize]) -> Option<Self> {
        let &[columns, items, lanes] = axes else { return None };
        Some(Self { columns, items, lanes })
    }
}

/// Sorts every lane by the first column, from the smallest to the largest; equal items stay in
/// order, and what is no number is last.
///
/// # Panics
/// If a slice's length is not what the sizes say.
pub fn sort<T: Float>(sizes: Sequences, x: &[T], out: &mut [T]) {
    assert_eq!((x.len(), out.len()), (sizes.elements(), sizes.elements()), "sort: lengths");
    let Sequences { columns, items, lanes } = sizes;
    // What is no number equals nothing.
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    let order = |x: T, y: T| x.partial_cmp(&y).unwrap_or_else(|| is_nan(x).cmp(&is_nan(y)));
    let mut places: Vec<usize> = Vec::with_capacity(items);
    for lane in 0..lanes {
        places.clear();
        places.extend(0..items);
        let key = |place: usize| x[place * lanes + lane];
        places.sort_by(|&i, &j| -> Ordering { order(key(i), key(j)) });
        for column in 0..columns {
            let start = column * items * lanes + lane;
            for (i, place) in places.iter().enumerate() {
                out[start + i * lanes] = x[start + place * lanes];
            }
        }
    }
}

/// A layer of a sorting network: the items i with `i & period == phase` are compared with the items
/// i + `distance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// How far apart compared items are.
    pub distance: usize,
    /// A power of 2.
    pub period: usize,
    /// 0 or the period.
    pub phase: usize,
}

impl Layer {
    /// The lower items of all pairs, of so many items, in runs that are contiguous.
    fn runs(self, items: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let end = items.saturating_sub(self.distance);
        let starts = (self.phase..end).step_by(2 * self.period.max(1));
        starts.map(move |start| start..end.min(start + self.period))
    }

    /// Pairs of so many items that are compared.
    #[must_use]
    pub fn pairs(self, items: usize) -> usize {
        let (end, period) = (items.saturating_sub(self.distance), self.period.max(1));
        let clear = end / (2 * period) * period + (end % (2 * period)).min(period);
        if self.phase == 0 { clear } else { end - clear }
    }
}

/// The layers that sort so many items, any number: Batcher's merge exchange (Knuth, *The Art of
/// Computer Programming*, volume 3, section 5.2.2, algorithm M).
#[must_use]
pub fn network(items: usize) -> Vec<Layer> {
    let mut layers = Vec::new();
    let half = items.next_power_of_two() / 2;
    let mut period = half;
    while period > 0 {
        let (mut gap, mut phase, mut distance) = (half, 0, period);
        loop {
            layers.push(Layer { distance, period, phase });
            if gap == period {
                break;
            }
            (distance, gap, phase) = (gap - period, gap / 2, period);
        }
        period /= 2;
    }
    layers.retain(|layer| layer.pairs(items) > 0);
    layers
}

/// A number of which differences can be taken.
pub trait Difference: Number {
    /// `self − x`.
    #[must_use]
    fn minus(self, x: Self) -> Self;
}

impl Difference for f32 {
    fn minus(self, x: Self) -> Self {
        self - x
    }
}

impl Difference for f64 {
    fn minus(self, x: Self) -> Self {
        self - x
    }
}

impl Difference for u64 {
    fn minus(self, x: Self) -> Self {
        self.wrapping_sub(x)
    }
}

impl Difference for u128 {
    fn minus(self, x: Self) -> Self {
        self.wrapping_sub(x)
    }
}

/// Of each pair of a layer the upper item minus the lower one: `[columns, pairs, lanes]`.
///
/// # Panics
/// If a slice's length is not what the sizes say.
pub fn layer_differences<T: Difference>(sizes: Sequences, layer: Layer, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), sizes.elements(), "differences: length");
    let mut done = 0;
    for column in x.chunks_exact((sizes.items * sizes.lanes).max(1)) {
        for run in layer.runs(sizes.items) {
            let (low, n) = (run.start * sizes.lanes, run.len() * sizes.lanes);
            let high = low + layer.distance * sizes.lanes;
            let pairs = column[low..][..n].iter().zip(&column[high..][..n]);
            let out = &mut out[done..done + n];
            out.iter_mut().zip(pairs).for_each(|(out, (&x, &y))| *out = y.minus(x));
            done += n;
        }
    }
    assert_eq!(done, out.len(), "differences: length");
}

/// Adds to the lower item of each pair of a layer what `moved` says, and takes it from the upper
/// one.
///
/// # Panics
/// If a slice's length is not what the sizes say.
pub fn exchange<T: Difference>(sizes: Sequences, layer: Layer, moved: &[T], x: &mut [T]) {
    assert_eq!(x.len(), sizes.elements(), "exchange: length");
    let mut moved = moved;
    for column in x.chunks_exact_mut((sizes.items * sizes.lanes).max(1)) {
        for run in layer.runs(sizes.items) {
            let (low, n) = (run.start * sizes.lanes, run.len() * sizes.lanes);
            let high = low + layer.distance * sizes.lanes;
            let (by, rest) = moved.split_at(n);
            moved = rest;
            column[low..][..n].iter_mut().zip(by).for_each(|(x, &by)| *x = x.plus(by));
            column[high..][..n].iter_mut().zip(by).for_each(|(x, &by)| *x = x.minus(by));
        }
    }
    assert!(moved.is_empty(), "exchange: length");
}

/// `x[j] − x[i]` of all pairs i < j of rows, in the order of i and then j.
///
/// # Panics
/// If a slice's length is not what the sizes say.
pub fn pair_differences<T: Difference>(items: usize, lanes: usize, x: &[T], out: &mut [T]) {
    assert_eq!(x.len(), items * lanes, "differences: length");
    assert_eq!(out.len(), items * items.saturating_sub(1) / 2 * lanes, "differences: length");
    let mut out = out;
    for i in 0..items {
        let row = &x[i * lanes..][..lanes];
        let above = &x[(i + 1) * lanes..];
        let (here, rest) = out.split_at_mut(above.len());
        out = rest;
        if let &[x] = row {
            here.iter_mut().zip(above).for_each(|(out, &y)| *out = y.minus(x));
            continue;
        }
        let rows = here.chunks_exact_mut(lanes.max(1)).zip(above.chunks_exact(lanes.max(1)));
        for (out, above) in rows {
            let pairs = out.iter_mut().zip(above.iter().zip(row));
            pairs.for_each(|(out, (&y, &x))| *out = y.minus(x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    #[test]
    fn networks_sort() {
        let mut random = SplitMix64::new(5);
        for items in (0..70).chain([127, 200, 256]) {
            for lanes in [1, 3] {
                let sizes = Sequences { columns: 2, items, lanes };
                let n = items * lanes;
                let mut x: Vec<f64> = (0..n).map(|_| f64::from(random.below(20))).collect();
                x.extend_from_within(..);
                let mut expected = vec![0.0; 2 * n];
                sort(sizes, &x, &mut expected);
                for layer in network(items) {
                    let counted: usize = layer.runs(items).map(|run| run.len()).sum();
                    assert_eq!(layer.pairs(items), counted);
                    let pairs = counted * lanes;
                    let mut by = vec![0.0; 2 * pairs];
                    layer_differences(sizes, layer, &x, &mut by);
                    by.iter_mut().for_each(|by| *by = by.min(0.0));
                    exchange(sizes, layer, &by, &mut x);
                }
                assert_eq!(x, expected, "{items} items");
            }
        }
        assert_eq!(network(65_536).len(), 136);
        assert_eq!(network(1024).iter().map(|layer| layer.pairs(1024)).sum::<usize>(), 24_063);
    }

    #[test]
    fn all_pairs() {
        let x = [1u64, 10, 2, 20, 4, 40];
        let mut out = [0; 6];
        pair_differences(3, 2, &x, &mut out);
        assert_eq!(out, [1, 10, 3, 30, 2, 20]);
    }

    #[test]
    fn equal_items_stay_in_order_and_no_numbers_are_last() {
        let x = [0.0, f32::NAN, -0.0, -1.0, 1.0, 2.0, 3.0, 4.0];
        let mut out = [0.0; 8];
        sort(Sequences { columns: 2, items: 4, lanes: 1 }, &x, &mut out);
        assert_eq!(out[4..], [4.0, 1.0, 3.0, 2.0]);
    }
}
