//! Bit-sliced ring elements: 64 elements' bits of one significance in a word.
//!
//! Slices of `n` elements are *planes*, one after the other, of `n.div_ceil(64)` words each. Bit
//! `j % 64` of word `j / 64` of the plane of bit `p` is bit `p` of element `j`; bits beyond the last
//! element are zero. A secret in this form is shared by XOR.

mod packing;
mod slicing;

pub use packing::{pack_low, unpack_low};
pub(super) use slicing::{slice_anywhere, unslice_anywhere};
pub use slicing::{slice_bits, unslice_bits};

use super::kernels;
use super::pieces::each_piece;
use super::ring_matmul::Write;

/// `acc[i] ^= x[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn xor_into(x: &[u64], acc: &mut [u64]) {
    each_piece([x], acc, &|[x], acc| kernels::xor_words(x, acc));
}

/// `acc[i] &= x[i]`.
///
/// # Panics
/// If the lengths differ.
pub fn and_into(x: &[u64], acc: &mut [u64]) {
    each_piece([x], acc, &|[x], acc| kernels::and_words(x, acc));
}

/// One player's part of the AND of replicated shares, `x0 & y0 ^ x0 & y1 ^ x1 & y0`, to `out`;
/// [`Write::Add`] adds as bits do, by XOR.
///
/// # Panics
/// If the lengths differ.
pub fn and_shares(x0: &[u64], x1: &[u64], y0: &[u64], y1: &[u64], out: &mut [u64], write: Write) {
    each_piece([x0, x1, y0, y1], out, &|shares, out| kernels::and_shares(shares, out, write));
}

#[inline(always)]
pub(super) fn xor_anywhere(x: &[u64], acc: &mut [u64]) {
    for (acc, &x) in acc.iter_mut().zip(x) {
        *acc ^= x;
    }
}

#[inline(always)]
pub(super) fn and_anywhere(x: &[u64], acc: &mut [u64]) {
    for (acc, &x) in acc.iter_mut().zip(x) {
        *acc &= x;
    }
}

#[inline(always)]
pub(super) fn and_shares_anywhere([x0, x1, y0, y1]: [&[u64]; 4], out: &mut [u64], write: Write) {
    let shares = x0.iter().zip(x1).zip(y0.iter().zip(y1));
    let products = shares.map(|((x0, x1), (y0, y1))| x0 & (y0 ^ y1) ^ x1 & y0);
    match write {
        Write::Replace => out.iter_mut().zip(products).for_each(|(out, x)| *out = x),
        Write::Add => out.iter_mut().zip(products).for_each(|(out, x)| *out ^= x),
    }
}

#[cfg(test)]
mod tests;
