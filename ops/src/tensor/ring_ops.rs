//! Elementwise loops over shares: products of replicated shares, and shifts.
//!
//! Slices have one element for each of the result: whoever broadcasts does it before.

use super::kernels;
use super::pieces::each_piece;
use super::ring::Ring;
use super::ring_matmul::Write;

/// One player's part of the product of replicated shares, `x0 y0 + x0 y1 + x1 y0`, to `out`.
///
/// # Panics
/// If the lengths differ.
pub fn mul_shares<R: Ring>(x0: &[R], x1: &[R], y0: &[R], y1: &[R], out: &mut [R], write: Write) {
    each_piece([x0, x1, y0, y1], out, &|shares, out| kernels::mul_shares(shares, out, write));
}

/// [`mul_shares`] of a secret with itself, `x0 x0 + 2 x0 x1`.
///
/// # Panics
/// If the lengths differ.
pub fn square_shares<R: Ring>(x0: &[R], x1: &[R], out: &mut [R], write: Write) {
    each_piece([x0, x1], out, &|shares, out| kernels::square_shares(shares, out, write));
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
pub(super) fn mul_anywhere<R: Ring>([x0, x1, y0, y1]: [&[R]; 4], out: &mut [R], write: Write) {
    let shares = x0.iter().zip(x1).zip(y0.iter().zip(y1));
    put(
        shares.map(|((&x0, &x1), (&y0, &y1))| {
            x0.wrapping_mul(y0.wrapping_add(y1)).wrapping_add(x1.wrapping_mul(y0))
        }),
        out,
        write,
    );
}

#[inline(always)]
pub(super) fn square_anywhere<R: Ring>([x0, x1]: [&[R]; 2], out: &mut [R], write: Write) {
    let shares = x0.iter().zip(x1);
    put(shares.map(|(&x0, &x1)| x0.wrapping_mul(x0.wrapping_add(x1).wrapping_add(x1))), out, write);
}

#[inline(always)]
fn put<R: Ring>(results: impl Iterator<Item = R>, out: &mut [R], write: Write) {
    match write {
        Write::Replace => out.iter_mut().zip(results).for_each(|(out, x)| *out = x),
        Write::Add => out.iter_mut().zip(results).for_each(|(out, x)| *out = out.wrapping_add(x)),
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

    fn samples<R: Ring>(n: usize) -> Vec<R> {
        let mut x = 3u128;
        (0..n)
            .map(|_| {
                x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53_9e37_79b9_7f4a_7c15).wrapping_add(1 << 70);
                R::from_bits(x ^ x >> 64)
            })
            .collect()
    }

    fn products<R: Ring>(n: usize) {
        let all = samples::<R>(5 * n);
        let [x0, x1, y0, y1, old] = std::array::from_fn(|i| &all[i * n..(i + 1) * n]);
        let product = |i: usize, y0: &[R], y1: &[R]| {
            let mixed = x0[i].wrapping_mul(y1[i]).wrapping_add(x1[i].wrapping_mul(y0[i]));
            mixed.wrapping_add(x0[i].wrapping_mul(y0[i]))
        };
        let check = || {
            let mut out = old.to_vec();
            mul_shares(x0, x1, y0, y1, &mut out, Write::Replace);
            assert!((0..n).all(|i| out[i] == product(i, y0, y1)));
            mul_shares(x0, x1, x0, x1, &mut out, Write::Add);
            assert!(
                (0..n).all(|i| { out[i] == product(i, y0, y1).wrapping_add(product(i, x0, x1)) })
            );
            square_shares(x0, x1, &mut out, Write::Replace);
            assert!((0..n).all(|i| out[i] == product(i, x0, x1)));
            square_shares(x0, x1, &mut out, Write::Add);
            assert!(
                (0..n).all(|i| { out[i] == product(i, x0, x1).wrapping_add(product(i, x0, x1)) })
            );
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
        square_shares(&[0u64; 2], &[0; 3], &mut [0; 2], Write::Replace);
    }

    #[test]
    #[should_panic(expected = "shift_left_assign: bits")]
    fn shifts_must_be_shorter_than_the_ring() {
        shift_left_assign(&mut [0u64; 2], 64);
    }
}
