//! Dropping low bits of a shared number, without ever failing.
//!
//! v is a signed number of k = WIDTH bits with |v| < 2^(k-2). One side holds `a`, the other `b`, and
//! a + b = v + 2^(k-2) + 2^m modulo 2^k. That sum is below 2^(k-1), so, as unsigned numbers, a + b
//! wraps exactly if a or b has its top bit set. Hence, with arithmetic shifts,
//!
//! ```text
//! floor(a / 2^m) + floor(b / 2^m) + top(a)·top(b)·2^(k-m)  =  v / 2^m + 2^(k-2-m) + e
//! ```
//!
//! with −1 < e ≤ 1, and e is 0 on average when a is uniformly random; e is 1 where the low bits of a
//! and b are all 0. Without the last term on the left
//! this is the truncation of SecureML (Mohassel and Zhang, S&P 2017) and ABY3, which is wrong altogether
//! when both top bits are set. Source of the wrap as an *or* of the top bits: Huang, Lu, Hong and Ding, *Cheetah* (USENIX
//! Security 2022), section 5.3; Rathee et al., *SIRNN* (S&P 2021), section 3.
//!
//! The product of the top bits counts modulo 2^m only. It is computed on numbers of m bits, packed
//! into words: `b`'s side has two players that both know `b`. With a pad x of m bits that a's side
//! has with the second of them, a's side sends d = top(a) − x to the first, and d·top(b) and
//! x·top(b) add up to the product.

use super::kernels;
use super::ring::Ring;

/// Numbers of a few bits in words: as many as fit, the first lowest.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    bits: u32,
}

impl Packing {
    /// Numbers of `bits` bits, 1 to 64.
    ///
    /// # Panics
    /// For other numbers of bits.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        assert!((1..=64).contains(&bits), "numbers of 1 to 64 bits");
        Self { bits }
    }

    /// Numbers in a word.
    #[must_use]
    pub fn per_word(self) -> usize {
        (64 / self.bits) as usize
    }

    /// Words that hold `n` numbers.
    #[must_use]
    pub fn words(self, n: usize) -> usize {
        n.div_ceil(self.per_word())
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }

    #[inline(always)]
    fn get(self, word: u64, place: usize) -> u64 {
        (word >> (place as u32 * self.bits)) & self.mask()
    }

    #[inline(always)]
    fn put(self, number: u64, place: usize) -> u64 {
        (number & self.mask()) << (place as u32 * self.bits)
    }
}

/// `x` with its top bit, as 0 or 1.
#[inline(always)]
fn top<R: Ring>(x: R) -> u64 {
    (x.to_bits() >> (R::WIDTH - 1)) as u64
}

/// `number` times 2^(WIDTH - bits).
#[inline(always)]
fn raised<R: Ring>(number: u64, bits: u32) -> R {
    R::from_bits(u128::from(number) << (R::WIDTH - bits))
}

/// Arithmetic shift to the right.
#[inline(always)]
fn shifted<R: Ring>(x: R, bits: u32) -> R {
    R::from_bits(x.to_bits() >> bits).wrapping_sub(raised(top(x), bits))
}

/// What makes a number nonnegative and centres the error: added before, taken off after.
fn offsets<R: Ring>(bits: u32) -> (R, R) {
    let quarter = R::WIDTH - 2;
    (R::from_bits((1 << quarter) + (1 << bits)), R::from_bits(1 << (quarter - bits)))
}

/// a's side. `a` becomes the summand that this side has with the second player of b's side, `pad`,
/// a pad that it has with the first, the summand that it has with the first. `d` is for the first.
///
/// `x` and `to_second` are pads of m-bit numbers that this side has with the second player,
/// `to_first` one that it has with the first.
///
/// # Panics
/// When lengths differ, or `bits` is not below WIDTH - 2 and 65.
pub fn truncate_first<R: Ring>(
    bits: u32,
    a: &mut [R],
    pad: &mut [R],
    [x, to_first, to_second]: [&[u64]; 3],
    d: &mut [u64],
) {
    let words = Packing::new(bits).words(a.len());
    let lengths = [x, to_first, to_second].map(<[u64]>::len);
    assert_eq!((pad.len(), d.len(), lengths), (a.len(), words, [words; 3]), "truncation: lengths");
    kernels::truncate_first(bits, a, pad, [x, to_first, to_second], d);
}

/// b's side. `b` becomes this player's part of the summand that the players of this side have, to
/// which the other's part, `sent` there, is added by [`truncate_last`]. `factor` is `d` for the
/// first player and `x` for the second; `pad` the m-bit pad that it has with a's side.
///
/// # Panics
/// When lengths differ.
pub fn truncate_second<R: Ring>(
    bits: u32,
    b: &mut [R],
    [factor, pad]: [&[u64]; 2],
    sent: &mut [u64],
) {
    let words = Packing::new(bits).words(b.len());
    assert_eq!([factor.len(), pad.len(), sent.len()], [words; 3], "truncation: lengths");
    kernels::truncate_second(bits, b, [factor, pad], sent);
}

/// Adds the other player's part, `received`, to what [`truncate_second`] left.
///
/// # Panics
/// When lengths differ.
pub fn truncate_last<R: Ring>(bits: u32, part: &mut [R], received: &[u64]) {
    let words = Packing::new(bits).words(part.len());
    assert_eq!(received.len(), words, "truncation: lengths");
    kernels::truncate_last(bits, part, received);
}

/// Calls a function with the packing of these bits. It is compiled for the bits that the precisions
/// drop, by themselves: shifts by a constant are what vectors need.
macro_rules! packed {
    ($bits:expr, |$packing:ident| $body:expr) => {
        match $bits {
            16 => {
                let $packing = Packing { bits: 16 };
                $body
            }
            32 => {
                let $packing = Packing { bits: 32 };
                $body
            }
            bits => {
                let $packing = Packing { bits };
                $body
            }
        }
    };
}

/// Calls `work` with each word's place and the elements that have a number in it.
#[inline(always)]
fn each_word<R>(packing: Packing, x: &mut [R], mut work: impl FnMut(usize, &mut [R])) {
    // Words that are full by themselves: the length of their loops is known.
    let mut full = x.chunks_exact_mut(packing.per_word());
    let mut place = 0;
    for x in &mut full {
        work(place, x);
        place += 1;
    }
    if let rest @ [_, ..] = full.into_remainder() {
        work(place, rest);
    }
}

#[inline(always)]
pub(super) fn first_anywhere<R: Ring>(
    bits: u32,
    a: &mut [R],
    pad: &mut [R],
    [x, to_first, to_second]: [&[u64]; 3],
    d: &mut [u64],
) {
    packed!(bits, |packing| {
        let n = packing.per_word();
        let (a, last_a) = a.split_at_mut(a.len() / n * n);
        let (pad, last_pad) = pad.split_at_mut(a.len());
        let mut words = x.iter().zip(to_first).zip(to_second).zip(d);
        let full = a.chunks_exact_mut(n).zip(pad.chunks_exact_mut(n));
        for ((a, pad), (((&x, &to_first), &to_second), d)) in full.zip(&mut words) {
            *d = first_word(packing, a, pad, [x, to_first, to_second]);
        }
        for (((&x, &to_first), &to_second), d) in words {
            *d = first_word(packing, last_a, last_pad, [x, to_first, to_second]);
        }
    });
}

#[inline(always)]
fn first_word<R: Ring>(
    packing: Packing,
    a: &mut [R],
    pad: &mut [R],
    [x, to_first, to_second]: [u64; 3],
) -> u64 {
    let bits = packing.bits;
    let (before, after) = offsets::<R>(bits);
    let mut word = 0;
    for (i, (a, pad)) in a.iter_mut().zip(pad).enumerate() {
        let value = a.wrapping_add(before);
        word |= packing.put(top(value).wrapping_sub(packing.get(x, i)), i);
        let rest = shifted(value, bits).wrapping_sub(after).wrapping_sub(*pad);
        *a = rest.wrapping_add(raised(packing.get(to_second, i), bits));
        *pad = pad.wrapping_add(raised(packing.get(to_first, i), bits));
    }
    word
}

#[inline(always)]
pub(super) fn second_anywhere<R: Ring>(
    bits: u32,
    b: &mut [R],
    [factor, pad]: [&[u64]; 2],
    sent: &mut [u64],
) {
    packed!(bits, |packing| {
        each_word(packing, b, |i, b| sent[i] = second_word(packing, b, [factor[i], pad[i]]));
    });
}

#[inline(always)]
fn second_word<R: Ring>(packing: Packing, b: &mut [R], [factor, pad]: [u64; 2]) -> u64 {
    let mut word = 0;
    for (i, b) in b.iter_mut().enumerate() {
        let product = packing.get(factor, i) & top(*b).wrapping_neg();
        let hidden = product.wrapping_sub(packing.get(pad, i)) & packing.mask();
        word |= packing.put(hidden, i);
        *b = shifted(*b, packing.bits).wrapping_add(raised(hidden, packing.bits));
    }
    word
}

#[inline(always)]
pub(super) fn last_anywhere<R: Ring>(bits: u32, part: &mut [R], received: &[u64]) {
    packed!(bits, |packing| {
        each_word(packing, part, |word, part| {
            for (i, x) in part.iter_mut().enumerate() {
                *x = x.wrapping_add(raised(packing.get(received[word], i), packing.bits));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;
    use crate::tensor::kernels::units::with_each_unit;

    /// The truncation of each value, shared with random numbers, by the three players in turn.
    fn truncated<R: Ring>(values: &[R], bits: u32, random: &mut SplitMix64) -> Vec<R> {
        let n = values.len();
        let mut draw = || u128::from(random.bits()) << 64 | u128::from(random.bits());
        let mut ring = || -> Vec<R> { (0..n).map(|_| R::from_bits(draw())).collect() };
        let (mut b, mut pad) = (ring(), ring());
        let mut a: Vec<R> = values.iter().zip(&b).map(|(&v, &b)| v.wrapping_sub(b)).collect();
        let words = Packing::new(bits).words(n);
        let mut small = || -> Vec<u64> { (0..words).map(|_| random.bits()).collect() };
        let [x, to_first, to_second] = [small(), small(), small()];
        let mut d = vec![0; words];
        truncate_first(bits, &mut a, &mut pad, [&x, &to_first, &to_second], &mut d);
        let mut at_second = b.clone();
        let mut sent = [vec![0; words], vec![0; words]];
        truncate_second(bits, &mut b, [&d, &to_first], &mut sent[0]);
        truncate_second(bits, &mut at_second, [&x, &to_second], &mut sent[1]);
        truncate_last(bits, &mut b, &sent[1]);
        truncate_last(bits, &mut at_second, &sent[0]);
        assert_eq!(b, at_second, "the players of one side disagree");
        let sum = |((&a, &pad), &b): ((&R, &R), &R)| a.wrapping_add(pad).wrapping_add(b);
        a.iter().zip(&pad).zip(&b).map(sum).collect()
    }

    fn errs_by_one_unit<R: Ring>(bits: u32) {
        let mut random = SplitMix64::new(7);
        let quarter = (R::WIDTH as f64 - 2.0).exp2();
        let mut values = vec![0.0, 1.0, -1.0, f64::from(bits).exp2(), 0.999 * quarter];
        values.extend((0..4000).map(|i| {
            let size = f64::from(i % (R::WIDTH as i32 - 4)).exp2();
            if i % 2 == 0 { (size * 1.37).floor() } else { -(size * 1.71).floor() }
        }));
        values.extend(vec![-0.999 * quarter; 1001]);
        let encoded: Vec<_> = values.iter().map(|&x| R::from_whole(x)).collect();
        let unit = f64::from(bits).exp2();
        for (v, y) in values.iter().zip(truncated(&encoded, bits, &mut random)) {
            let (exact, y) = (v / unit, y.to_f64());
            // Beyond 2^53 doubles are coarser than units.
            assert!((y - exact).abs() <= 1.0 + exact.abs() * 1e-15, "{v} / {unit} is not {y}");
        }
    }

    #[test]
    fn errs_by_less_than_one_unit_up_to_the_largest_values() {
        with_each_unit(|| {
            for bits in [1, 7, 16, 32] {
                errs_by_one_unit::<u64>(bits);
                errs_by_one_unit::<u128>(bits);
            }
            errs_by_one_unit::<u128>(48);
        });
    }

    #[test]
    fn the_error_is_zero_on_average() {
        let n = 20_000;
        let sums = truncated(&vec![(5u64 << 16) + (1 << 14); n], 16, &mut SplitMix64::new(3));
        let mean = sums.iter().map(|y| y.to_f64()).sum::<f64>() / n as f64;
        assert!((mean - 5.25).abs() < 0.02, "{mean}");
        assert!(sums.iter().all(|&y| y == 5 || y == 6));
    }
}
