//! Products with a vector, which are bound by reading the matrix once: nothing is packed.

use super::Write;
use crate::tensor::kernels::{self, Operand};
use crate::tensor::ring::Ring;
use rayon::join;

/// A matrix of `out.len()` rows and `vector.len()` columns, or stored as its transpose, times a
/// vector.
pub(super) fn product<R: Ring>(
    matrix: &[R],
    transposed: bool,
    vector: &[R],
    out: &mut [R],
    write: Write,
    piece: usize,
) {
    if write == Write::Replace {
        out.fill(R::default());
    }
    pieces(super::operand(matrix, out.len(), vector.len(), transposed), vector, out, piece);
}

fn pieces<R: Ring>(matrix: Operand<'_, R>, vector: &[R], out: &mut [R], piece: usize) {
    let half = out.len().div_ceil(2).next_multiple_of(super::ROW_CUT);
    if vector.is_empty() || out.is_empty() {
        // There may be no element that the first operand could start at.
    } else if out.len().saturating_mul(vector.len()) > piece && half < out.len() {
        let (out_0, out_1) = out.split_at_mut(half);
        join(
            || pieces(matrix, vector, out_0, piece),
            || pieces(matrix.at(half, 0), vector, out_1, piece),
        );
    } else {
        kernels::ring_thin(matrix, vector, out);
    }
}

/// Elements of `out` that are summed at a time, in the first cache.
const STRIP: usize = 1024;

/// `out += matrix * vector`, on this thread. The body of [`kernels::ring_thin`].
#[inline(always)]
pub(in crate::tensor) fn product_anywhere<R: Ring>(
    matrix: Operand<'_, R>,
    vector: &[R],
    out: &mut [R],
) {
    if matrix.column_stride == 1 {
        for (i, out) in out.iter_mut().enumerate() {
            let row = &matrix.data[i * matrix.row_stride..][..vector.len()];
            let mut sum = *out;
            for (&x, &y) in row.iter().zip(vector) {
                sum = sum.wrapping_add(x.wrapping_mul(y));
            }
            *out = sum;
        }
        return;
    }
    assert_eq!(matrix.row_stride, 1);
    let column =
        |j: usize, from: usize, len: usize| &matrix.data[j * matrix.column_stride + from..][..len];
    for (strip, out) in out.chunks_mut(STRIP).enumerate() {
        let (from, len) = (strip * STRIP, out.len());
        let (fours, rest) = vector.as_chunks::<4>();
        for (j, y) in fours.iter().enumerate() {
            let x: [&[R]; 4] = std::array::from_fn(|c| column(4 * j + c, from, len));
            for i in 0..len {
                let products: [R; 4] = std::array::from_fn(|c| x[c][i].wrapping_mul(y[c]));
                let pairs =
                    [products[0].wrapping_add(products[1]), products[2].wrapping_add(products[3])];
                out[i] = out[i].wrapping_add(pairs[0].wrapping_add(pairs[1]));
            }
        }
        for (j, &y) in rest.iter().enumerate() {
            let x = column(vector.len() - rest.len() + j, from, len);
            for (out, &x) in out.iter_mut().zip(x) {
                *out = out.wrapping_add(x.wrapping_mul(y));
            }
        }
    }
}
