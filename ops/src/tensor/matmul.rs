//! Matrix products of floats, row-major.
//!
//! Large products are cut into blocks of rows or columns, and the blocks handed to whatever threads
//! of the current rayon pool are idle. The cuts depend on the shape alone, so a product is the same,
//! bit for bit, in a pool of one thread and of many. It may differ in the last bits between
//! processors, whose vector units sum in different orders.

use super::kernels::{self, Float, Operand, OutBlock};
use rayon::join;

/// Sizes of a product `out = A * B`: `A` is `m x k`, `B` is `k x n`, `out` is `m x n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatmulShape {
    /// Rows of the product.
    pub m: usize,
    /// Length of the sums.
    pub k: usize,
    /// Columns of the product.
    pub n: usize,
    /// Whether the slice of `A` holds its transpose, `k x m`.
    pub transpose_a: bool,
    /// Whether the slice of `B` holds its transpose, `n x k`.
    pub transpose_b: bool,
}

impl MatmulShape {
    /// A product without transposed factors.
    pub fn new(m: usize, k: usize, n: usize) -> Self {
        Self { m, k, n, transpose_a: false, transpose_b: false }
    }
}

/// `out = A * B` in `f32`; what `out` held is overwritten.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn matmul_f32(shape: MatmulShape, a: &[f32], b: &[f32], out: &mut [f32]) {
    matmul(shape, a, b, out, PIECE);
}

/// [`matmul_f32`] in `f64`.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn matmul_f64(shape: MatmulShape, a: &[f64], b: &[f64], out: &mut [f64]) {
    matmul(shape, a, b, out, PIECE / 2);
}

/// [`matmul_f32`] on this thread only, for callers that have cut up their work already.
pub(super) fn matmul_f32_here(shape: MatmulShape, a: &[f32], b: &[f32], out: &mut [f32]) {
    matmul(shape, a, b, out, usize::MAX);
}

/// [`matmul_f64`] on this thread only.
pub(super) fn matmul_f64_here(shape: MatmulShape, a: &[f64], b: &[f64], out: &mut [f64]) {
    matmul(shape, a, b, out, usize::MAX);
}

/// Multiply-adds that are not worth cutting in two: about 40 µs of work, against a few to wake an
/// idle thread and the second time that the smaller factor is packed.
const PIECE: usize = 2_000_000;

/// Pieces that a large product is cut into, about: enough for the idle threads of a large machine,
/// few enough that packing the smaller factor for each costs little.
const PIECES: usize = 32;

/// Blocks are cut at multiples of these, which the micro-kernels' tiles divide.
const ROW_TILE: usize = 8;
const COLUMN_TILE: usize = 48;

fn matmul<T: Float>(shape: MatmulShape, a: &[T], b: &[T], out: &mut [T], piece: usize) {
    let MatmulShape { m, k, n, transpose_a, transpose_b } = shape;
    assert_eq!(Some(a.len()), m.checked_mul(k), "left factor: length");
    assert_eq!(Some(b.len()), k.checked_mul(n), "right factor: length");
    let a = operand(a, m, k, transpose_a);
    let b = operand(b, k, n, transpose_b);
    let piece = piece.max(m.saturating_mul(k).saturating_mul(n) / PIECES);
    product(m, k, n, a, b, OutBlock::new(out, m, n), piece);
}

fn operand<T>(data: &[T], rows: usize, columns: usize, transposed: bool) -> Operand<'_, T> {
    let (row_stride, column_stride) = if transposed { (1, rows) } else { (columns, 1) };
    Operand { data, row_stride, column_stride }
}

fn product<T: Float>(
    m: usize,
    k: usize,
    n: usize,
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    out: OutBlock<'_, T>,
    piece: usize,
) {
    let large = m.saturating_mul(k).saturating_mul(n) > piece;
    let row = m.div_ceil(2).next_multiple_of(ROW_TILE);
    let column = n.div_ceil(2).next_multiple_of(COLUMN_TILE);
    if large && m >= n && row < m {
        let (top, bottom) = out.split_rows(row);
        let a_bottom = Operand { data: &a.data[row * a.row_stride..], ..a };
        join(
            || product(row, k, n, a, b, top, piece),
            || product(m - row, k, n, a_bottom, b, bottom, piece),
        );
    } else if large && column < n {
        let (left, right) = out.split_columns(column);
        let b_right = Operand { data: &b.data[column * b.column_stride..], ..b };
        join(
            || product(m, k, column, a, b, left, piece),
            || product(m, k, n - column, a, b_right, right, piece),
        );
    } else {
        kernels::gemm(k, a, b, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(n: usize, seed: u32) -> Vec<f32> {
        let mut x = seed;
        (0..n)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
        (0..columns).flat_map(|j| (0..rows).map(move |i| x[i * columns + j])).collect()
    }

    fn by_hand(m: usize, k: usize, n: usize, a: &[f32], b: &[f32]) -> Vec<f64> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for l in 0..k {
                for j in 0..n {
                    out[i * n + j] += f64::from(a[i * k + l]) * f64::from(b[l * n + j]);
                }
            }
        }
        out
    }

    #[test]
    fn products_are_right_however_stored() {
        let shapes = [
            (1, 1, 1),
            (3, 5, 2),
            (1, 70, 90),
            (90, 70, 1),
            (17, 2, 33),
            (65, 130, 129),
            (128, 784, 128),
            (8, 300, 2000),
            (0, 3, 4),
            (3, 0, 4),
        ];
        for (m, k, n) in shapes {
            let (a, b) = (samples(m * k, 1), samples(k * n, 2));
            let expected = by_hand(m, k, n, &a, &b);
            for (transpose_a, transpose_b) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let a = if transpose_a { transposed(&a, m, k) } else { a.clone() };
                let b = if transpose_b { transposed(&b, k, n) } else { b.clone() };
                let shape = MatmulShape { m, k, n, transpose_a, transpose_b };
                let mut out = vec![f32::NAN; m * n];
                matmul_f32(shape, &a, &b, &mut out);
                for (x, y) in out.iter().zip(&expected) {
                    assert!((f64::from(*x) - y).abs() < 1e-4, "{shape:?}: {x} is not {y}");
                }
                let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
                let mut out = vec![f64::NAN; m * n];
                matmul_f64(shape, &wide(&a), &wide(&b), &mut out);
                for (x, y) in out.iter().zip(&expected) {
                    assert!((x - y).abs() < 1e-11, "{shape:?}: {x} is not {y}");
                }
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let pool =
            |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads start");
        for (m, k, n) in [(128, 784, 128), (784, 128, 128), (301, 1201, 77), (16, 999, 1001)] {
            let (a, b) = (samples(m * k, 3), samples(k * n, 4));
            let run = |threads| {
                let mut out = vec![0.0; m * n];
                pool(threads).install(|| matmul_f32(MatmulShape::new(m, k, n), &a, &b, &mut out));
                out.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
            };
            let one = run(1);
            for threads in [2, 3, 2, 2] {
                assert_eq!(run(threads), one);
            }
        }
    }

    #[test]
    #[should_panic(expected = "right factor: length")]
    fn lengths_must_fit_the_shape() {
        matmul_f32(MatmulShape::new(2, 2, 2), &[0.0; 4], &[0.0; 3], &mut [0.0; 4]);
    }
}
