//! The rings that shares live in: integers modulo 2^64 and modulo 2^128.
//!
//! Precision `low` computes in `u64`, precision `high` in `u128`. A ring element stands for a signed
//! number in two's complement. All slice functions are one pass over memory, written so that the
//! compiler vectorises them; the sums that training is made of have a copy for each vector unit.

use super::kernels;
use bytemuck::Pod;
use std::fmt::Debug;
use zeroize::Zeroize;

/// An element of a ring modulo 2^[`WIDTH`](Ring::WIDTH): `u64` or `u128`, and nothing else.
pub trait Ring:
    sealed::Sealed + Pod + Default + Debug + PartialEq + Eq + Send + Sync + Zeroize
{
    /// Bits of an element.
    const WIDTH: u32;
    /// Bytes of an element, in memory and on the wire.
    const BYTES: usize = Self::WIDTH as usize / 8;

    /// `self + x` modulo 2^WIDTH.
    fn wrapping_add(self, x: Self) -> Self;
    /// `self - x` modulo 2^WIDTH.
    fn wrapping_sub(self, x: Self) -> Self;
    /// `self * x` modulo 2^WIDTH.
    fn wrapping_mul(self, x: Self) -> Self;
    /// `-self` modulo 2^WIDTH.
    fn wrapping_neg(self) -> Self;

    /// `self * 2^bits` modulo 2^WIDTH; `bits` is less than `WIDTH`.
    fn shift_left(self, bits: u32) -> Self;
    /// This element without a sign, divided by `2^bits` and rounded down; `bits` is less than
    /// `WIDTH`.
    fn shift_right(self, bits: u32) -> Self;
    /// The signed value of this element, divided by `2^bits` and rounded down; `bits` is less than
    /// `WIDTH`.
    fn shift_right_signed(self, bits: u32) -> Self;

    /// The bits of this element, zeros above.
    fn to_bits(self) -> u128;
    /// The element with the low `WIDTH` of these bits.
    fn from_bits(bits: u128) -> Self;

    /// The element that stands for the signed integer `x`.
    fn from_i64(x: i64) -> Self;
    /// The element that stands for `x`, a whole number with `|x| < 2^(WIDTH-1)`.
    fn from_whole(x: f64) -> Self;
    /// The low 64 bits as a signed integer: the value if [`beyond_i64`](Ring::beyond_i64) is 0.
    fn low_i64(self) -> i64;
    /// Zero if the signed value of this element is one of an `i64`.
    fn beyond_i64(self) -> u64;
    /// The signed value of this element, rounded to the nearest `f64`.
    fn to_f64(self) -> f64;
}

/// `acc[i] += x[i]`. Both slices have the same length.
pub fn add_assign<R: Ring>(acc: &mut [R], x: &[R]) {
    assert_eq!(acc.len(), x.len(), "add_assign: lengths differ");
    kernels::add_elements(x, acc);
}

#[inline(always)]
pub(super) fn add_anywhere<R: Ring>(x: &[R], acc: &mut [R]) {
    for (a, &x) in acc.iter_mut().zip(x) {
        *a = a.wrapping_add(x);
    }
}

/// `acc[i] -= x[i]`. Both slices have the same length.
pub fn sub_assign<R: Ring>(acc: &mut [R], x: &[R]) {
    assert_eq!(acc.len(), x.len(), "sub_assign: lengths differ");
    for (a, &x) in acc.iter_mut().zip(x) {
        *a = a.wrapping_sub(x);
    }
}

/// `acc[i] *= factor`, by a public factor.
pub fn scale_assign<R: Ring>(acc: &mut [R], factor: R) {
    for a in acc {
        *a = a.wrapping_mul(factor);
    }
}

/// `acc[i] = -acc[i]`.
pub fn neg_assign<R: Ring>(acc: &mut [R]) {
    for a in acc {
        *a = a.wrapping_neg();
    }
}

/// `out[i] = x[i] + y[i]`. All slices have the same length.
pub fn add_into<R: Ring>(x: &[R], y: &[R], out: &mut [R]) {
    assert!(x.len() == out.len() && y.len() == out.len(), "add_into: lengths differ");
    for ((o, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *o = x.wrapping_add(y);
    }
}

/// `out[i] = x[i] - y[i]`. All slices have the same length.
pub fn sub_into<R: Ring>(x: &[R], y: &[R], out: &mut [R]) {
    assert!(x.len() == out.len() && y.len() == out.len(), "sub_into: lengths differ");
    for ((o, &x), &y) in out.iter_mut().zip(x).zip(y) {
        *o = x.wrapping_sub(y);
    }
}

/// `out[i] = x[i] + y[i] + z[i]`. All slices have the same length.
pub fn add3_into<R: Ring>(x: &[R], y: &[R], z: &[R], out: &mut [R]) {
    let n = out.len();
    assert!(x.len() == n && y.len() == n && z.len() == n, "add3_into: lengths differ");
    kernels::add_three([x, y, z], out);
}

#[inline(always)]
pub(super) fn add3_anywhere<R: Ring>([x, y, z]: [&[R]; 3], out: &mut [R]) {
    for (((o, &x), &y), &z) in out.iter_mut().zip(x).zip(y).zip(z) {
        *o = x.wrapping_add(y).wrapping_add(z);
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for u64 {}
    impl Sealed for u128 {}
}

macro_rules! ring {
    ($unsigned:ident, $signed:ident) => {
        impl Ring for $unsigned {
            const WIDTH: u32 = $unsigned::BITS;

            #[inline(always)]
            fn wrapping_add(self, x: Self) -> Self {
                $unsigned::wrapping_add(self, x)
            }
            #[inline(always)]
            fn wrapping_sub(self, x: Self) -> Self {
                $unsigned::wrapping_sub(self, x)
            }
            #[inline(always)]
            fn wrapping_mul(self, x: Self) -> Self {
                $unsigned::wrapping_mul(self, x)
            }
            #[inline(always)]
            fn wrapping_neg(self) -> Self {
                $unsigned::wrapping_neg(self)
            }
            #[inline(always)]
            fn shift_left(self, bits: u32) -> Self {
                self << bits
            }
            #[inline(always)]
            fn shift_right(self, bits: u32) -> Self {
                self >> bits
            }
            #[inline(always)]
            fn shift_right_signed(self, bits: u32) -> Self {
                (self as $signed >> bits) as $unsigned
            }
            #[inline(always)]
            fn to_bits(self) -> u128 {
                self as u128
            }
            #[inline(always)]
            fn from_bits(bits: u128) -> Self {
                bits as $unsigned
            }
            #[inline(always)]
            fn from_i64(x: i64) -> Self {
                x as $signed as $unsigned
            }
            #[inline(always)]
            fn from_whole(x: f64) -> Self {
                x as $signed as $unsigned
            }
            #[inline(always)]
            fn low_i64(self) -> i64 {
                self as i64
            }
            #[inline(always)]
            fn beyond_i64(self) -> u64 {
                // Written with the halves, which vectors can do; the compiler drops it for `u64`.
                let high = (self as u128 >> 64) as u64;
                let sign = (self as i64 >> 63) as u64;
                if $unsigned::BITS == 64 { 0 } else { high ^ sign }
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as $signed as f64
            }
        }
    };
}

ring!(u64, i64);
ring!(u128, i128);

#[cfg(test)]
mod tests {
    use super::*;

    fn samples<R: Ring>(seed: u64, n: usize) -> Vec<R> {
        let step = R::from_i64(0x9e37_79b9_7f4a_7c15_u64 as i64);
        let mut x = R::from_i64(seed as i64).wrapping_sub(R::from_i64(i64::MIN));
        (0..n)
            .map(|_| {
                x = x.wrapping_mul(step).wrapping_add(step);
                x
            })
            .collect()
    }

    fn sums<R: Ring>() {
        for n in [0, 1, 7, 64, 1000] {
            let (x, y, z) = (samples::<R>(1, n), samples::<R>(2, n), samples::<R>(3, n));
            let mut three = vec![R::default(); n];
            add3_into(&x, &y, &z, &mut three);
            let mut acc = x.clone();
            add_assign(&mut acc, &y);
            let mut two = vec![R::default(); n];
            add_into(&x, &y, &mut two);
            assert_eq!(acc, two);
            add_assign(&mut acc, &z);
            assert_eq!(acc, three);
            sub_assign(&mut acc, &z);
            assert_eq!(acc, two);
            sub_into(&two, &y, &mut acc);
            assert_eq!(acc, x);
            neg_assign(&mut acc);
            scale_assign(&mut acc, R::from_i64(-1));
            assert_eq!(acc, x);
        }
    }

    #[test]
    fn sums_wrap() {
        sums::<u64>();
        sums::<u128>();
        let mut acc = [u64::MAX];
        add_assign(&mut acc, &[2]);
        assert_eq!(acc, [1]);
    }

    #[test]
    fn signed_values() {
        assert_eq!(u128::from_i64(-5).to_f64(), -5.0);
        assert_eq!(u64::from_whole(-5.0), u64::from_i64(-5));
        assert_eq!(u128::from_whole(-(2f64.powi(100))).to_f64(), -(2f64.powi(100)));
        assert_eq!(u128::from_i64(i64::MIN).beyond_i64(), 0);
        assert_ne!((1u128 << 63).beyond_i64(), 0);
        assert_ne!((1u128 << 64).beyond_i64(), 0);
        assert_eq!(u64::MAX.beyond_i64(), 0);
    }

    #[test]
    #[should_panic(expected = "lengths differ")]
    fn lengths_must_agree() {
        add_assign(&mut [0u64; 2], &[0; 3]);
    }
}
