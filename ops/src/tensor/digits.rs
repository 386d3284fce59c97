//! Carries of a sum of which one side knows a summand and the other side, two players, the other.
//!
//! The bits of a number, but for the top one, are taken in digits of four. A digit's *generate* G
//! and *propagate* P, of the summands' bits a_i and b_i, are
//!
//! ```text
//! G_0 = a_0 b_0        G_j = a_j b_j ^ (a_j ^ b_j) G_{j-1}
//! P_0 = a_0 ^ b_0      P_j = (a_j ^ b_j) P_{j-1}
//! ```
//!
//! which are linear in the products of bits of a. So whoever knows a shares by XOR not only its
//! bits, but the products of the bits of each subset of a digit, 15 of a digit instead of 4; each of
//! the two who know b then has a part of G and P of a whole digit after local work, where a circuit
//! over bits takes three messages one after the other, of more bits in all. (One-time truth tables
//! do the same for tables: Ishai, Kushilevitz, Meldgaard, Orlandi and Paskin-Cherniavsky, *On the
//! power of correlated randomness in secure computation*, TCC 2013.)
//!
//! The part of the bits above bit i: with w_S a part of a_S·G and v_S one of a_S·P, a_S being the
//! product of the bits S, all above the digit's bit j,
//!
//! ```text
//! w'_S = w_{S+j} ^ b_j (a_{S+j} ^ w_S)        v'_S = v_{S+j} ^ b_j v_S
//! ```
//!
//! are parts of a_S times the next G and P; what is left in the end is that of the empty S.

use super::kernels;

/// Bits of a digit.
pub const DIGIT: usize = 4;

/// Products of two bits or more in a digit.
const PRODUCTS: usize = (1 << DIGIT) - 1 - DIGIT;

/// How the planes of a number with its digits' products are laid out: a plane for each bit, then,
/// digit by digit, one for each subset of two bits or more, by the number whose bits it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    width: usize,
}

impl Digits {
    /// Of a number of `width` bits, at least 2.
    #[must_use]
    pub fn new(width: u32) -> Self {
        Self { width: width.max(2) as usize }
    }

    /// Bits of the number.
    #[must_use]
    pub fn width(self) -> usize {
        self.width
    }

    /// Number of digits.
    #[must_use]
    pub fn count(self) -> usize {
        (self.width - 1).div_ceil(DIGIT)
    }

    /// Bits of a digit.
    #[must_use]
    pub fn size(self, digit: usize) -> usize {
        (self.width - 1 - digit * DIGIT).min(DIGIT)
    }

    /// Planes of a number with its products.
    #[must_use]
    pub fn planes(self) -> usize {
        let last = self.size(self.count() - 1);
        self.width + (self.count() - 1) * PRODUCTS + (1 << last) - 1 - last
    }

    /// The plane of the product of the bits `subset`, which is not empty, of a digit.
    fn plane(self, digit: usize, subset: usize) -> usize {
        if subset.is_power_of_two() {
            return digit * DIGIT + subset.trailing_zeros() as usize;
        }
        // Numbers up to `subset` that are neither 0 nor a power of 2.
        self.width + digit * PRODUCTS + subset - 2 - subset.ilog2() as usize
    }

    /// Planes that [`carries`] gives: of each digit's whole, or of each of its bits.
    #[must_use]
    pub fn carries(self, prefixes: bool) -> usize {
        self.each_carry(prefixes).count()
    }

    /// The plane of the generate up to bit `j` of a digit; see [`carries`].
    #[must_use]
    pub fn generate(self, prefixes: bool, digit: usize, j: usize) -> Option<usize> {
        self.each_carry(prefixes).position(|carry| carry == (digit, j, false))
    }

    /// The plane of the propagate up to bit `j` of a digit; see [`carries`].
    #[must_use]
    pub fn propagate(self, prefixes: bool, digit: usize, j: usize) -> Option<usize> {
        self.each_carry(prefixes).position(|carry| carry == (digit, j, true))
    }

    /// What [`carries`] gives, in order: digit, bit, and whether it is a propagate. Nothing comes
    /// into the first digit that it could propagate, and to propagate over one bit is linear.
    fn each_carry(self, prefixes: bool) -> impl Iterator<Item = (usize, usize, bool)> {
        let bits = move |digit| {
            let size = self.size(digit);
            let first = if prefixes { 0 } else { size - 1 };
            first..size
        };
        let carries = (0..self.count()).flat_map(move |d| bits(d).map(move |j| (d, j)));
        carries.flat_map(|(digit, j)| {
            let propagates = digit > 0 && j > 0;
            [(digit, j, false), (digit, j, true)].into_iter().take(1 + usize::from(propagates))
        })
    }
}

/// Fills the planes of products from those of bits; `planes` are of `words` words each.
///
/// # Panics
/// If `planes` is not as long as `digits` says.
pub fn multiply_digits(digits: Digits, planes: &mut [u64], words: usize) {
    assert_eq!(planes.len(), digits.planes() * words, "products of digits: length");
    for digit in 0..digits.count() {
        for subset in (1..1 << digits.size(digit)).filter(|s: &usize| !s.is_power_of_two()) {
            let top = 1 << subset.ilog2();
            let of = |subset| digits.plane(digit, subset) * words;
            let (known, product) = planes.split_at_mut(of(subset));
            let factors = known[of(top)..][..words].iter().zip(&known[of(subset - top)..]);
            product.iter_mut().zip(factors).for_each(|(out, (x, y))| *out = x & y);
        }
    }
}

/// Adds, by XOR, one player's parts of the carries to `out`: `shared` are its parts of the planes
/// of a and its products, `known` the planes of b. Just one of the two players is `first`.
///
/// # Panics
/// If a slice's length is not what `digits` and `words` say.
pub fn carries(
    digits: Digits,
    [shared, known]: [&[u64]; 2],
    words: usize,
    first: bool,
    prefixes: bool,
    out: &mut [u64],
) {
    assert_eq!(shared.len(), digits.planes() * words, "carries: shared planes");
    assert_eq!(known.len(), digits.width * words, "carries: known planes");
    assert_eq!(out.len(), digits.carries(prefixes) * words, "carries: result");
    let mut done = 0;
    for digit in 0..digits.count() {
        let size = digits.size(digit);
        let count = digits.each_carry(prefixes).filter(|carry| carry.0 == digit).count();
        let mut planes: [&[u64]; 1 << DIGIT] = [&[]; 1 << DIGIT];
        for (subset, plane) in planes.iter_mut().enumerate().take(1 << size).skip(1) {
            *plane = &shared[digits.plane(digit, subset) * words..][..words];
        }
        let mut bits: [&[u64]; DIGIT] = [&[]; DIGIT];
        for (j, bit) in bits.iter_mut().enumerate().take(size) {
            *bit = &known[(digit * DIGIT + j) * words..][..words];
        }
        let ones = if first { u64::MAX } else { 0 };
        let out = &mut out[done * words..(done + count) * words];
        kernels::digit_carries((planes, bits), (size, ones, digit > 0, prefixes), out);
        done += count;
    }
}

/// Words at a time.
const LANES: usize = 8;

type Lane = [u64; LANES];

/// The carries of one digit. The body of [`kernels::digit_carries`].
#[inline(always)]
pub(super) fn carries_anywhere(
    (planes, bits): ([&[u64]; 1 << DIGIT], [&[u64]; DIGIT]),
    (size, ones, propagates, prefixes): (usize, u64, bool, bool),
    out: &mut [u64],
) {
    let words = bits[0].len();
    for start in (0..words).step_by(LANES) {
        let end = words.min(start + LANES);
        let lane = |plane: &[u64]| {
            let mut lane = [0; LANES];
            match plane.get(start..start + LANES) {
                Some(words) => lane.copy_from_slice(words),
                None if plane.is_empty() => {}
                None => lane[..end - start].copy_from_slice(&plane[start..end]),
            }
            lane
        };
        let mut a = planes.map(lane);
        a[0] = [ones; LANES];
        let b = bits.map(lane);
        let (mut w, mut v) = ([[0; LANES]; 8], [[0; LANES]; 8]);
        for s in 0..8 {
            w[s] = and(a[2 * s + 1], b[0]);
            v[s] = xor(a[2 * s + 1], and(b[0], a[2 * s]));
        }
        let mut next = 0;
        let mut put = |lane: Lane| {
            let out = &mut out[next * words + start..next * words + end];
            out.iter_mut().zip(lane).for_each(|(out, x)| *out ^= x);
            next += 1;
        };
        for j in 0..size {
            if j > 0 {
                for s in 0..8 >> j {
                    let above = xor(a[(2 * s + 1) << j], w[2 * s]);
                    w[s] = xor(w[2 * s + 1], and(b[j], above));
                    v[s] = xor(v[2 * s + 1], and(b[j], v[2 * s]));
                }
            }
            if prefixes || j + 1 == size {
                put(w[0]);
                if propagates && j > 0 {
                    put(v[0]);
                }
            }
        }
    }
}

#[inline(always)]
fn and(x: Lane, y: Lane) -> Lane {
    std::array::from_fn(|i| x[i] & y[i])
}

#[inline(always)]
fn xor(x: Lane, y: Lane) -> Lane {
    std::array::from_fn(|i| x[i] ^ y[i])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    /// Bits of the planes at one place.
    fn bit(planes: &[u64], plane: usize, words: usize, at: usize) -> bool {
        planes[plane * words + at / 64] >> (at % 64) & 1 == 1
    }

    #[test]
    fn the_parts_add_up_to_the_carries() {
        for width in [2, 3, 6, 64, 128] {
            for words in [1, 8, 11] {
                let digits = Digits::new(width);
                let mut random = SplitMix64::new(7);
                let mut draw = |planes: usize| -> Vec<u64> {
                    (0..planes * words).map(|_| random.bits()).collect()
                };
                let (mut a, b) = (draw(digits.planes()), draw(digits.width()));
                multiply_digits(digits, &mut a, words);
                let one = draw(digits.planes());
                let other: Vec<u64> = a.iter().zip(&one).map(|(a, one)| a ^ one).collect();
                for prefixes in [false, true] {
                    let mut out = vec![0; digits.carries(prefixes) * words];
                    carries(digits, [&one, &b], words, true, prefixes, &mut out);
                    carries(digits, [&other, &b], words, false, prefixes, &mut out);
                    for at in 0..64 * words {
                        check(
                            digits,
                            prefixes,
                            |p| bit(&a, p, words, at),
                            |p| bit(&b, p, words, at),
                            |p| bit(&out, p, words, at),
                        );
                    }
                }
            }
        }
    }

    fn check(
        digits: Digits,
        prefixes: bool,
        a: impl Fn(usize) -> bool,
        b: impl Fn(usize) -> bool,
        out: impl Fn(usize) -> bool,
    ) {
        let mut seen = 0;
        for digit in 0..digits.count() {
            let (mut g, mut p) = (false, true);
            for j in 0..digits.size(digit) {
                let (x, y) = (a(digit * DIGIT + j), b(digit * DIGIT + j));
                g = x && y || (x != y) && g;
                p &= x != y;
                if let Some(plane) = digits.generate(prefixes, digit, j) {
                    assert_eq!(out(plane), g);
                    seen += 1;
                }
                if let Some(plane) = digits.propagate(prefixes, digit, j) {
                    assert_eq!(out(plane), p);
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, digits.carries(prefixes));
    }

    #[test]
    fn sizes_are_those_of_the_tables() {
        let of = |width| {
            let digits = Digits::new(width);
            (digits.count(), digits.planes(), digits.carries(false), digits.carries(true))
        };
        assert_eq!(of(64), (16, 233, 31, 107));
        assert_eq!(of(128), (32, 473, 63, 219));
    }
}
