//! Elements moved: views of a row-major tensor, pieces put together, rows picked.
//!
//! Every function here writes each element of its output once, from one element of an input. Runs
//! that are contiguous on both sides are copied whole; large outputs are cut up for idle threads.

use rayon::join;
use rayon::prelude::*;

/// Elements that are not worth handing to another thread.
pub(super) const PIECE: usize = 64 * 1024;

/// Rows and columns of the blocks in which a plane is transposed: both fit the first cache.
const BLOCK: usize = 16;

/// How a tensor is read from another: element `[i0, i1, …]` is element
/// `start + i0 * strides[0] + i1 * strides[1] + …` of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    axes: Vec<usize>,
    strides: Vec<isize>,
    start: isize,
}

impl View {
    /// A tensor of these axes as it is.
    pub fn whole(axes: &[usize]) -> Self {
        let mut strides = vec![0; axes.len()];
        let mut stride = 1;
        for (at, &n) in strides.iter_mut().zip(axes).rev() {
            *at = stride;
            stride *= n as isize;
        }
        Self { axes: axes.to_vec(), strides, start: 0 }
    }

    /// Axis `i` of the result is axis `permutation[i]` of a tensor of `axes`.
    pub fn transposed(axes: &[usize], permutation: &[usize]) -> Self {
        let whole = Self::whole(axes);
        Self {
            axes: permutation.iter().map(|&axis| axes[axis]).collect(),
            strides: permutation.iter().map(|&axis| whole.strides[axis]).collect(),
            start: 0,
        }
    }

    /// Axes of size 1, and those that are missing in front, repeated up to the axes `to`.
    pub fn broadcast(axes: &[usize], to: &[usize]) -> Self {
        let whole = Self::whole(axes);
        let missing = to.len() - axes.len();
        let strides = axes.iter().zip(whole.strides).map(|(&n, s)| if n == 1 { 0 } else { s });
        let strides = std::iter::repeat_n(0, missing).chain(strides).collect();
        Self { axes: to.to_vec(), strides, start: 0 }
    }

    /// Along each axis `sizes[i]` elements, from `begin[i]` on, `steps[i]` apart.
    pub fn sliced(axes: &[usize], begin: &[i64], sizes: &[usize], steps: &[i64]) -> Self {
        let whole = Self::whole(axes);
        let start = begin.iter().zip(&whole.strides).map(|(&b, s)| b as isize * s).sum();
        let strides = steps.iter().zip(&whole.strides).map(|(&step, s)| step as isize * s);
        Self { axes: sizes.to_vec(), strides: strides.collect(), start }
    }

    /// Along each axis the whole tensor `repeats[i]` times. The result has two axes for each: the
    /// repetition and the original.
    pub fn tiled(axes: &[usize], repeats: &[usize]) -> Self {
        let whole = Self::whole(axes);
        Self {
            axes: repeats.iter().zip(axes).flat_map(|(&r, &n)| [r, n]).collect(),
            strides: whole.strides.iter().flat_map(|&s| [0, s]).collect(),
            start: 0,
        }
    }

    /// The axes `which` from the last element to the first.
    pub fn reversed(axes: &[usize], which: &[usize]) -> Self {
        let mut view = Self::whole(axes);
        for &axis in which {
            view.start += (axes[axis].max(1) - 1) as isize * view.strides[axis];
            view.strides[axis] *= -1;
        }
        view
    }

    /// The same view with as few axes as possible: none of size 1, and none that continues
    /// another.
    fn merged(&self) -> Self {
        let (mut axes, mut strides) = (Vec::<usize>::new(), Vec::<isize>::new());
        for (&n, &stride) in self.axes.iter().zip(&self.strides).filter(|(n, _)| **n != 1) {
            match (axes.last_mut(), strides.last_mut()) {
                (Some(outer), Some(outer_stride)) if *outer_stride == stride * n as isize => {
                    *outer *= n;
                    *outer_stride = stride;
                }
                _ => {
                    axes.push(n);
                    strides.push(stride);
                }
            }
        }
        if axes.is_empty() {
            (axes, strides) = (vec![1], vec![1]);
        }
        Self { axes, strides, start: self.start }
    }
}

/// Writes what the view shows of `x`, row-major.
///
/// # Panics
/// If `out` is not as long as the view, or the view reads what is not in `x`.
pub fn copy<T: Copy + Send + Sync>(view: &View, x: &[T], out: &mut [T]) {
    assert_eq!(out.len(), view.axes.iter().product::<usize>(), "copy: length");
    if !out.is_empty() {
        let View { axes, strides, start } = view.merged();
        fill(axes[0], &axes[1..], &strides, start, x, out);
    }
}

/// Fills `out`, whose axes are `n` and `inner`.
fn fill<T: Copy + Send + Sync>(
    n: usize,
    inner: &[usize],
    strides: &[isize],
    start: isize,
    x: &[T],
    out: &mut [T],
) {
    let row = out.len() / n;
    if out.len() > PIECE && n > 1 {
        let half = n / 2;
        let (first, second) = out.split_at_mut(half * row);
        let middle = start + half as isize * strides[0];
        join(
            || fill(half, inner, strides, start, x, first),
            || fill(n - half, inner, strides, middle, x, second),
        );
        return;
    }
    let starts = (0..n).map(|i| start + i as isize * strides[0]);
    match *inner {
        [] => run(strides[0], start, x, out),
        [_] if strides[0].abs() < strides[1].abs() => {
            plane([strides[0], strides[1]], start, x, row, out);
        }
        [_] => {
            for (out, start) in out.chunks_exact_mut(row).zip(starts) {
                run(strides[1], start, x, out);
            }
        }
        [next, ref inner @ ..] => {
            for (out, start) in out.chunks_exact_mut(row).zip(starts) {
                fill(next, inner, &strides[1..], start, x, out);
            }
        }
    }
}

/// Elements that are `stride` apart.
fn run<T: Copy>(stride: isize, start: isize, x: &[T], out: &mut [T]) {
    let (from, n) = (start as usize, out.len());
    match stride {
        0 => out.fill(x[from]),
        1 => out.copy_from_slice(&x[from..from + n]),
        2.. => {
            let elements = x[from..].iter().step_by(stride as usize);
            out.iter_mut().zip(elements).for_each(|(out, x)| *out = *x);
        }
        _ => {
            let elements = x[..=from].iter().rev().step_by(stride.unsigned_abs());
            out.iter_mut().zip(elements).for_each(|(out, x)| *out = *x);
        }
    }
}

/// Rows whose elements are further apart than the rows are: block by block, so that what a line of
/// the cache holds is used while it is there.
fn plane<T: Copy>(strides: [isize; 2], start: isize, x: &[T], columns: usize, out: &mut [T]) {
    for (block, out) in out.chunks_mut(BLOCK * columns).enumerate() {
        for left in (0..columns).step_by(BLOCK) {
            let right = columns.min(left + BLOCK);
            for (i, out) in out.chunks_exact_mut(columns).enumerate() {
                let row = start + (block * BLOCK + i) as isize * strides[0];
                for (j, out) in (left..right).zip(&mut out[left..right]) {
                    *out = x[(row + j as isize * strides[1]) as usize];
                }
            }
        }
    }
}

/// Writes `x`, of `axes`, into `out`, of the axes `outer`, with its first element at `before`;
/// the other elements of `out` stay.
///
/// # Panics
/// If a slice's length is not what its axes say, or `x` does not fit there.
pub fn embed<T: Copy + Send + Sync>(
    axes: &[usize],
    x: &[T],
    outer: &[usize],
    before: &[usize],
    out: &mut [T],
) {
    assert_eq!(x.len(), axes.iter().product::<usize>(), "embed: length");
    assert_eq!(out.len(), outer.iter().product::<usize>(), "embed: length of the output");
    if x.is_empty() {
        return;
    }
    let Some(&n) = axes.first() else { return out.copy_from_slice(x) };
    let (row, out_row) = (x.len() / n, out.len() / outer[0]);
    let out = &mut out[before[0] * out_row..][..n * out_row];
    if row == out_row {
        out.copy_from_slice(x);
        return;
    }
    let rows = x.par_chunks_exact(row).zip(out.par_chunks_exact_mut(out_row));
    rows.with_min_len(PIECE.div_ceil(out_row)).for_each(|(x, out)| {
        embed(&axes[1..], x, &outer[1..], &before[1..], out);
    });
}

/// Puts tensors one after the other along an axis. Each part comes with the length of its rows:
/// the elements that it has along that axis and inside it.
///
/// # Panics
/// If `out` is not made of whole rows of all parts.
pub fn concat<T: Copy + Send + Sync>(parts: &[(&[T], usize)], out: &mut [T]) {
    let row = parts.iter().map(|(_, row)| row).sum::<usize>();
    assert_eq!(out.len(), parts.iter().map(|(x, _)| x.len()).sum::<usize>(), "concat: length");
    if out.is_empty() {
        return;
    }
    let rows = out.par_chunks_exact_mut(row).with_min_len(PIECE.div_ceil(row)).enumerate();
    rows.for_each(|(i, mut out)| {
        for &(x, row) in parts {
            let (to, rest) = out.split_at_mut(row);
            to.copy_from_slice(&x[i * row..][..row]);
            out = rest;
        }
    });
}

/// The rows `indices` of each of the matrices `x`, of `rows` rows of `row` elements.
///
/// # Panics
/// If an index is not below `rows`, or a slice is not made of whole matrices.
pub fn gather<T: Copy + Send + Sync>(
    x: &[T],
    rows: usize,
    row: usize,
    indices: &[usize],
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    let pairs = x.par_chunks_exact(rows * row).zip(out.par_chunks_exact_mut(indices.len() * row));
    pairs.with_min_len(PIECE.div_ceil(indices.len() * row)).for_each(|(x, out)| {
        let rows = out.par_chunks_exact_mut(row).zip(indices).with_min_len(PIECE.div_ceil(row));
        rows.for_each(|(out, &i)| out.copy_from_slice(&x[i * row..][..row]));
    });
}

#[cfg(test)]
mod tests;
