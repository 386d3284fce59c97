//! Fixed-point numbers in a ring.
//!
//! A real `x` with `f` fraction bits is the integer `v = round(x * 2^f)` in two's complement, ties
//! to even; the error is at most `2^-(f+1)`. Encoding rejects `|v| >= 2^(WIDTH - 2 - 12)`, see
//! [`limit`]: up to 2^[`HEADROOM_BITS`] encoded values can be added without wrapping, whoever they
//! come from, and one more bit is left for the sign of a difference.
//!
//! Rounding is done by adding `1.5 * 2^52` as `f64`, whose last bit is then worth one: exact for
//! `|v| < 2^51`, and two instructions that every vector unit has. Larger values (they exist in the
//! 128-bit ring only) take an exact path of their own.

use super::kernels;
use super::pad::{self, Keystream, Pad};
use super::ring::{Ring, add_assign, add_into, add3_into, sub_assign};
use rayon::join;
use thiserror::Error;

/// Encoded values that can be summed without wrapping: 2 to this power.
pub const HEADROOM_BITS: u32 = 12;

/// Bits of a ring element that an encoded value does not use: sign, one spare bit, headroom.
const RESERVED_BITS: u32 = 2 + HEADROOM_BITS;

/// Elements decoded at a time: input, output and sums stay in the first cache.
const BLOCK: usize = 512;

/// Every `|x|` that rounds to less than this many units of `2^-fraction_bits` can be encoded:
/// `2^(WIDTH - 2 - 12 - fraction_bits)`.
///
/// With 16 fraction bits in 64: 2^34. With 32 in 128: 2^82.
pub fn limit<R: Ring>(fraction_bits: u32) -> f64 {
    power_of_two(R::WIDTH as i32 - RESERVED_BITS as i32 - fraction_bits as i32)
}

/// A number that cannot be encoded. It tells where, never what: the number is private.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("element {index} {kind}")]
pub struct OutOfRange {
    /// Position of the first such number in the input.
    pub index: usize,
    /// What is wrong with it.
    pub kind: OutOfRangeKind,
}

/// Why a number cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OutOfRangeKind {
    /// It is NaN.
    #[error("is not a number")]
    NotANumber,
    /// It is infinite, or its magnitude reaches [`limit`].
    #[error("is too large for the ring")]
    TooLarge,
}

/// A plaintext float: `f32` or `f64`.
pub trait Real: sealed::Sealed + Copy + Send + Sync + 'static {
    /// Exact.
    fn to_f64(self) -> f64;
    /// Rounds to the nearest.
    fn from_f64(x: f64) -> Self;
}

/// `out[i] = round(x[i] * 2^fraction_bits)`.
///
/// # Errors
/// The first number that is NaN, infinite or not below [`limit`]; `out` is then all zeros.
///
/// # Panics
/// If the lengths differ or `fraction_bits >= R::WIDTH`.
pub fn encode<F: Real, R: Ring>(
    x: &[F],
    fraction_bits: u32,
    out: &mut [R],
) -> Result<(), OutOfRange> {
    encode_minus_pads(x, fraction_bits, Vec::new(), out)
}

/// `out[i] = encode(x[i]) - sum of the pads' elements i`, in one pass over memory: what is left
/// to send of a number whose other shares are the pads.
///
/// # Errors
/// As [`encode`]; `out` is then all zeros, and the pads are spent.
///
/// # Panics
/// If the lengths differ or `fraction_bits >= R::WIDTH`.
pub fn encode_minus_pads<F: Real, R: Ring>(
    x: &[F],
    fraction_bits: u32,
    pads: Vec<Pad>,
    out: &mut [R],
) -> Result<(), OutOfRange> {
    assert_eq!(x.len(), out.len(), "encode: lengths differ");
    assert!(fraction_bits < R::WIDTH, "encode: {fraction_bits} fraction bits in {}", R::WIDTH);
    let result = encode_pieces(x, power_of_two(fraction_bits as i32), &pads, 0, out);
    if result.is_err() {
        out.fill(R::default());
    }
    result
}

/// `out[i] = (shares[0][i] + shares[1][i] + ... as a signed number) * scale * 2^-fraction_bits`,
/// in one pass over memory.
///
/// The product is formed in `f64` and rounded once to the type of `out`. Without shares, zeros.
///
/// # Panics
/// If the lengths differ.
pub fn decode_sum<R: Ring, F: Real>(
    shares: &[&[R]],
    fraction_bits: u32,
    scale: f64,
    out: &mut [F],
) {
    for share in shares {
        assert_eq!(share.len(), out.len(), "decode_sum: lengths differ");
    }
    decode_pieces(shares, scale * power_of_two(-(fraction_bits as i32)), 0, out);
}

/// Splits as [`encode_pieces`] does. `first` is the position of `out` in the shares.
fn decode_pieces<R: Ring, F: Real>(shares: &[&[R]], unit: f64, first: usize, out: &mut [F]) {
    if let Some(middle) = pad::split_point::<R>(out.len()) {
        let (low, high) = out.split_at_mut(middle);
        join(
            || decode_pieces(shares, unit, first, low),
            || decode_pieces(shares, unit, first + middle, high),
        );
        return;
    }
    let mut sums = [R::default(); BLOCK];
    for (b, out) in out.chunks_mut(BLOCK).enumerate() {
        let at = first + b * BLOCK..first + b * BLOCK + out.len();
        let sums = &mut sums[..out.len()];
        match shares {
            [] => sums.fill(R::default()),
            [x] => sums.copy_from_slice(&x[at]),
            [x, y] => add_into(&x[at.clone()], &y[at], sums),
            [x, y, rest @ ..] => {
                add3_into(&x[at.clone()], &y[at.clone()], &rest[0][at.clone()], sums);
                for x in &rest[1..] {
                    add_assign(sums, &x[at.clone()]);
                }
            }
        }
        kernels::decode_block(sums, unit, out);
    }
}

/// Splits at multiples of [`pad::PIECE_BYTES`], on as many cores as are idle. `first` is the
/// position of `x` in the whole input; the error of the lowest position wins, as without a split.
fn encode_pieces<F: Real, R: Ring>(
    x: &[F],
    scale: f64,
    pads: &[Pad],
    first: usize,
    out: &mut [R],
) -> Result<(), OutOfRange> {
    let Some(middle) = pad::split_point::<R>(out.len()) else {
        return encode_piece(x, scale, pads, first, out);
    };
    let (x_low, x_high) = x.split_at(middle);
    let (out_low, out_high) = out.split_at_mut(middle);
    let (low, high) = join(
        || encode_pieces(x_low, scale, pads, first, out_low),
        || encode_pieces(x_high, scale, pads, first + middle, out_high),
    );
    low.and(high)
}

fn encode_piece<F: Real, R: Ring>(
    x: &[F],
    scale: f64,
    pads: &[Pad],
    first: usize,
    out: &mut [R],
) -> Result<(), OutOfRange> {
    let mut streams: Vec<Keystream> = pads.iter().map(|pad| pad.keystream_at::<R>(first)).collect();
    // Two pads are taken off as numbers are encoded; where there are fewer, zeros are.
    let (fused, others) = streams.split_at_mut(pads.len().min(2));
    let mut buffers = [pad::Buffer::new(), pad::Buffer::new()];
    // As much as the keystream that is made at a time: all of it stays in the first cache.
    let block = pad::BUFFER_BYTES / R::BYTES;
    for (b, (x, out)) in x.chunks(block).zip(out.chunks_mut(block)).enumerate() {
        for (stream, buffer) in fused.iter_mut().zip(&mut buffers) {
            buffer.next::<R>(stream, out.len());
        }
        let pads = [0, 1].map(|i| buffers[i].elements(out.len()));
        if !kernels::encode_block(x, scale, fast_limit::<R>(), pads, out) {
            encode_exactly(x, scale, out)
                .map_err(|e| OutOfRange { index: first + b * block + e.index, ..e })?;
            pads.iter().for_each(|pad| sub_assign(out, pad));
        }
        for stream in &mut *others {
            sub_assign(out, buffers[0].next(stream, out.len()));
        }
    }
    Ok(())
}

/// The path for values of 2^51 and more, and the one that names what cannot be encoded.
#[cold]
fn encode_exactly<F: Real, R: Ring>(x: &[F], scale: f64, out: &mut [R]) -> Result<(), OutOfRange> {
    let limit = power_of_two((R::WIDTH - RESERVED_BITS) as i32);
    for (index, (&x, out)) in x.iter().zip(out).enumerate() {
        let v = (x.to_f64() * scale).round_ties_even();
        if v.is_nan() {
            return Err(OutOfRange { index, kind: OutOfRangeKind::NotANumber });
        }
        if v.abs() >= limit {
            return Err(OutOfRange { index, kind: OutOfRangeKind::TooLarge });
        }
        *out = R::from_whole(v);
    }
    Ok(())
}

/// Below this, rounding by addition is exact and the value is in range.
fn fast_limit<R: Ring>() -> f64 {
    power_of_two((R::WIDTH - RESERVED_BITS).min(51) as i32)
}

fn power_of_two(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }
}

impl Real for f64 {
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }
}

#[cfg(test)]
mod tests;
