//! Panels of factors, and the tiles that are their products.
//!
//! A panel holds some *lanes*, rows of `A` or columns of `B`, side by side: for every place along
//! the sum, the lanes' elements there. An element of `u64` is one word. One of `u128` is three, all
//! lanes' firsts before the seconds: its low half, the upper 32 bits of that, its high half.

use crate::tensor::kernels::{NarrowA, NarrowB, Operand, WideA, WideB, narrow_tile, wide_tile};
use crate::tensor::ring::Ring;
use std::array::from_fn;

/// Words of an element in a panel.
#[inline(always)]
pub(super) const fn words<R: Ring>() -> usize {
    if R::WIDTH == 64 { 1 } else { 3 }
}

/// Makes a panel of the first `depth` elements of the first `lanes` rows of `x`, and of rows of
/// zeros up to `LANES`. It fills the beginning of `panel`.
///
/// It is not compiled for a vector unit: the compiler would scatter elements, which is slower.
#[inline(never)]
pub(super) fn pack<R: Ring, const LANES: usize>(
    x: Operand<'_, R>,
    lanes: usize,
    depth: usize,
    panel: &mut [u64],
) {
    let panel = &mut panel[..depth * LANES * words::<R>()];
    let places = panel.as_chunks_mut::<LANES>().0.chunks_exact_mut(words::<R>()).enumerate();
    if x.row_stride == 1 {
        for (i, place) in places {
            let elements = &x.data[i * x.column_stride..];
            if let (Some(elements), true) = (elements.first_chunk::<LANES>(), lanes == LANES) {
                place_lanes(elements, place);
            } else {
                let elements = &elements[..lanes];
                place_lanes(
                    &from_fn(|lane| elements.get(lane).copied().unwrap_or_default()),
                    place,
                );
            }
        }
    } else {
        assert_eq!(x.column_stride, 1);
        // Lanes without elements repeat the first one; their part of a tile is dropped.
        let row = |lane| &x.data[if lane < lanes { lane * x.row_stride } else { 0 }..][..depth];
        let rows: [&[R]; LANES] = from_fn(row);
        for (i, place) in places {
            place_lanes(&from_fn(|lane| rows[lane][i]), place);
        }
    }
}

#[inline(always)]
fn place_lanes<R: Ring, const LANES: usize>(elements: &[R; LANES], place: &mut [[u64; LANES]]) {
    for lane in 0..LANES {
        let bits = elements[lane].to_bits();
        place[0][lane] = bits as u64;
        if R::WIDTH > 64 {
            place[1][lane] = bits as u64 >> 32;
            place[2][lane] = (bits >> 64) as u64;
        }
    }
}

/// Hands out the first `rows` rows of the product of a panel of `A` and one of `B`, whose sizes are
/// those of the tiles of `R`.
#[inline(always)]
pub(super) fn product_of_panels<R: Ring, const ROWS: usize, const COLUMNS: usize>(
    depth: usize,
    a: &[u64],
    b: &[u64],
    rows: usize,
    mut row: impl FnMut(usize, &[R; COLUMNS]),
) {
    if R::WIDTH == 64 {
        let mut tile = [[0; 16]; 8];
        narrow_tile(&a.as_chunks().0[..depth], &b.as_chunks().0[..depth], &mut tile);
        for (i, tile) in tile[..rows].iter().enumerate() {
            row(i, &from_fn(|j| R::from_bits(tile[j].into())));
        }
    } else {
        let mut parts = [[[0; 8]; 4]; 3];
        let (a, b) = (a.as_chunks().0.as_chunks().0, b.as_chunks().0.as_chunks().0);
        wide_tile(&a[..depth], &b[..depth], &mut parts);
        for i in 0..rows {
            row(
                i,
                &from_fn(|j| {
                    let [low, middle, high] = parts.each_ref().map(|part| u128::from(part[i][j]));
                    R::from_bits(low.wrapping_add(middle << 32).wrapping_add(high << 64))
                }),
            );
        }
    }
}

/// The product of two panels of `u64`. The body of
/// [`narrow_tile`](crate::tensor::kernels::narrow_tile).
pub(in crate::tensor) fn narrow_anywhere(a: &[NarrowA], b: &[NarrowB], out: &mut [[u64; 16]; 8]) {
    *out = [[0; 16]; 8];
    for (a, b) in a.iter().zip(b) {
        for (out, &a) in out.iter_mut().zip(a) {
            for (out, &b) in out.iter_mut().zip(b) {
                *out = out.wrapping_add(a.wrapping_mul(b));
            }
        }
    }
}

/// The product of two panels of `u128`, in parts. The body of
/// [`wide_tile`](crate::tensor::kernels::wide_tile).
pub(in crate::tensor) fn wide_anywhere(a: &[WideA], b: &[WideB], out: &mut [[[u64; 8]; 4]; 3]) {
    let mut sums = [[0u128; 8]; 4];
    for ([a_low, _, a_high], [b_low, _, b_high]) in a.iter().zip(b) {
        for i in 0..4 {
            let a = join_halves(a_low[i], a_high[i]);
            for j in 0..8 {
                let product = a.wrapping_mul(join_halves(b_low[j], b_high[j]));
                sums[i][j] = sums[i][j].wrapping_add(product);
            }
        }
    }
    let [low, middle, high] = out;
    for i in 0..4 {
        for j in 0..8 {
            low[i][j] = sums[i][j] as u64;
            middle[i][j] = 0;
            high[i][j] = (sums[i][j] >> 64) as u64;
        }
    }
}

fn join_halves(low: u64, high: u64) -> u128 {
    u128::from(low) | u128::from(high) << 64
}
