//! Matrix products of ring elements, row-major.
//!
//! A product is cut into blocks for the idle threads of the current rayon pool. A block is computed
//! as Goto and van de Geijn do ("Anatomy of high-performance matrix multiplication", 2008): factors
//! are copied to *panels*, in the order in which they are read and with zeros to full width, and
//! each *tile* of the product stays in registers for the length of a panel. Sums in a ring do not
//! depend on their order, so neither do results on cuts and threads.

pub(super) mod panels;
pub(super) mod thin;

use super::kernels::{self, Operand, OutBlock};
use super::matmul::MatmulShape;
use super::ring::Ring;
use super::scratch::with_scratch;
use panels::{pack, product_of_panels, words};
use rayon::join;

/// What becomes of the elements that a result is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// They are overwritten.
    Replace,
    /// The result is added to them.
    Add,
}

/// `A * B` modulo 2^WIDTH, to `out`.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn matmul_ring<R: Ring>(shape: MatmulShape, a: &[R], b: &[R], out: &mut [R], write: Write) {
    // No more pieces than threads: factors are packed again for each.
    let pieces = rayon::current_num_threads();
    let work = shape.m.saturating_mul(shape.k).saturating_mul(shape.n);
    matmul(shape, a, b, out, write, (work / pieces).max(PIECE * 64 / R::WIDTH as usize));
}

/// [`matmul_ring`] on this thread only, for callers that have cut up their work already.
pub(super) fn matmul_ring_here<R: Ring>(
    shape: MatmulShape,
    a: &[R],
    b: &[R],
    out: &mut [R],
    write: Write,
) {
    matmul(shape, a, b, out, write, usize::MAX);
}

/// Multiply-adds of `u64` that are not worth cutting in two: about 40 µs of work.
const PIECE: usize = 1_000_000;

/// Blocks are cut at multiples of these, which the sizes of tiles divide.
const ROW_CUT: usize = 8;
const COLUMN_CUT: usize = 16;

fn matmul<R: Ring>(
    shape: MatmulShape,
    a: &[R],
    b: &[R],
    out: &mut [R],
    write: Write,
    piece: usize,
) {
    let MatmulShape { m, k, n, transpose_a, transpose_b } = shape;
    assert_eq!(Some(a.len()), m.checked_mul(k), "left factor: length");
    assert_eq!(Some(b.len()), k.checked_mul(n), "right factor: length");
    assert_eq!(Some(out.len()), m.checked_mul(n), "product: length");
    if k == 0 && write == Write::Replace {
        out.fill(R::default());
    } else if m == 1 || n == 1 {
        let (matrix, transposed, vector) =
            if n == 1 { (a, transpose_a, b) } else { (b, !transpose_b, a) };
        thin::product(matrix, transposed, vector, out, write, piece);
    } else if !out.is_empty() && k > 0 {
        let a = operand(a, m, k, transpose_a);
        let b = operand(b, k, n, transpose_b);
        product(k, a, b, OutBlock::new(out, m, n), write, piece);
    }
}

fn operand<T>(data: &[T], rows: usize, columns: usize, transposed: bool) -> Operand<'_, T> {
    let (row_stride, column_stride) = if transposed { (1, rows) } else { (columns, 1) };
    Operand { data, row_stride, column_stride }
}

fn product<R: Ring>(
    k: usize,
    a: Operand<'_, R>,
    b: Operand<'_, R>,
    out: OutBlock<'_, R>,
    write: Write,
    piece: usize,
) {
    let (m, n) = (out.rows(), out.columns());
    let large = m.saturating_mul(k).saturating_mul(n) > piece;
    let row = m.div_ceil(2).next_multiple_of(ROW_CUT);
    let column = n.div_ceil(2).next_multiple_of(COLUMN_CUT);
    if large && m >= n && row < m {
        let (top, bottom) = out.split_rows(row);
        let a_bottom = Operand { data: &a.data[row * a.row_stride..], ..a };
        join(
            || product(k, a, b, top, write, piece),
            || product(k, a_bottom, b, bottom, write, piece),
        );
    } else if large && column < n {
        let (left, right) = out.split_columns(column);
        let b_right = Operand { data: &b.data[column * b.column_stride..], ..b };
        join(
            || product(k, a, b, left, write, piece),
            || product(k, a, b_right, right, write, piece),
        );
    } else {
        let cut = if R::WIDTH == 64 { Cut::new::<R, 8, 16> } else { Cut::new::<R, 4, 8> }(k, n);
        // Lent from here, as a closure would not be compiled for the vector unit.
        with_scratch(cut.words(), |panels: &mut [u64]| {
            kernels::ring_block(k, a, b, out, write, cut, panels);
        });
    }
}

/// `a * b` to a block that is not empty, on this thread; `k` is positive. The body of
/// [`kernels::ring_block`].
#[inline(always)]
pub(super) fn block_anywhere<R: Ring>(
    k: usize,
    a: Operand<'_, R>,
    b: Operand<'_, R>,
    out: OutBlock<'_, R>,
    write: Write,
    cut: Cut,
    panels: &mut [u64],
) {
    if R::WIDTH == 64 {
        block::<R, 8, 16>(k, a, b, out, write, cut, panels);
    } else {
        block::<R, 4, 8>(k, a, b, out, write, cut, panels);
    }
}

/// Longest part of a sum that is computed at a time: with it, the panel of `A` is 16 KiB or 24 KiB
/// and stays in the first cache.
const DEPTH: usize = 256;

/// Most words of panels of `B` at a time: 512 KiB, half a second cache.
const B_WORDS: usize = 64 * 1024;

/// How much of the factors is in panels at a time.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Places of the sums.
    depth: usize,
    /// Columns of `B`.
    columns: usize,
    /// Words of the panel of `A`, of a panel of `B`, and of all of these.
    a_words: usize,
    b_words: usize,
    all_b_words: usize,
}

impl Cut {
    /// Of sums of `k` products for `n` columns, in tiles of that size: with them, most of the 32
    /// registers of AVX-512 are full, a product of `u128` having three parts.
    fn new<R: Ring, const ROWS: usize, const COLUMNS: usize>(k: usize, n: usize) -> Self {
        let depth = k.div_ceil(k.div_ceil(DEPTH));
        let b_words = depth * COLUMNS * words::<R>();
        let panels = n.div_ceil(COLUMNS).min((B_WORDS / b_words).max(1));
        let (columns, a_words) = (panels * COLUMNS, depth * ROWS * words::<R>());
        Self { depth, columns, a_words, b_words, all_b_words: panels * b_words }
    }

    fn words(self) -> usize {
        self.a_words + self.all_b_words
    }
}

#[inline(always)]
fn block<R: Ring, const ROWS: usize, const COLUMNS: usize>(
    k: usize,
    a: Operand<'_, R>,
    b: Operand<'_, R>,
    mut out: OutBlock<'_, R>,
    write: Write,
    cut: Cut,
    panels: &mut [u64],
) {
    let (m, n) = (out.rows(), out.columns());
    let (a_panel, b_panels) = panels.split_at_mut(cut.a_words);
    for left in (0..n).step_by(cut.columns) {
        let each_panel = || (left..n.min(left + cut.columns)).step_by(COLUMNS);
        for front in (0..k).step_by(cut.depth) {
            let depth = cut.depth.min(k - front);
            let write = if front == 0 { write } else { Write::Add };
            for (column, panel) in each_panel().zip(b_panels.chunks_mut(cut.b_words)) {
                let lanes = b.transposed().at(column, front);
                pack::<R, COLUMNS>(lanes, COLUMNS.min(n - column), depth, panel);
            }
            for row in (0..m).step_by(ROWS) {
                let rows = ROWS.min(m - row);
                pack::<R, ROWS>(a.at(row, front), rows, depth, a_panel);
                for (column, panel) in each_panel().zip(b_panels.chunks(cut.b_words)) {
                    let put = |i: usize, tile: &[R; COLUMNS]| {
                        put(tile, &mut out.row_mut(row + i)[column..], write);
                    };
                    product_of_panels::<R, ROWS, COLUMNS>(depth, a_panel, panel, rows, put);
                }
            }
        }
    }
}

/// Writes a row of a tile to what there is from its column on; what would be beyond the end is
/// dropped.
#[inline(always)]
fn put<R: Ring, const COLUMNS: usize>(tile: &[R; COLUMNS], out: &mut [R], write: Write) {
    if let Some(out) = out.first_chunk_mut::<COLUMNS>() {
        put_each(tile, out, write);
    } else {
        put_each(&tile[..out.len()], out, write);
    }
}

#[inline(always)]
fn put_each<R: Ring>(from: &[R], out: &mut [R], write: Write) {
    match write {
        Write::Replace => out.copy_from_slice(from),
        Write::Add => {
            for (out, &x) in out.iter_mut().zip(from) {
                *out = out.wrapping_add(x);
            }
        }
    }
}

#[cfg(test)]
mod tests;
