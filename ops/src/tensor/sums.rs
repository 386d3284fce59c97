//! Elements added along an axis.
//!
//! A tensor is seen as matrices, one after the other: their rows are the axis, and a row is what is
//! inside it. The order of additions depends on the shape alone.

use rayon::prelude::*;

use super::arrange::PIECE;
use super::number::Number;

/// Columns that a thread sums at a time: the sums stay in the first cache.
const COLUMNS: usize = 2048;

/// Sums of a row are formed this many at a time, so that one addition need not wait for another.
const LANES: usize = 16;

/// For each matrix of `rows` rows as long as `row`, the sum of its rows, from the first to the
/// last. Rows of one element are added in `LANES` sums, element `i` to sum `i` modulo that, and
/// those from the first to the last.
///
/// # Panics
/// If a slice is not made of whole matrices or rows.
pub fn sum<T: Number>(x: &[T], rows: usize, row: usize, out: &mut [T]) {
    assert_eq!(x.len() * row, out.len() * rows * row, "sum: length");
    out.fill(T::default());
    if x.is_empty() || out.is_empty() {
        return;
    }
    let pairs = x.par_chunks_exact(rows * row).zip(out.par_chunks_exact_mut(row));
    pairs.with_min_len(PIECE.div_ceil(rows * row)).for_each(|(x, out)| {
        if let [out] = out {
            *out = lanes(x);
            return;
        }
        let blocks = out.par_chunks_mut(COLUMNS).enumerate();
        blocks.with_min_len(PIECE.div_ceil(rows * COLUMNS)).for_each(|(block, out)| {
            for x in x.chunks_exact(row) {
                let x = &x[block * COLUMNS..][..out.len()];
                out.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.plus(*x));
            }
        });
    });
}

fn lanes<T: Number>(x: &[T]) -> T {
    let mut sums = [T::default(); LANES];
    for x in x.chunks(LANES) {
        sums.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.plus(*x));
    }
    sums.into_iter().fold(T::default(), T::plus)
}

/// In each matrix of `rows` rows as long as `row`, adds to each row all that stand before it.
///
/// # Panics
/// If `x` is not made of whole matrices.
pub fn cumulate<T: Number>(x: &mut [T], rows: usize, row: usize) {
    if x.is_empty() {
        return;
    }
    let matrices = x.par_chunks_exact_mut(rows * row).with_min_len(PIECE.div_ceil(rows * row));
    matrices.for_each(|x| {
        for next in 1..rows {
            let (before, x) = x[(next - 1) * row..][..2 * row].split_at_mut(row);
            x.iter_mut().zip(before).for_each(|(x, before)| *x = before.plus(*x));
        }
    });
}

/// Adds row `i` of each matrix of `x` to row `indices[i]` of a matrix of `out`, which has `rows`
/// rows. A row is `row` elements long.
///
/// # Panics
/// If an index is not below `rows`, or a slice is not made of whole matrices.
pub fn scatter<T: Number>(x: &[T], indices: &[usize], rows: usize, row: usize, out: &mut [T]) {
    if x.is_empty() {
        return;
    }
    let (from, to) = (indices.len() * row, rows * row);
    let pairs = x.par_chunks_exact(from).zip(out.par_chunks_exact_mut(to));
    pairs.with_min_len(PIECE.div_ceil(from)).for_each(|(x, out)| {
        for (x, &i) in x.chunks_exact(row).zip(indices) {
            let out = &mut out[i * row..][..row];
            out.iter_mut().zip(x).for_each(|(sum, x)| *sum = sum.plus(*x));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whole numbers, whose sums are exact in every type.
    fn numbers(n: usize) -> Vec<f32> {
        (0..n).map(|i| (i * 7 % 23) as f32 - 9.0).collect()
    }

    fn check(matrices: usize, rows: usize, row: usize) {
        let x = numbers(matrices * rows * row);
        let at = |m: usize, i: usize, j: usize| x[(m * rows + i) * row + j];
        let each = || (0..matrices).flat_map(move |m| (0..row).map(move |j| (m, j)));

        let mut out = vec![f32::NAN; matrices * row];
        sum(&x, rows, row, &mut out);
        let expected: Vec<f32> =
            each().map(|(m, j)| (0..rows).map(|i| at(m, i, j)).sum()).collect();
        assert_eq!(out, expected);

        let wrapping: Vec<u64> = x.iter().map(|&x| (x as i64 as u64) << 60).collect();
        let mut out = vec![1; matrices * row];
        sum(&wrapping, rows, row, &mut out);
        let expected: Vec<u64> = expected.iter().map(|&x| (x as i64 as u64) << 60).collect();
        assert_eq!(out, expected);

        let mut out = x.clone();
        cumulate(&mut out, rows, row);
        for (m, j) in each() {
            let mut expected = 0.0;
            for i in 0..rows {
                expected += at(m, i, j);
                assert_eq!(out[(m * rows + i) * row + j], expected);
            }
        }
    }

    #[test]
    fn large_sums() {
        for (matrices, rows, row) in [(1, 70, 5000), (3, 40_000, 1), (2000, 3, 50), (1, 300_001, 1)]
        {
            check(matrices, rows, row);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn sums_are_those_of_the_formula(m in 0usize..5, rows in 0usize..40, row in 0usize..6) {
            check(m, rows, row);
        }

        #[test]
        fn rows_of_one_index_are_added(
            m in 0usize..4,
            row in 0usize..4,
            (rows, indices) in (1usize..6)
                .prop_flat_map(|n| (Just(n), prop::collection::vec(0..n, 0..9))),
        ) {
            let x = numbers(m * indices.len() * row);
            let mut out = vec![0.0; m * rows * row];
            scatter(&x, &indices, rows, row, &mut out);
            let mut expected = vec![0.0; out.len()];
            for (at, &x) in x.iter().enumerate() {
                let (matrix, i, j) =
                    (at / row / indices.len(), at / row % indices.len(), at % row);
                expected[(matrix * rows + indices[i]) * row + j] += x;
            }
            prop_assert_eq!(out, expected);
        }
    }
}
