//! Weighted sums of bits that one side knows in part and the other side, two players, in part.
//!
//! A bit is u ^ v = v + u·(1 − 2v), u known to the first side and v to the other. So a sum of
//! weights w of the bits that are set is the sum of w·v, which the other side knows, and the sum of
//! w·(1 − 2v)·u, which is linear in u: with u shared as a number between the two players of the
//! other side, d and x with d + x = u, each has its part of the sum after local work, whatever the
//! weights, and however many such sums there are.

use super::ring::Ring;

/// Words of bits as planes, and what their bits weigh.
#[derive(Debug, Clone)]
pub struct Weighing {
    /// Results.
    n: usize,
    /// Words of a plane.
    words: usize,
    /// Bits that weigh something: plane, and position of the first result's bit in it.
    bits: Vec<(usize, usize)>,
    /// The numbers of the weights, row by row, of those bits.
    weights: Vec<Vec<f64>>,
}

impl Weighing {
    /// `weights`, row by row, of `count` words of `width` bits for each of `n` results, encoded with
    /// `fraction` bits behind the point.
    #[must_use]
    pub fn new([count, width, n]: [usize; 3], weights: &[f64], fraction: u32) -> Self {
        let columns = (count * width).max(1);
        let unit = (1u64 << fraction) as f64;
        let weighs = |i: &usize| weights.iter().skip(*i).step_by(columns).any(|&w| w != 0.0);
        let used: Vec<usize> = (0..count * width).filter(weighs).collect();
        Self {
            n,
            words: (count * n).div_ceil(64),
            bits: used.iter().map(|i| (i % width, i / width * n)).collect(),
            weights: weights
                .chunks(columns)
                .map(|row| used.iter().map(|&i| (row[i] * unit).round()).collect())
                .collect(),
        }
    }

    /// How many bits weigh something.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits.len()
    }

    fn bit(&self, planes: &[u64], (plane, first): (usize, usize), i: usize) -> bool {
        let at = first + i;
        planes[plane * self.words + at / 64] >> (at % 64) & 1 == 1
    }

    /// The first side's: `pad` becomes what is left of the bits of `planes` when it is taken from
    /// them, bit by bit.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn share<R: Ring>(&self, planes: &[u64], pad: &mut [R]) {
        assert_eq!(pad.len(), self.bits() * self.n, "weighing: lengths");
        for (place, pad) in self.bits.iter().zip(pad.chunks_mut(self.n.max(1))) {
            for (i, pad) in pad.iter_mut().enumerate() {
                *pad = R::from_i64(self.bit(planes, *place, i).into()).wrapping_sub(*pad);
            }
        }
    }

    /// The other side's: adds the player's part of the sums to `out`, row by row. `known` are the
    /// planes of v, `part` its part of u. Just one of the two players is `first`.
    ///
    /// # Panics
    /// When lengths differ.
    pub fn weigh<R: Ring>(&self, known: &[u64], part: &[R], first: bool, out: &mut [R]) {
        assert_eq!(part.len(), self.bits() * self.n, "weighing: lengths");
        assert_eq!(out.len(), self.weights.len() * self.n, "weighing: lengths");
        let n = self.n.max(1);
        let one = R::from_i64(first.into());
        let mut signed = vec![R::default(); self.n];
        for (bit, (place, part)) in self.bits.iter().zip(part.chunks(n)).enumerate() {
            for (i, (signed, &part)) in signed.iter_mut().zip(part).enumerate() {
                let v = self.bit(known, *place, i);
                *signed = if v { one.wrapping_sub(part) } else { part };
            }
            for (weights, out) in self.weights.iter().zip(out.chunks_mut(n)) {
                if weights[bit] != 0.0 {
                    let weight = R::from_whole(weights[bit]);
                    for (out, x) in out.iter_mut().zip(&signed) {
                        *out = out.wrapping_add(x.wrapping_mul(weight));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    fn parts_add_up<R: Ring>() {
        let mut random = SplitMix64::new(9);
        // Two words of three bits for each of 70 results, of which the bit 4 weighs nothing.
        let (count, width, n) = (2, 3, 70);
        let weights = [1.0, 2.0, -4.0, 0.5, 0.0, 3.0, 0.0, 0.0, 0.0, 0.25, 0.0, -1.0];
        let weighing = Weighing::new([count, width, n], &weights, 4);
        assert_eq!(weighing.bits(), 5);
        let words = (count * n).div_ceil(64);
        let mut planes = || -> Vec<u64> { (0..width * words).map(|_| random.bits()).collect() };
        let (u, v) = (planes(), planes());
        let x: Vec<R> = (0..5 * n).map(|_| R::from_bits(random.bits().into())).collect();
        let mut d = x.clone();
        weighing.share(&u, &mut d);
        let mut sums = vec![R::default(); 2 * n];
        weighing.weigh(&v, &d, true, &mut sums);
        weighing.weigh(&v, &x, false, &mut sums);
        for row in 0..2 {
            for i in 0..n {
                let mut exact = 0.0;
                for (j, weight) in weights[row * 6..][..6].iter().enumerate() {
                    let (plane, at) = (j % width, j / width * n + i);
                    let word = plane * words + at / 64;
                    let bit = (u[word] ^ v[word]) >> (at % 64) & 1;
                    exact += weight * bit as f64 * 16.0;
                }
                assert_eq!(sums[row * n + i].to_f64(), exact);
            }
        }
    }

    #[test]
    fn the_parts_add_up_to_what_the_bits_weigh() {
        parts_add_up::<u64>();
        parts_add_up::<u128>();
    }
}
