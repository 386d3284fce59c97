//! The one module with `unsafe`, for two reasons.
//!
//! The `gemm` crate's entry point takes raw pointers: all lengths are checked before the call.
//!
//! A loop compiled for any x86-64 has vectors of two `f64`. The conversions between floats and ring
//! elements are compiled for AVX2 and AVX-512 too, 1.7 times as fast here, as are the loops over
//! rings, whose multiplication only AVX-512 has; the copy is chosen when they run; to call such a copy is `unsafe`, as the processor must be known to have the instructions.
//! The copies are of one and the same safe function, and their results are equal to the bit.
#![allow(unsafe_code, reason = "gemm takes raw pointers; vector units are chosen at run time")]

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

impl<T: Copy> Operand<'_, T> {
    #[inline(always)]
    pub(super) fn transposed(self) -> Self {
        Self { row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }

    /// What is right of and below an element.
    #[inline(always)]
    pub(super) fn at(self, row: usize, column: usize) -> Self {
        Self { data: &self.data[row * self.row_stride + column * self.column_stride..], ..self }
    }
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

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// A row of the block.
    #[inline(always)]
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [T] {
        assert!(row < self.rows);
        // SAFETY: by the invariant these elements lie in one slice and are this block's alone,
        // which is borrowed as long as they are.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.stride), self.columns) }
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

/// Defines a function that is compiled for several vector units and runs the best one's copy.
macro_rules! for_each_vector_unit {
    (
        $(#[$doc:meta])*
        fn $name:ident as $body:path $(where $A:ident: $a:ident)*
        => ($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)?
    ) => {
        $(#[$doc])*
        pub(in crate::tensor) fn $name<$($A: $a),*>($($arg: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
                fn avx512<$($A: $a),*>($($arg: $type),*) $(-> $result)? {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2")]
                fn avx2<$($A: $a),*>($($arg: $type),*) $(-> $result)? {
                    $body($($arg),*)
                }
                match VectorUnit::best() {
                    // SAFETY: the processor has the three features of that name.
                    VectorUnit::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: the processor has the feature of that name.
                    VectorUnit::Avx2 => return unsafe { avx2($($arg),*) },
                    VectorUnit::Any => {}
                }
            }
            $body($($arg),*)
        }
    };
}

mod rings;
mod tiles;

pub(super) use rings::*;
pub(super) use tiles::*;

/// What the copies of a function are compiled for, the best last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum VectorUnit {
    Any,
    Avx2,
    /// With the extensions `dq` and `vl`.
    Avx512,
}

impl VectorUnit {
    /// The best of this processor.
    #[cfg(target_arch = "x86_64")]
    fn best() -> Self {
        let best = if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            Self::Avx512
        } else if is_x86_feature_detected!("avx2") {
            Self::Avx2
        } else {
            Self::Any
        };
        #[cfg(test)]
        let best = best.min(units::MOST.get());
        best
    }
}

/// Tests that all copies give the same.
#[cfg(test)]
pub(super) mod units {
    use super::VectorUnit;
    use std::cell::Cell;

    thread_local!(pub(super) static MOST: Cell<VectorUnit> = const { Cell::new(VectorUnit::Avx512) });

    /// Runs `work` with the copies for each vector unit up to this processor's. It must stay on
    /// this thread.
    pub(in crate::tensor) fn with_each_unit(mut work: impl FnMut()) {
        for unit in [VectorUnit::Any, VectorUnit::Avx2, VectorUnit::Avx512] {
            MOST.set(unit);
            work();
        }
    }
}

for_each_vector_unit! {
    /// `out[i] = round(x[i] * scale) - pads[0][i] - pads[1][i]`, and whether all of the rounded
    /// numbers have magnitudes below `limit`, which is at most 2^51. If not, `out` is to be
    /// discarded.
    fn encode_block as encode_anywhere where F: Real where R: Ring => (
        x: &[F],
        scale: f64,
        limit: f64,
        pads: [&[R]; 2],
        out: &mut [R],
    ) -> bool
}

for_each_vector_unit! {
    /// `out[i] = x[i] as a signed number * unit`.
    fn decode_block as decode_anywhere where R: Ring where F: Real => (x: &[R], unit: f64, out: &mut [F])
}

/// `1.5 * 2^52`: a number near it has its last bit worth one.
const ROUND: f64 = 6_755_399_441_055_744.0;

#[inline(always)]
fn encode_anywhere<F: Real, R: Ring>(
    x: &[F],
    scale: f64,
    limit: f64,
    pads: [&[R]; 2],
    out: &mut [R],
) -> bool {
    let mut outside = 0u64;
    for ((&x, out), (&first, &second)) in x.iter().zip(out).zip(pads[0].iter().zip(pads[1])) {
        let shifted = x.to_f64() * scale + ROUND;
        // Negated, so that NaN is outside.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        let is_outside = !((shifted - ROUND).abs() < limit);
        outside |= u64::from(is_outside);
        let v = R::from_i64((shifted.to_bits() as i64).wrapping_sub(ROUND.to_bits() as i64));
        *out = v.wrapping_sub(first).wrapping_sub(second);
    }
    outside == 0
}

#[inline(always)]
fn decode_anywhere<R: Ring, F: Real>(x: &[R], unit: f64, out: &mut [F]) {
    let mut beyond = 0;
    for (out, x) in out.iter_mut().zip(x) {
        beyond |= x.beyond_i64();
        *out = F::from_f64(f64_of(x.low_i64()) * unit);
    }
    if beyond != 0 {
        for (out, x) in out.iter_mut().zip(x) {
            *out = F::from_f64(x.to_f64() * unit);
        }
    }
}

/// `x as f64`, rounded to the nearest, in operations that every x86-64 has for vectors.
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
    let low = f64::from_bits((x & 0xffff_ffff) | LOW);
    let high = f64::from_bits((x >> 32) ^ HIGH);
    (high - f64::from_bits(BOTH)) + low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agree<R: Ring>() {
        let x: Vec<f32> = (0..1003).map(|i| (i as f32 - 500.0) * 1.37).collect();
        let (mut a, mut b) = (vec![R::default(); x.len()], vec![R::default(); x.len()]);
        let pads = [3, -1].map(|pad| vec![R::from_i64(pad); x.len()]);
        let pads = [&*pads[0], &*pads[1]];
        assert!(encode_block(&x, 65536.0, 1e12, pads, &mut a));
        assert!(encode_anywhere(&x, 65536.0, 1e12, pads, &mut b));
        assert_eq!(a, b);
        assert!(!encode_block(&x, 65536.0, 1e3, pads, &mut a));
        let (mut c, mut d) = (vec![0.0f64; x.len()], vec![0.0f64; x.len()]);
        decode_block(&b, 0.3, &mut c);
        decode_anywhere(&b, 0.3, &mut d);
        assert_eq!(c, d);
    }

    #[test]
    fn the_chosen_vector_unit_gives_the_same() {
        agree::<u64>();
        agree::<u128>();
    }

    #[test]
    fn conversion_rounds_as_the_language_does() {
        for b in 0..64 {
            for d in [-3i64, -2, -1, 0, 1, 2, 3] {
                let x = (1i64 << b).wrapping_add(d);
                assert_eq!(f64_of(x), x as f64);
                assert_eq!(f64_of(x.wrapping_neg()), x.wrapping_neg() as f64);
            }
        }
    }
}
