//! The one module with `unsafe`: it wraps the `gemm` crate, whose entry point takes raw pointers.
//! Each function checks all lengths before it hands out a pointer.
#![allow(unsafe_code, reason = "gemm takes raw pointers and strides")]

use super::fixed::Real;
use super::ring::Ring;
use gemm::Parallelism;
use std::marker::PhantomData;

/// A matrix to read: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub(super) data: &'a [T],
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

/// A block of a row-major matrix to write, that can be cut into disjoint blocks.
///
/// Invariant: for `i < rows` and `j < columns`, `start + i * stride + j` lies in a slice borrowed
/// for `'a`, and no other block holds it.
pub(super) struct OutBlock<'a, T> {
    start: *mut T,
    rows: usize,
    columns: usize,
    stride: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: by its invariant a block is as exclusive as the `&mut [T]` that it was cut from.
unsafe impl<T: Send> Send for OutBlock<'_, T> {}

impl<'a, T> OutBlock<'a, T> {
    /// The whole of a matrix.
    pub(super) fn new(data: &'a mut [T], rows: usize, columns: usize) -> Self {
        assert_eq!(Some(data.len()), rows.checked_mul(columns), "matrix to write: length");
        Self { start: data.as_mut_ptr(), rows, columns, stride: columns, owner: PhantomData }
    }

    /// The rows before `row`, and the others.
    pub(super) fn split_rows(self, row: usize) -> (Self, Self) {
        assert!(row < self.rows);
        // SAFETY: `row < rows`, so the address is inside the block, which is inside one slice.
        let start = unsafe { self.start.add(row * self.stride) };
        (Self { rows: row, ..self }, Self { start, rows: self.rows - row, ..self })
    }

    /// The columns before `column`, and the others.
    pub(super) fn split_columns(self, column: usize) -> (Self, Self) {
        assert!(column < self.columns && self.rows > 0);
        // SAFETY: `column < columns` and there is a row, so the address is inside the block.
        let start = unsafe { self.start.add(column) };
        (Self { columns: column, ..self }, Self { start, columns: self.columns - column, ..self })
    }
}

/// `out = a * b` on this thread, `a` being `rows x depth` and `b` `depth x columns`. `T` is `f32`
/// or `f64`.
pub(super) fn gemm<T: Float>(
    depth: usize,
    a: Operand<'_, T>,
    b: Operand<'_, T>,
    out: OutBlock<'_, T>,
) {
    let holds = |x: Operand<'_, T>, rows: usize, columns: usize| {
        rows == 0
            || columns == 0
            || (rows - 1) * x.row_stride + (columns - 1) * x.column_stride < x.data.len()
    };
    assert!(holds(a, out.rows, depth), "left factor: length");
    assert!(holds(b, depth, out.columns), "right factor: length");
    // SAFETY: all elements that the shapes and strides name lie in the slices (asserted above for
    // the factors, invariant of `OutBlock` for the product), which are borrowed for the call; the
    // product is exclusive and not read; strides are those of slices, so they fit an isize.
    unsafe {
        gemm::gemm(
            out.rows,
            out.columns,
            depth,
            out.start,
            1,
            out.stride as isize,
            false,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::default(),
            T::ONE,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The types that [`gemm()`] is defined for.
pub(super) trait Float: Copy + Default + Send + Sync + 'static {
    const ONE: Self;
}

impl Float for f32 {
    const ONE: Self = 1.0;
}

impl Float for f64 {
    const ONE: Self = 1.0;
}

/// `1.5 * 2^52`: a number near it has its last bit worth one.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `out[i] = round(x[i] * scale)`, and whether all of these have magnitudes below `limit`, which is
/// at most 2^51. If not, `out` is to be discarded.
pub(super) fn encode_block<F: Real, R: Ring>(
    x: &[F],
    scale: f64,
    limit: f64,
    out: &mut [R],
) -> bool {
    let mut outside = 0u64;
    for (&x, out) in x.iter().zip(out) {
        let shifted = x.to_f64() * scale + ROUND;
        // Negated, so that NaN is outside.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        let is_outside = !((shifted - ROUND).abs() < limit);
        outside |= u64::from(is_outside);
        *out = R::from_i64((shifted.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64));
    }
    outside == 0
}

/// `out[i] = x[i] as a signed number * unit`.
pub(super) fn decode_block<R: Ring, F: Real>(x: &[R], unit: f64, out: &mut [F]) {
    if x.iter().fold(true, |all, x| all & x.fits_i64()) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = F::from_f64(f64_of(x.low_i64()) * unit);
        }
    } else {
        for (out, x) in out.iter_mut().zip(x) {
            *out = F::from_f64(x.to_f64() * unit);
        }
    }
}

/// `x as f64`, rounded to the nearest, in operations that x86-64 has for vectors too.
///
/// The low half of `x` becomes the mantissa of `2^52 + low`, the high half, its sign bit flipped,
/// that of `2^84 + 2^63 + high * 2^32`. Taking both offsets from the second is exact; the sum with
/// the first rounds once.
#[inline(always)]
fn f64_of(x: i64) -> f64 {
    const LOW: u64 = 0x4330_0000_0000_0000;
    const HIGH: u64 = 0x4530_0000_8000_0000;
    const BOTH: u64 = 0x4530_0000_8010_0000;
    let x = x as u64;
    let low = f64::from_bits(x & 0xffff_ffff | LOW);
    let high = f64::from_bits(x >> 32 ^ HIGH);
    (high - f64::from_bits(BOTH)) + low
}
