//! What loops over numbers of several types need of them.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use std::cell::Cell;

use super::fixed::Real;
use super::matmul::{self, MatmulShape};
use super::ring::Ring;

/// A number that can be added: a float, or an element of a ring, where sums wrap.
pub trait Number: Copy + Default + Send + Sync + 'static {
    /// The sum.
    #[must_use]
    fn plus(self, x: Self) -> Self;
}

/// A float, with the functions that kernels use. Its default is 0.
pub trait Float:
    Real
    + Number
    + PartialOrd
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// 1.
    const ONE: Self;
    /// What no number is below.
    const NEG_INFINITY: Self;

    /// e to this power.
    #[must_use]
    fn exp(self) -> Self;
    /// The natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// `ln(1 + self)`, also near 0.
    #[must_use]
    fn ln_1p(self) -> Self;
    /// The magnitude.
    #[must_use]
    fn abs(self) -> Self;
    /// The larger of two; the number, if one of them is none.
    #[must_use]
    fn max(self, x: Self) -> Self;

    /// `out = a * b`: see [`matmul`].
    fn matmul(shape: MatmulShape, a: &[Self], b: &[Self], out: &mut [Self]);
    /// As [`matmul`](Self::matmul), on this thread only.
    fn matmul_here(shape: MatmulShape, a: &[Self], b: &[Self], out: &mut [Self]);
    /// Lends scratch memory, its content arbitrary, that the thread keeps for the next time.
    fn with_scratch(len: usize, work: impl FnOnce(&mut [Self]));
}

macro_rules! float {
    ($float:ident, $matmul:ident, $matmul_here:ident) => {
        impl Number for $float {
            #[inline(always)]
            fn plus(self, x: Self) -> Self {
                self + x
            }
        }

        impl Float for $float {
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $float::NEG_INFINITY;

            #[inline(always)]
            fn exp(self) -> Self {
                $float::exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $float::ln(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $float::ln_1p(self)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }
            #[inline(always)]
            fn max(self, x: Self) -> Self {
                $float::max(self, x)
            }

            fn matmul(shape: MatmulShape, a: &[Self], b: &[Self], out: &mut [Self]) {
                matmul::$matmul(shape, a, b, out);
            }
            fn matmul_here(shape: MatmulShape, a: &[Self], b: &[Self], out: &mut [Self]) {
                matmul::$matmul_here(shape, a, b, out);
            }
            fn with_scratch(len: usize, work: impl FnOnce(&mut [Self])) {
                thread_local!(static KEPT: Cell<Vec<$float>> = const { Cell::new(Vec::new()) });
                let mut scratch = KEPT.take();
                if scratch.len() < len {
                    scratch = vec![0.0; len];
                }
                work(&mut scratch[..len]);
                KEPT.set(scratch);
            }
        }
    };
}

float!(f32, matmul_f32, matmul_f32_here);
float!(f64, matmul_f64, matmul_f64_here);

impl Number for u64 {
    #[inline(always)]
    fn plus(self, x: Self) -> Self {
        Ring::wrapping_add(self, x)
    }
}

impl Number for u128 {
    #[inline(always)]
    fn plus(self, x: Self) -> Self {
        Ring::wrapping_add(self, x)
    }
}
