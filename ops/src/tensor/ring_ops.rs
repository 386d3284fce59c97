//! Elementwise loops over shares: products of replicated shares, and shifts.
//!
//! Slices have one element for each of the result: whoever broadcasts does it before.

use super::kernels;
use super::pieces::each_piece;
use super::ring::Ring;

/// The products of summands that fall to `server` (0, 1 or 2), element by element, in the place of
/// `x`; see [`cross`](crate::cross). The others are the next server's summand of x, and both of y.
///
/// # Panics
/// If the lengths differ.
pub fn cross_products<R: Ring>(server: usize, x: &mut [R], others: [&[R]; 3]) {
    each_piece(others, x, &|others, x| kernels::cross_products(server, others, x));
}

/// `acc[i] = acc[i] * 2^bits`.
///
/// # Panics
/// If `bits` is not less than the ring's width.
pub fn shift_left_assign<R: Ring>(acc: &mut [R], bits: u32) {
    assert!(bits < R::WIDTH, "shift_left_assign: bits");
    each_piece::<R, R, 0>([], acc, &|[], acc| kernels::shift_left(acc, bits));
}

/// `acc[i] = acc[i] / 2^bits`, rounded down, as a number without a sign.
///
/// # Panics
/// If `bits` is not less than the ring's width.
pub fn shift_right_assign<R: Ring>(acc: &mut [R], bits: u32) {
    assert!(bits < R::WIDTH, "shift_right_assign: bits");
    each_piece::<R, R, 0>([], acc, &|[], acc| kernels::shift_right(acc, bits));
}

/// `acc[i] = acc[i] / 2^bits`, rounded down, as a signed number.
///
/// # Panics
/// If `bits` is not less than the ring's width.
pub fn shift_right_signed_assign<R: Ring>(acc: &mut [R], bits: u32) {
    assert!(bits < R::WIDTH, "shift_right_signed_assign: bits");
    each_piece::<R, R, 0>([], acc, &|[], acc| kernels::shift_right_signed(acc, bits));
}

#[inline(always)]
pub(super) fn cross_anywhere<R: Ring>(server: usize, [next_x, y, next_y]: [&[R]; 3], x: &mut [R]) {
    let others = next_x.iter().zip(y).zip(next_y);
    let summands = x.iter_mut().zip(others).map(|(x, ((&a, &b), &c))| (x, a, b, c));
    match server {
        0 => summands.for_each(|(x, next_x, y, next_y)| {
            *x = x.wrapping_add(next_x).wrapping_mul(y.wrapping_add(next_y));
        }),
        1 => summands.for_each(|(x, next_x, y, next_y)| {
            let second = next_x.wrapping_mul(y.wrapping_add(next_y));
            *x = x.wrapping_mul(next_y).wrapping_add(second);
        }),
        _ => summands.for_each(|(x, next_x, y, next_y)| {
            *x = x.wrapping_mul(next_y).wrapping_add(next_x.wrapping_mul(y));
        }),
    }
}

#[inline(always)]
pub(super) fn shift_left_anywhere<R: Ring>(acc: &mut [R], bits: u32) {
    acc.iter_mut().for_each(|x| *x = x.shift_left(bits));
}

#[inline(always)]
pub(super) fn shift_right_anywhere<R: Ring>(acc: &mut [R], bits: u32) {
    acc.iter_mut().for_each(|x| *x = x.shift_right(bits));
}

#[inline(always)]
pub(super) fn shift_right_signed_anywhere<R: Ring>(acc: &mut [R], bits: u32) {
    acc.iter_mut().for_each(|x| *x = x.shift_right_signed(bits));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::kernels::units::with_each_unit;
    use crate::tensor::ring::add_assign;

    fn samples<R: Ring>(n: usize) -> Vec<R> {
        let mut x = 3u128;
        (0..n)
            .map(|_| {
                x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53_9e37_79b9_7f4a_7c15).wrapping_add(1 << 70);
                R::from_bits(x ^ x >> 64)
            })
            .collect()
    }

    /// The three servers' products add up to that of the secrets.
    fn products<R: Ring>(n: usize) {
        let all = samples::<R>(6 * n);
        let summand = |i: usize| &all[i * n..(i + 1) * n];
        let (x, y) = ([0, 1, 2].map(summand), [3, 4, 5].map(summand));
        let total = |x: [&[R]; 3], i: usize| x[0][i].wrapping_add(x[1][i]).wrapping_add(x[2][i]);
        let check = || {
            let mut sum = vec![R::default(); n];
            for (own, next) in [(0, 1), (1, 2), (2, 0)] {
                let mut part = x[own].to_vec();
                cross_products(own, &mut part, [x[next], y[own], y[next]]);
                add_assign(&mut sum, &part);
            }
            assert!((0..n).all(|i| sum[i] == total(x, i).wrapping_mul(total(y, i))));
        };
        if n > 10_000 { check() } else { with_each_unit(check) }
    }

    #[test]
    fn products_of_shares_are_right() {
        for n in [0, 1, 63, 64, 65, 1000, 100_001] {
            products::<u64>(n);
            products::<u128>(n);
        }
    }

    fn shifts<R: Ring>(by_hand: impl Fn(R, u32) -> [R; 3]) {
        for n in [0, 1, 63, 64, 65, 70_000] {
            for bits in [0, 1, 13, R::WIDTH / 2, R::WIDTH - 1] {
                let x = samples::<R>(n);
                let check = || {
                    let shifts = [
                        shift_left_assign::<R>,
                        shift_right_assign::<R>,
                        shift_right_signed_assign::<R>,
                    ];
                    for (which, shift) in shifts.iter().enumerate() {
                        let mut out = x.clone();
                        shift(&mut out, bits);
                        assert!(
                            out.iter().zip(&x).all(|(out, x)| *out == by_hand(*x, bits)[which])
                        );
                    }
                };
                if n > 10_000 { check() } else { with_each_unit(check) }
            }
        }
    }

    #[test]
    fn shifts_are_right() {
        shifts::<u64>(|x, bits| [x << bits, x >> bits, (x as i64 >> bits) as u64]);
        shifts::<u128>(|x, bits| [x << bits, x >> bits, (x as i128 >> bits) as u128]);
    }

    #[test]
    #[should_panic(expected = "lengths differ")]
    fn lengths_must_agree() {
        cross_products(0, &mut [0u64; 2], [&[0; 2], &[0; 3], &[0; 2]]);
    }

    #[test]
    #[should_panic(expected = "shift_left_assign: bits")]
    fn shifts_must_be_shorter_than_the_ring() {
        shift_left_assign(&mut [0u64; 2], 64);
    }
}
