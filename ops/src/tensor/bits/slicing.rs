//! From elements to planes of bits and back.
//!
//! Blocks of 64 elements are transposed as matrices of bits ("Hacker's Delight", 2nd edition,
//! section 7-3), eight blocks side by side, so that every step is one on vectors of eight words.

use std::ops::Range;

use crate::tensor::kernels::{self, OutBlock};
use crate::tensor::ring::Ring;
use rayon::join;

/// Blocks that are transposed side by side.
const BLOCKS: usize = 8;

/// Elements of these.
const GROUP: usize = 64 * BLOCKS;

/// Elements that are not worth cutting in two.
const PIECE: usize = 16 * 1024;

/// Row `i` of block `b` is word `[i][b]`.
type Matrices = [[u64; BLOCKS]; 64];

/// `out` = the bits `planes` of the elements, plane `planes.start` first, laid out as the
/// [module](super) says.
///
/// # Panics
/// If a plane is beyond the ring's width, or `out` is not `planes.len()` times
/// `elements.len().div_ceil(64)` long.
pub fn slice_bits<R: Ring>(elements: &[R], planes: Range<u32>, out: &mut [u64]) {
    assert!(planes.start <= planes.end && planes.end <= R::WIDTH, "slice_bits: planes");
    let words = elements.len().div_ceil(64);
    assert_eq!(out.len(), planes.len() * words, "slice_bits: length");
    if !out.is_empty() {
        slice_pieces(elements, planes.start, OutBlock::new(out, planes.len(), words));
    }
}

/// Element `j` of `out` = the number whose bit `p` is bit `j` of plane `p`; bits that there is no
/// plane of are zero.
///
/// # Panics
/// If `planes` is not made of whole planes of `out.len().div_ceil(64)` words, at most as many as
/// the ring has bits.
pub fn unslice_bits<R: Ring>(planes: &[u64], out: &mut [R]) {
    let words = out.len().div_ceil(64);
    if words == 0 {
        assert!(planes.is_empty(), "unslice_bits: length");
        return;
    }
    let whole = planes.len().is_multiple_of(words) && planes.len() <= words * R::WIDTH as usize;
    assert!(whole, "unslice_bits: length");
    unslice_pieces(planes, words, 0, out);
}

fn slice_pieces<R: Ring>(elements: &[R], first: u32, out: OutBlock<'_, u64>) {
    if let Some(half) = split_point(elements.len()) {
        let (elements_0, elements_1) = elements.split_at(half);
        let (out_0, out_1) = out.split_columns(half / 64);
        join(|| slice_pieces(elements_0, first, out_0), || slice_pieces(elements_1, first, out_1));
    } else {
        kernels::slice_block(elements, first, out);
    }
}

fn unslice_pieces<R: Ring>(planes: &[u64], words: usize, from: usize, out: &mut [R]) {
    if let Some(half) = split_point(out.len()) {
        let (out_0, out_1) = out.split_at_mut(half);
        join(
            || unslice_pieces(planes, words, from, out_0),
            || unslice_pieces(planes, words, from + half / 64, out_1),
        );
    } else {
        kernels::unslice_block(planes, words, from, out);
    }
}

fn split_point(elements: usize) -> Option<usize> {
    (elements > PIECE).then(|| (elements / 2).next_multiple_of(GROUP))
}

/// Slices the planes from `first` on to the rows of `out`, of which there is at least one. The body
/// of [`kernels::slice_block`].
#[inline(always)]
pub(in crate::tensor) fn slice_anywhere<R: Ring>(
    elements: &[R],
    first: u32,
    mut out: OutBlock<'_, u64>,
) {
    if out.rows() == 1 {
        let row = out.row_mut(0);
        for (elements, word) in elements.chunks(64).zip(row) {
            *word = plane_of(elements, first);
        }
        return;
    }
    let planes = first as usize..first as usize + out.rows();
    let mut blocks = [[0; BLOCKS]; 64];
    for (group, elements) in elements.chunks(GROUP).enumerate() {
        let columns = group * BLOCKS..out.columns().min((group + 1) * BLOCKS);
        for half in planes.start / 64..planes.end.div_ceil(64) {
            gather(elements, 64 * half as u32, &mut blocks);
            transpose(&mut blocks);
            let rows = (64 * half).max(planes.start)..(64 * (half + 1)).min(planes.end);
            for plane in rows {
                let row = &mut out.row_mut(plane - planes.start)[columns.clone()];
                row.copy_from_slice(&blocks[plane % 64][..row.len()]);
            }
        }
    }
}

/// Makes the elements of words `from ..`. The body of [`kernels::unslice_block`].
#[inline(always)]
pub(in crate::tensor) fn unslice_anywhere<R: Ring>(
    planes: &[u64],
    words: usize,
    from: usize,
    out: &mut [R],
) {
    let count = planes.len() / words;
    for (group, out) in out.chunks_mut(GROUP).enumerate() {
        out.fill(R::default());
        let from = from + group * BLOCKS;
        let blocks_here = out.len().div_ceil(64);
        for half in 0..count.div_ceil(64) {
            let mut blocks = [[0; BLOCKS]; 64];
            for plane in 64 * half..count.min(64 * (half + 1)) {
                let row = &planes[plane * words + from..][..blocks_here];
                blocks[plane % 64][..blocks_here].copy_from_slice(row);
            }
            transpose(&mut blocks);
            for (block, out) in out.chunks_mut(64).enumerate() {
                for (out, row) in out.iter_mut().zip(&blocks) {
                    let bits = R::from_bits(u128::from(row[block]) << (64 * half));
                    *out = out.wrapping_add(bits);
                }
            }
        }
    }
}

/// The word of one plane of at most 64 elements.
#[inline(always)]
fn plane_of<R: Ring>(elements: &[R], plane: u32) -> u64 {
    let mut word = 0;
    if let Some(elements) = elements.first_chunk::<64>() {
        for (j, x) in elements.iter().enumerate() {
            word |= (word_of(*x, plane / 64 * 64) >> (plane % 64) & 1) << j;
        }
    } else {
        for (j, x) in elements.iter().enumerate() {
            word |= (word_of(*x, plane / 64 * 64) >> (plane % 64) & 1) << j;
        }
    }
    word
}

/// The 64 bits from `shift` on, which is 0 or 64.
#[inline(always)]
fn word_of<R: Ring>(x: R, shift: u32) -> u64 {
    (x.to_bits() >> shift) as u64
}

/// The bits from `shift` on of up to [`GROUP`] elements, zeros after the last.
#[inline(always)]
fn gather<R: Ring>(elements: &[R], shift: u32, blocks: &mut Matrices) {
    if elements.len() < GROUP {
        *blocks = [[0; BLOCKS]; 64];
    }
    for (block, elements) in elements.chunks(64).enumerate() {
        for (row, &x) in blocks.iter_mut().zip(elements) {
            row[block] = word_of(x, shift);
        }
    }
}

/// Bit `j` of row `i` changes places with bit `i` of row `j`, in each block.
#[inline(always)]
fn transpose(blocks: &mut Matrices) {
    exchange::<32>(blocks, 0x0000_0000_ffff_ffff);
    exchange::<16>(blocks, 0x0000_ffff_0000_ffff);
    exchange::<8>(blocks, 0x00ff_00ff_00ff_00ff);
    exchange::<4>(blocks, 0x0f0f_0f0f_0f0f_0f0f);
    exchange::<2>(blocks, 0x3333_3333_3333_3333);
    exchange::<1>(blocks, 0x5555_5555_5555_5555);
}

/// In each square of `2 SIZE` rows and columns, the upper right quarter changes places with the
/// lower left. `columns` are the left halves of squares.
#[inline(always)]
fn exchange<const SIZE: usize>(blocks: &mut Matrices, columns: u64) {
    for square in blocks.as_flattened_mut().chunks_exact_mut(2 * SIZE * BLOCKS) {
        let (upper, lower) = square.split_at_mut(SIZE * BLOCKS);
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let differ = (*upper >> SIZE ^ *lower) & columns;
            *lower ^= differ;
            *upper ^= differ << SIZE;
        }
    }
}
