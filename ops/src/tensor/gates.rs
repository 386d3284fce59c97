//! Layers of boolean circuits on planes of bits that are shared by XOR.
//!
//! A *stack* is some planes of equal length, one after the other. What goes into a gate is a [`Sum`],
//! by XOR, of planes of several stacks, so that the linear part of a circuit takes no pass of its
//! own over memory.

use super::bits::{and_shares, xor_into};
use super::ring_matmul::Write;
use rayon::join;

/// A XOR of planes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Stack and plane of each term.
    pub terms: Vec<(usize, usize)>,
    /// Whether the sum is turned over.
    pub flipped: bool,
}

/// `left & right ^ add`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// A factor.
    pub left: Sum,
    /// The other factor.
    pub right: Sum,
    /// What comes on top.
    pub add: Sum,
}

/// One half of a server's shares.
#[derive(Debug, Clone, Copy)]
pub struct Half<'a> {
    /// The stacks.
    pub stacks: &'a [&'a [u64]],
    /// Whether this is the summand that is turned over where a sum is.
    pub flips: bool,
}

/// Adds, by XOR, a server's parts of the gates' results to `out`, a plane of `words` words a gate.
/// The halves are the server's own and the next one's.
///
/// # Panics
/// If a plane is in no stack, or `out` has another length.
pub fn and_layer(gates: &[Gate], halves: [Half<'_>; 2], words: usize, out: &mut [u64]) {
    assert_eq!(out.len(), gates.len() * words, "a layer of gates: length");
    if gates.len() > 1 && out.len() > PIECE {
        let half = gates.len() / 2;
        let (low, high) = out.split_at_mut(half * words);
        join(
            || and_layer(&gates[..half], halves, words, low),
            || and_layer(&gates[half..], halves, words, high),
        );
        return;
    }
    let mut scratch = [(); 4].map(|()| vec![0; BLOCK.min(words)]);
    for (gate, out) in gates.iter().zip(out.chunks_mut(words.max(1))) {
        for (block, out) in out.chunks_mut(BLOCK).enumerate() {
            let from = block * BLOCK;
            let n = out.len();
            let [s0, s1, s2, s3] = &mut scratch;
            let x0 = gate.left.part(halves[0], words, from, &mut s0[..n]);
            let x1 = gate.left.part(halves[1], words, from, &mut s1[..n]);
            let y0 = gate.right.part(halves[0], words, from, &mut s2[..n]);
            let y1 = gate.right.part(halves[1], words, from, &mut s3[..n]);
            and_shares(x0, x1, y0, y1, out, Write::Add);
            gate.add.add_to(halves[0], words, from, out);
        }
    }
}

/// Adds, by XOR, the part of each sum that one half of the shares is to `out`.
///
/// # Panics
/// If a plane is in no stack, or `out` has another length.
pub fn sum_layer(sums: &[Sum], half: Half<'_>, words: usize, out: &mut [u64]) {
    assert_eq!(out.len(), sums.len() * words, "a layer of sums: length");
    for (sum, out) in sums.iter().zip(out.chunks_mut(words.max(1))) {
        sum.add_to(half, words, 0, out);
    }
}

/// Words of a plane that are worked on at a time, so that they stay in the first cache.
const BLOCK: usize = 512;

/// Words of results that are not worth cutting in two.
const PIECE: usize = 64 * 1024;

impl Sum {
    /// The sum's words from `from` on, as they are in the stack if they are.
    fn part<'a>(
        &self,
        half: Half<'a>,
        words: usize,
        from: usize,
        scratch: &'a mut [u64],
    ) -> &'a [u64] {
        if let (&[(stack, plane)], false) = (&self.terms[..], self.flipped && half.flips) {
            return &half.stacks[stack][plane * words + from..][..scratch.len()];
        }
        scratch.fill(0);
        self.add_to(half, words, from, scratch);
        scratch
    }

    fn add_to(&self, half: Half<'_>, words: usize, from: usize, out: &mut [u64]) {
        for &(stack, plane) in &self.terms {
            xor_into(&half.stacks[stack][plane * words + from..][..out.len()], out);
        }
        if self.flipped && half.flips {
            out.iter_mut().for_each(|word| *word = !*word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    const WORDS: usize = BLOCK + 3;

    /// Two stacks of three shares each; their XOR is the secret.
    fn shares() -> [[Vec<u64>; 2]; 3] {
        let mut random = SplitMix64::new(5);
        [(); 3].map(|()| [2, 3].map(|n| (0..n * WORDS).map(|_| random.bits()).collect()))
    }

    fn secret(shares: &[[Vec<u64>; 2]; 3], sum: &Sum, word: usize) -> u64 {
        let of = |&(stack, plane): &(usize, usize)| {
            shares.iter().fold(0, |x, share| x ^ share[stack][plane * WORDS + word])
        };
        let sum_of = sum.terms.iter().map(of).fold(0, |x, y| x ^ y);
        if sum.flipped { !sum_of } else { sum_of }
    }

    #[test]
    fn the_servers_parts_add_up() {
        let shares = shares();
        let sum = |terms: &[(usize, usize)], flipped| Sum { terms: terms.to_vec(), flipped };
        let gates = [
            Gate { left: sum(&[(0, 0)], false), right: sum(&[(1, 2)], false), ..Gate::default() },
            Gate {
                left: sum(&[(0, 1), (1, 0)], true),
                right: sum(&[(1, 1)], true),
                add: sum(&[(0, 0), (1, 2)], true),
            },
        ];
        let mut result = vec![0; gates.len() * WORDS];
        let mut sums = vec![0; WORDS];
        for server in 0..3 {
            let stacks = [server, (server + 1) % 3].map(|i| [&shares[i][0][..], &shares[i][1][..]]);
            let half =
                |i: usize| Half { stacks: &stacks[i], flips: (server + i).is_multiple_of(3) };
            and_layer(&gates, [half(0), half(1)], WORDS, &mut result);
            sum_layer(&[gates[1].left.clone()], half(0), WORDS, &mut sums);
        }
        for word in 0..WORDS {
            for (gate, out) in gates.iter().zip(result.chunks(WORDS)) {
                let value = |sum| secret(&shares, sum, word);
                assert_eq!(out[word], value(&gate.left) & value(&gate.right) ^ value(&gate.add));
            }
            assert_eq!(sums[word], secret(&shares, &gates[1].left, word));
        }
    }
}
