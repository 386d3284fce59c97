//! Tiles of matrix products, in registers.
//!
//! The compiler does not keep a tile of plain numbers in vector registers, so these are written with
//! the intrinsics of two vector units, and in assembly where the order of instructions decides.

use super::VectorUnit;
use crate::tensor::ring_matmul::panels::{narrow_anywhere, wide_anywhere};

/// Elements of a panel of `A` and of one of `B` at one place of the sums, for `u64`.
pub(in crate::tensor) type NarrowA = [u64; 8];
pub(in crate::tensor) type NarrowB = [u64; 16];

/// The same for `u128`: low halves, the upper 32 bits of these, high halves.
pub(in crate::tensor) type WideA = [[u64; 4]; 3];
pub(in crate::tensor) type WideB = [[u64; 8]; 3];

/// `out` = the product of two panels of `u64`, which are equally long.
pub(in crate::tensor) fn narrow_tile(a: &[NarrowA], b: &[NarrowB], out: &mut [[u64; 16]; 8]) {
    #[cfg(target_arch = "x86_64")]
    match VectorUnit::best() {
        // SAFETY: the processor has the features of that name.
        VectorUnit::Avx512 => return unsafe { avx512::narrow(a, b, out) },
        // SAFETY: the processor has the feature of that name.
        VectorUnit::Avx2 => return unsafe { avx2::narrow(a, b, out) },
        VectorUnit::Any => {}
    }
    narrow_anywhere(a, b, out);
}

/// `out` = the product of two panels of `u128`, which are equally long, in parts: the sum of
/// `2^(32 i)` times part `i` is the product modulo 2^128. There are at most 2^30 places.
pub(in crate::tensor) fn wide_tile(a: &[WideA], b: &[WideB], out: &mut [[[u64; 8]; 4]; 3]) {
    #[cfg(target_arch = "x86_64")]
    match VectorUnit::best() {
        // SAFETY: the processor has the features of that name.
        VectorUnit::Avx512 => return unsafe { avx512::wide(a, b, out) },
        // SAFETY: the processor has the feature of that name.
        VectorUnit::Avx2 => return unsafe { avx2::wide(a, b, out) },
        VectorUnit::Any => {}
    }
    wide_anywhere(a, b, out);
}

/// Defines `narrow` and `wide` in terms of a unit's vectors `V` of `LANES` words. A call computes
/// its tile in parts of so many rows and vectors: as many as there are registers for.
macro_rules! tiles {
    ($features:literal, narrow: $rows:literal x $vectors:literal, wide: $wide_rows:literal) => {
        #[target_feature(enable = $features)]
        pub(super) fn narrow(a: &[NarrowA], b: &[NarrowB], out: &mut [[u64; 16]; 8]) {
            const ROWS: usize = $rows;
            const VECTORS: usize = $vectors;
            for row in (0..8).step_by(ROWS) {
                for column in (0..16).step_by(VECTORS * LANES) {
                    let mut sums = [[splat(0); VECTORS]; ROWS];
                    for (a, b) in a.iter().zip(b) {
                        let a: &[u64; ROWS] =
                            a[row..].first_chunk().expect("ROWS divides the rows of a tile");
                        let b = &b[column..][..VECTORS * LANES];
                        let mut vectors = [splat(0); VECTORS];
                        for j in 0..VECTORS {
                            vectors[j] = load(&b[j * LANES..]);
                        }
                        for i in 0..ROWS {
                            add_multiple(&a[i], vectors, &mut sums[i]);
                        }
                    }
                    for i in 0..ROWS {
                        for j in 0..VECTORS {
                            store(sums[i][j], &mut out[row + i][column + j * LANES..]);
                        }
                    }
                }
            }
        }

        /// With `x = x0 + 2^32 x1 + 2^64 x2`, `x_low` being the two lower parts,
        ///
        /// ```text
        /// a b = a0 b0 + 2^32 (a0 b1 + a1 b0) + 2^64 (a1 b1 + a_low b2 + a2 b_low)  mod 2^128
        /// ```
        ///
        /// The third sum may wrap. Of what the others add up, only 32 bits at a time are summed.
        #[target_feature(enable = $features)]
        pub(super) fn wide(a: &[WideA], b: &[WideB], out: &mut [[[u64; 8]; 4]; 3]) {
            const ROWS: usize = $wide_rows;
            let lower = splat(0xffff_ffff);
            for row in (0..4).step_by(ROWS) {
                for column in (0..8).step_by(LANES) {
                    let mut sums = [[splat(0); 3]; ROWS];
                    for (a, b) in a.iter().zip(b) {
                        let [a_low, a1, a2]: [&[u64; ROWS]; 3] = [
                            a[0][row..].first_chunk().expect("ROWS divides the rows of a tile"),
                            a[1][row..].first_chunk().expect("ROWS divides the rows of a tile"),
                            a[2][row..].first_chunk().expect("ROWS divides the rows of a tile"),
                        ];
                        let b_low = load(&b[0][column..]);
                        let b1 = load(&b[1][column..]);
                        let b2 = load(&b[2][column..]);
                        for i in 0..ROWS {
                            let (low, a1, a2) = (splat(a_low[i]), splat(a1[i]), splat(a2[i]));
                            let [first, second, third] = &mut sums[i];
                            let x = mul_lower(low, b_low);
                            *first = add(*first, and(x, lower));
                            // At most (2^32 - 1)^2 + 2^32 - 1, so this does not wrap.
                            let y = add(mul_lower(low, b1), upper(x));
                            let z = add(mul_lower(a1, b_low), and(y, lower));
                            *second = add(*second, and(z, lower));
                            let carried = add(upper(y), upper(z));
                            let products = add(mul(low, b2), mul(a2, b_low));
                            let products = add(products, mul_lower(a1, b1));
                            *third = add(*third, add(products, carried));
                        }
                    }
                    for i in 0..ROWS {
                        for part in 0..3 {
                            store(sums[i][part], &mut out[part][row + i][column..]);
                        }
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{NarrowA, NarrowB, WideA, WideB};
    use std::arch::asm;
    use std::arch::x86_64::*;

    type V = __m512i;
    const LANES: usize = 8;

    tiles!("avx512f,avx512dq,avx512vl", narrow: 8 x 2, wide: 4);

    /// `sums += x * b`.
    ///
    /// In this order, which the compiler would not keep: an addition that follows its product at
    /// once waits in a multiplier's queue, and products are a fifth slower. So are they with factors
    /// that the compiler broadcasts, as floating-point numbers here.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
    fn add_multiple(x: &u64, b: [V; 2], sums: &mut [V; 2]) {
        let (_first, _second): (V, V);
        let [sum_0, sum_1] = sums;
        // SAFETY: reads `x` and writes registers that it names.
        unsafe {
            asm!(
                "vpmullq {first}, {b_0}, qword ptr [{x}]{{1to8}}",
                "vpmullq {second}, {b_1}, qword ptr [{x}]{{1to8}}",
                "vpaddq {sum_0}, {sum_0}, {first}",
                "vpaddq {sum_1}, {sum_1}, {second}",
                x = in(reg) x,
                b_0 = in(zmm_reg) b[0],
                b_1 = in(zmm_reg) b[1],
                first = out(zmm_reg) _first,
                second = out(zmm_reg) _second,
                sum_0 = inout(zmm_reg) *sum_0,
                sum_1 = inout(zmm_reg) *sum_1,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(x: &[u64]) -> V {
        let x = &x[..LANES];
        // SAFETY: a vector is as long as these elements, and any address will do.
        unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(v: V, out: &mut [u64]) {
        let out = &mut out[..LANES];
        // SAFETY: a vector is as long as these elements, and any address will do.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), v) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn splat(x: u64) -> V {
        _mm512_set1_epi64(x as i64)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add(x: V, y: V) -> V {
        _mm512_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn and(x: V, y: V) -> V {
        _mm512_and_si512(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512dq")]
    fn mul(x: V, y: V) -> V {
        _mm512_mullo_epi64(x, y)
    }

    /// The product of the lower 32 bits.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn mul_lower(x: V, y: V) -> V {
        _mm512_mul_epu32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn upper(x: V) -> V {
        _mm512_srli_epi64::<32>(x)
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{NarrowA, NarrowB, WideA, WideB};
    use std::arch::x86_64::*;

    type V = __m256i;
    const LANES: usize = 4;

    tiles!("avx2", narrow: 4 x 2, wide: 2);

    /// `sums += x * b`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn add_multiple(x: &u64, b: [V; 2], sums: &mut [V; 2]) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = add(*sum, mul(splat(*x), b));
        }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(x: &[u64]) -> V {
        let x = &x[..LANES];
        // SAFETY: a vector is as long as these elements, and any address will do.
        unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn store(v: V, out: &mut [u64]) {
        let out = &mut out[..LANES];
        // SAFETY: a vector is as long as these elements, and any address will do.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), v) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(x: u64) -> V {
        _mm256_set1_epi64x(x as i64)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(x: V, y: V) -> V {
        _mm256_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn and(x: V, y: V) -> V {
        _mm256_and_si256(x, y)
    }

    /// The product of 64 bits, of which the unit has only parts: those of the lower 32 bits, and
    /// 2^32 times the sum of the mixed ones.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mul(x: V, y: V) -> V {
        let mixed = _mm256_mullo_epi32(x, _mm256_shuffle_epi32::<0b10_11_00_01>(y));
        let mixed = _mm256_add_epi32(mixed, upper(mixed));
        add(mul_lower(x, y), _mm256_slli_epi64::<32>(mixed))
    }

    /// The product of the lower 32 bits.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mul_lower(x: V, y: V) -> V {
        _mm256_mul_epu32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn upper(x: V) -> V {
        _mm256_srli_epi64::<32>(x)
    }
}
