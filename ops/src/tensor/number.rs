//! What loops over numbers of several types need of them.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::fixed::Real;
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
}

macro_rules! float {
    ($float:ident) => {
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
        }
    };
}

float!(f32);
float!(f64);

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
