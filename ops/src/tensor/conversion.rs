//! From bits to numbers: what each server does.
//!
//! A bit is u ^ v = u·(1 − 2v) + v. One server knows u; two others both know v, so that with u, or
//! numbers that are made with it, shared between these two, each has a part of what is wanted
//! after local work. Source: ABY3, section 5.4, with the three-party oblivious transfer replaced by
//! sharing u, which takes as many rounds and lets both products of a multiplication by a bit be
//! made at once.

use super::kernels;
use super::ring::Ring;

/// How the bits of a word are converted together: a bit i counts modulo 2^(WIDTH − i) only, so the
/// numbers that stand for the bits p and WIDTH − p share a ring element, p with the low bits.
#[derive(Debug, Clone, Copy)]
pub struct Pairs {
    bits: usize,
    width: usize,
}

impl Pairs {
    /// Of words of `bits` bits, in the ring of `width`.
    #[must_use]
    pub fn new(bits: u32, width: u32) -> Self {
        Self { bits: bits as usize, width: width as usize }
    }

    /// Ring elements a word.
    #[must_use]
    pub fn count(self) -> usize {
        self.bits.min(self.width / 2 + 1)
    }

    /// The bit that has the high bits of element `p`.
    fn other(self, p: usize) -> Option<usize> {
        let other = self.width - p;
        (p > 0 && other > p && other < self.bits).then_some(other)
    }
}

/// The side that knows u, in planes of bits: `out` is a pad, `pairs.count()` vectors one after the
/// other, and becomes what is left of the bits without it.
///
/// # Panics
/// If lengths do not fit.
pub fn bits_first<R: Ring>(pairs: Pairs, u: &[u64], n: usize, out: &mut [R]) {
    let words = n.div_ceil(64);
    assert_eq!(out.len(), pairs.count() * n, "conversion: length");
    for (p, out) in (0..pairs.count()).zip(out.chunks_mut(n.max(1))) {
        let low = &u[p * words..][..words];
        let high = pairs.other(p).map(|other| &u[other * words..][..words]);
        kernels::bits_first((R::WIDTH - p as u32) % R::WIDTH, low, high, out);
    }
}

/// A side that knows v: adds its part of the words to `out`. `shared` is its part of what the other
/// side shared; just one of the two is `first`.
///
/// # Panics
/// If lengths do not fit.
pub fn bits_second<R: Ring>(pairs: Pairs, shared: &[R], v: &[u64], first: bool, out: &mut [R]) {
    let n = out.len();
    let words = n.div_ceil(64);
    assert_eq!(shared.len(), pairs.count() * n, "conversion: length");
    for (p, shared) in (0..pairs.count()).zip(shared.chunks(n.max(1))) {
        let low = &v[p * words..][..words];
        let high = pairs.other(p).map(|other| &v[other * words..][..words]);
        kernels::bits_second(p as u32, low, high, shared, first, out);
    }
}

/// The side that knows u and the summand `x` of a number: `out`, of twice as many elements, becomes
/// u·x and then u.
///
/// # Panics
/// If lengths do not fit.
pub fn product_first<R: Ring>(u: &[u64], x: &[R], out: &mut [R]) {
    assert_eq!(out.len(), 2 * x.len(), "product with bits: length");
    let (products, bits) = out.split_at_mut(x.len());
    kernels::product_first(u, x, products, bits);
}

/// A side that knows v and the number's other summand `y`, and has the part `x` of the first: adds
/// its part of the product to `out`. `shared` is its part of what the other side shared; just one
/// of the two is `first`.
///
/// # Panics
/// If lengths do not fit.
pub fn product_second<R: Ring>(
    shared: &[R],
    v: &[u64],
    [y, x]: [&[R]; 2],
    first: bool,
    out: &mut [R],
) {
    assert_eq!(shared.len(), 2 * out.len(), "product with bits: length");
    let (products, bits) = shared.split_at(out.len());
    kernels::product_second(v, [products, bits, y, x], first, out);
}

/// All ones if bit `j` of the word is set.
#[inline(always)]
fn mask<R: Ring>(word: u64, j: usize) -> R {
    bit::<R>(word, j).wrapping_neg()
}

#[inline(always)]
fn bit<R: Ring>(word: u64, j: usize) -> R {
    R::from_bits(u128::from(word >> j & 1))
}

#[inline(always)]
fn and<R: Ring>(x: R, y: R) -> R {
    R::from_bits(x.to_bits() & y.to_bits())
}

/// `−x` where the mask is set.
#[inline(always)]
fn negate_where<R: Ring>(mask: R, x: R) -> R {
    R::from_bits(x.to_bits() ^ mask.to_bits()).wrapping_sub(mask)
}

#[inline(always)]
fn shifted_left<R: Ring>(x: R, by: u32) -> R {
    R::from_bits(x.to_bits() << by)
}

/// The element of two bits without its pad. `split` is where the high bits begin, 0 if there are
/// none. The body of [`kernels::bits_first`].
#[inline(always)]
pub(super) fn bits_first_anywhere<R: Ring>(
    split: u32,
    low: &[u64],
    high: Option<&[u64]>,
    out: &mut [R],
) {
    let below = if split == 0 { u128::MAX } else { (1u128 << split) - 1 };
    for (i, out) in out.chunks_mut(64).enumerate() {
        let (low, high) = (low[i], high.map_or(0, |high| high[i]));
        for (j, out) in out.iter_mut().enumerate() {
            let pad = *out;
            let rest = and(bit::<R>(low, j).wrapping_sub(pad), R::from_bits(below));
            let top = and(pad, R::from_bits(!below));
            let other = shifted_left(bit::<R>(high, j), split);
            // Without a second bit in the element, `top` and `other` do no harm.
            *out = rest.wrapping_add(and(other, R::from_bits(!below)).wrapping_sub(top));
        }
    }
}

/// The part of the words of two bits, of which `p` is one. The body of [`kernels::bits_second`].
#[inline(always)]
pub(super) fn bits_second_anywhere<R: Ring>(
    p: u32,
    low: &[u64],
    high: Option<&[u64]>,
    shared: &[R],
    first: bool,
    out: &mut [R],
) {
    let ones = R::from_i64(i64::from(first));
    let top = if p == 0 { 0 } else { !(u128::MAX >> p >> (128 - R::WIDTH)) };
    let (top, place) = (R::from_bits(top), (R::WIDTH - p) % R::WIDTH);
    for (i, (shared, out)) in shared.chunks(64).zip(out.chunks_mut(64)).enumerate() {
        let word = low[i];
        for (j, (&shared, out)) in shared.iter().zip(&mut *out).enumerate() {
            let x = negate_where(mask(word, j), shared).wrapping_add(and(ones, bit(word, j)));
            *out = out.wrapping_add(shifted_left(x, p));
        }
        if let Some(high) = high {
            let word = high[i];
            for (j, (&shared, out)) in shared.iter().zip(out).enumerate() {
                let x = negate_where(mask(word, j), and(shared, top));
                let known = shifted_left(and(ones, bit(word, j)), place);
                *out = out.wrapping_add(x.wrapping_add(known));
            }
        }
    }
}

/// The body of [`kernels::product_first`].
#[inline(always)]
pub(super) fn product_first_anywhere<R: Ring>(
    u: &[u64],
    x: &[R],
    products: &mut [R],
    bits: &mut [R],
) {
    let out = products.chunks_mut(64).zip(bits.chunks_mut(64));
    for ((&word, x), (products, bits)) in u.iter().zip(x.chunks(64)).zip(out) {
        for (j, ((x, product), out)) in x.iter().zip(products).zip(bits).enumerate() {
            *product = and(*x, mask(word, j));
            *out = bit(word, j);
        }
    }
}

/// The body of [`kernels::product_second`]: `(u·x + u·y)·(1 − 2v) + v·(x + y)`, of which only the
/// first side adds `v·y`.
#[inline(always)]
pub(super) fn product_second_anywhere<R: Ring>(
    v: &[u64],
    [products, bits, y, x]: [&[R]; 4],
    first: bool,
    out: &mut [R],
) {
    let once = R::from_i64(-i64::from(first));
    for (i, out) in out.chunks_mut(64).enumerate() {
        let at = 64 * i..64 * i + out.len();
        let word = v[i];
        let [products, bits] = [&products[at.clone()], &bits[at.clone()]];
        let numbers = y[at.clone()].iter().zip(&x[at]);
        let shared = products.iter().zip(bits);
        for (j, (((product, bit), (&y, x)), out)) in shared.zip(numbers).zip(out).enumerate() {
            let mask = mask(word, j);
            let with_u = negate_where(mask, product.wrapping_add(bit.wrapping_mul(y)));
            let with_v = and(mask, x.wrapping_add(and(y, once)));
            *out = out.wrapping_add(with_u.wrapping_add(with_v));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;
    use crate::tensor::bits::unslice_bits;

    fn draw<R: Ring>(random: &mut SplitMix64, n: usize) -> Vec<R> {
        let mut bits = || u128::from(random.bits()) << 64 | u128::from(random.bits());
        (0..n).map(|_| R::from_bits(bits())).collect()
    }

    fn words_become_numbers<R: Ring>() {
        let mut random = SplitMix64::new(2);
        for bits in [1, 2, 31, 33, 40, 64, R::WIDTH - 1, R::WIDTH] {
            for n in [0usize, 1, 64, 100] {
                let words = bits as usize * n.div_ceil(64);
                let pairs = Pairs::new(bits, R::WIDTH);
                let (u, v): (Vec<u64>, Vec<u64>) =
                    (draw(&mut random, words), draw(&mut random, words));
                let pad: Vec<R> = draw(&mut random, pairs.count() * n);
                let mut rest = pad.clone();
                bits_first(pairs, &u, n, &mut rest);
                let mut out = vec![R::default(); n];
                bits_second(pairs, &rest, &v, false, &mut out);
                bits_second(pairs, &pad, &v, true, &mut out);
                let mut expected = vec![R::default(); n];
                let planes: Vec<u64> = u.iter().zip(&v).map(|(u, v)| u ^ v).collect();
                unslice_bits(&planes, &mut expected);
                assert_eq!(out, expected, "{bits} bits, {n} words");
            }
        }
    }

    fn bits_times_numbers<R: Ring>() {
        let mut random = SplitMix64::new(3);
        for n in [0usize, 1, 64, 200] {
            let words = n.div_ceil(64);
            let (u, v): (Vec<u64>, Vec<u64>) = (draw(&mut random, words), draw(&mut random, words));
            let numbers = [(); 3].map(|()| draw::<R>(&mut random, n));
            let x: Vec<R> =
                numbers[0].iter().zip(&numbers[1]).map(|(a, b)| a.wrapping_add(*b)).collect();
            let pad: Vec<R> = draw(&mut random, 2 * n);
            let mut rest = vec![R::default(); 2 * n];
            product_first(&u, &x, &mut rest);
            rest.iter_mut().zip(&pad).for_each(|(x, pad)| *x = x.wrapping_sub(*pad));
            let mut out = vec![R::default(); n];
            product_second(&pad, &v, [&numbers[2], &numbers[1]], true, &mut out);
            product_second(&rest, &v, [&numbers[2], &numbers[0]], false, &mut out);
            for i in 0..n {
                let set = (u[i / 64] ^ v[i / 64]) >> (i % 64) & 1 == 1;
                let number = x[i].wrapping_add(numbers[2][i]);
                assert_eq!(out[i], if set { number } else { R::default() });
            }
        }
    }

    #[test]
    fn the_parts_add_up() {
        words_become_numbers::<u64>();
        words_become_numbers::<u128>();
        bits_times_numbers::<u64>();
        bits_times_numbers::<u128>();
    }
}
