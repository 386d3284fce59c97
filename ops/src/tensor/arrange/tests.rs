//! Against an odometer: every element of an output, by its index.

use super::*;
use proptest::prelude::*;

/// All indices of a tensor, in row-major order.
fn indices(axes: &[usize]) -> Vec<Vec<usize>> {
    axes.iter().fold(vec![vec![]], |outer, &n| {
        let extend = |index: Vec<usize>| {
            (0..n).map(move |i| index.iter().copied().chain([i]).collect::<Vec<_>>())
        };
        outer.into_iter().flat_map(extend).collect()
    })
}

fn position(axes: &[usize], index: &[usize]) -> usize {
    axes.iter().zip(index).fold(0, |at, (n, i)| at * n + i)
}

fn elements(axes: &[usize]) -> Vec<u32> {
    (0..axes.iter().product::<usize>() as u32).collect()
}

/// Compares a copy with the input element that `from` names for each index of the output.
fn check(view: &View, axes: &[usize], out: &[usize], from: impl Fn(&[usize]) -> Vec<usize>) {
    let x = elements(axes);
    let mut copied = vec![u32::MAX; out.iter().product()];
    copy(view, &x, &mut copied);
    let expected: Vec<u32> =
        indices(out).iter().map(|index| x[position(axes, &from(index))]).collect();
    assert_eq!(copied, expected, "{view:?} of {axes:?}");
}

fn axes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..4, 0..=8).prop_map(|mut axes| {
        // Large tensors take long to check.
        while axes.iter().product::<usize>() > 2000 {
            let largest = axes.iter().position(|&n| n == 3).unwrap_or(0);
            axes[largest] = 1;
        }
        axes
    })
}

fn sliced() -> impl Strategy<Value = Vec<(usize, i64, usize, i64)>> {
    let axis = (1usize..6).prop_flat_map(|n| {
        let step = prop_oneof![1i64..4, -3i64..0];
        (Just(n), 0..n as i64, step, 0usize..4).prop_map(|(n, begin, step, size)| {
            let room = if step > 0 { n as i64 - 1 - begin } else { begin };
            (n, begin, size.min((room / step.abs()) as usize + 1), step)
        })
    });
    prop::collection::vec(axis, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn transposed(
        (axes, permutation) in axes().prop_flat_map(|axes| {
            let order: Vec<usize> = (0..axes.len()).collect();
            (Just(axes), Just(order).prop_shuffle())
        })
    ) {
        let out: Vec<usize> = permutation.iter().map(|&axis| axes[axis]).collect();
        check(&View::transposed(&axes, &permutation), &axes, &out, |index| {
            let mut from = vec![0; axes.len()];
            permutation.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
            from
        });
    }

    #[test]
    fn broadcast(to in axes(), missing in 0usize..4, ones in any::<u8>()) {
        let missing = missing.min(to.len());
        let axes: Vec<usize> =
            (missing..to.len()).map(|i| if ones >> i & 1 == 1 { 1 } else { to[i] }).collect();
        check(&View::broadcast(&axes, &to), &axes, &to, |index| {
            let pairs = index[missing..].iter().zip(&axes);
            pairs.map(|(&i, &n)| if n == 1 { 0 } else { i }).collect()
        });
    }

    #[test]
    fn slices(slices in sliced()) {
        let axes: Vec<_> = slices.iter().map(|s| s.0).collect();
        let begin: Vec<_> = slices.iter().map(|s| s.1).collect();
        let sizes: Vec<_> = slices.iter().map(|s| s.2).collect();
        let steps: Vec<_> = slices.iter().map(|s| s.3).collect();
        check(&View::sliced(&axes, &begin, &sizes, &steps), &axes, &sizes, |index| {
            let each = index.iter().zip(begin.iter().zip(&steps));
            each.map(|(&i, (b, s))| (b + i as i64 * s) as usize).collect()
        });
    }

    #[test]
    fn tiles(axes in prop::collection::vec(0usize..4, 0..4), repeats in [0usize..4, 0..4, 0..4]) {
        let repeats = &repeats[..axes.len()];
        let out: Vec<usize> = axes.iter().zip(repeats).map(|(n, r)| n * r).collect();
        check(&View::tiled(&axes, repeats), &axes, &out, |index| {
            index.iter().zip(&axes).map(|(i, n)| i % n).collect()
        });
    }

    #[test]
    fn reversed(axes in axes(), which in any::<u8>()) {
        let which: Vec<usize> = (0..axes.len()).filter(|i| which >> i & 1 == 1).collect();
        check(&View::reversed(&axes, &which), &axes, &axes, |index| {
            let turn = |axis: usize| {
                if which.contains(&axis) { axes[axis] - 1 - index[axis] } else { index[axis] }
            };
            (0..axes.len()).map(turn).collect()
        });
    }

    #[test]
    fn embedded(around in prop::collection::vec((0usize..4, 0usize..3, 0usize..3), 0..5)) {
        let axes: Vec<usize> = around.iter().map(|a| a.1).collect();
        let before: Vec<usize> = around.iter().map(|a| a.0).collect();
        let outer: Vec<usize> = around.iter().map(|a| a.0 + a.1 + a.2).collect();
        let x = elements(&axes);
        let mut out = vec![u32::MAX; outer.iter().product()];
        embed(&axes, &x, &outer, &before, &mut out);
        for (index, out) in indices(&outer).iter().zip(out) {
            let inner = index.iter().zip(&before).zip(&axes);
            let inner: Option<Vec<_>> =
                inner.map(|((&i, &b), &n)| i.checked_sub(b).filter(|&i| i < n)).collect();
            let expected = inner.map_or(u32::MAX, |index| x[position(&axes, &index)]);
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn concatenated(outer in 0usize..4, sizes in prop::collection::vec(0usize..4, 1..5), inner in 0usize..4) {
        let parts: Vec<Vec<u32>> = sizes.iter().zip(1..)
            .map(|(n, part)| (0..(outer * n * inner) as u32).map(|i| part * 1000 + i).collect())
            .collect();
        let rows: Vec<(&[u32], usize)> =
            parts.iter().zip(&sizes).map(|(x, n)| (&x[..], n * inner)).collect();
        let mut out = vec![0; parts.iter().map(Vec::len).sum()];
        concat(&rows, &mut out);
        let expected: Vec<u32> = (0..outer)
            .flat_map(|o| rows.iter().flat_map(move |(x, row)| &x[o * row..][..*row]))
            .copied()
            .collect();
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn gathered(
        outer in 0usize..4,
        row in 0usize..4,
        (rows, picks) in (1usize..6).prop_flat_map(|n| (Just(n), prop::collection::vec(0..n, 0..9))),
    ) {
        let x = elements(&[outer, rows, row]);
        let mut out = vec![0; outer * picks.len() * row];
        gather(&x, rows, row, &picks, &mut out);
        let expected: Vec<u32> = indices(&[outer, picks.len(), row]).iter()
            .map(|i| x[position(&[outer, rows, row], &[i[0], picks[i[1]], i[2]])])
            .collect();
        prop_assert_eq!(out, expected);
    }
}

/// Tensors that are cut up, and planes that are larger than a block.
#[test]
fn large_tensors() {
    let axes = [3, 130, 7, 41];
    for permutation in [[0, 3, 1, 2], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3]] {
        let out = permutation.map(|axis| axes[axis]);
        check(&View::transposed(&axes, &permutation), &axes, &out, |index| {
            let mut from = vec![0; 4];
            permutation.iter().zip(index).for_each(|(&axis, &i)| from[axis] = i);
            from
        });
    }
    check(&View::broadcast(&[100, 1], &[9, 100, 90]), &[100, 1], &[9, 100, 90], |i| vec![i[1], 0]);
    check(&View::reversed(&[100_001], &[0]), &[100_001], &[100_001], |i| vec![100_000 - i[0]]);
}

#[test]
#[should_panic(expected = "copy: length")]
fn lengths_must_fit() {
    copy(&View::whole(&[2, 2]), &[0; 4], &mut [0; 3]);
}
