//! Ranks from comparisons of all pairs, and permutations.
//!
//! Items i < j of a sequence were compared: a bit c says whether j must come before i. The rank of
//! an item, its place in order, is the number of items before it: for each later item c, for each
//! earlier one 1 − c. So ranks are linear in the bits, and equal items keep their order.
//!
//! c is u ^ v = u(1 − 2v) + v, where one player knows u and two others know v. The one shares u as
//! numbers between the others, who then have parts of all ranks after local work. Ranks count
//! modulo 2^16, so numbers of 16 bits do, four in a word.

use super::super::ring::Ring;

/// Most items of a sequence whose ranks fit.
pub const MOST: usize = 1 << 16;

/// Words that hold so many small numbers.
#[must_use]
pub fn words(n: usize) -> usize {
    n.div_ceil(4)
}

/// The small numbers of words.
fn small(words: &[u64]) -> &[u16] {
    bytemuck::cast_slice(words)
}

fn small_mut(words: &mut [u64]) -> &mut [u16] {
    bytemuck::cast_slice_mut(words)
}

fn bit(plane: &[u64], at: usize) -> u16 {
    (plane[at / 64] >> (at % 64) & 1) as u16
}

/// Takes pads from the bits of the plane `u`: `pads` become the rest.
///
/// # Panics
/// If the lengths do not fit.
pub fn share_bits(n: usize, u: &[u64], pads: &mut [u64]) {
    assert_eq!((u.len(), pads.len()), (n.div_ceil(64), words(n)), "ranks: bits");
    for (at, pad) in small_mut(pads).iter_mut().take(n).enumerate() {
        *pad = bit(u, at).wrapping_sub(*pad);
    }
}

/// A player's part of the ranks `[items, lanes]`, from its part of the bits u of all pairs, in the
/// order of i, j and then lane, and the plane `v`. Just one of the two players is `first`.
///
/// # Panics
/// If the lengths do not fit.
pub fn ranks([items, lanes]: [usize; 2], part: &[u64], v: &[u64], first: bool, out: &mut [u64]) {
    let n = items * items.saturating_sub(1) / 2 * lanes;
    assert_eq!((part.len(), v.len()), (words(n), n.div_ceil(64)), "ranks: parts");
    assert_eq!(out.len(), words(items * lanes), "ranks: result");
    let one = u16::from(first);
    let mut before: Vec<u16> = small(part)[..n].to_vec();
    for (at, c) in before.iter_mut().enumerate() {
        let v = bit(v, at);
        // v as a mask turns the sign over.
        let mask = v.wrapping_neg();
        *c = (*c ^ mask).wrapping_sub(mask).wrapping_add(v & one.wrapping_neg());
    }
    let out = small_mut(out);
    out.fill(0);
    let mut pairs = before.as_slice();
    for i in 0..items {
        let (own, later) = out[i * lanes..items * lanes].split_at_mut(lanes);
        let (here, rest) = pairs.split_at(later.len());
        pairs = rest;
        if let [own] = own {
            *own = here.iter().fold(*own, |sum, &c| sum.wrapping_add(c));
        } else if lanes > 0 {
            for c in here.chunks_exact(lanes) {
                own.iter_mut().zip(c).for_each(|(own, &c)| *own = own.wrapping_add(c));
            }
        }
        let pairs = later.iter_mut().zip(here);
        pairs.for_each(|(rank, &c)| *rank = rank.wrapping_add(one.wrapping_sub(c)));
    }
}

/// For each lane a permutation of the items, from random words, as many as there are items: the
/// item `i · lanes + lane` of the result comes from the row that is there.
#[must_use]
pub fn permutations([items, lanes]: [usize; 2], random: &[u64]) -> Vec<u32> {
    assert_eq!(random.len(), items * lanes, "permutations: words");
    let mut places: Vec<u32> = (0..items * lanes).map(|at| (at / lanes) as u32).collect();
    for i in (1..items).rev() {
        for lane in 0..lanes {
            let at = i * lanes + lane;
            // The bias is items / 2^64.
            let other = (u128::from(random[at]) * (i as u128 + 1)) >> 64;
            places.swap(at, other as usize * lanes + lane);
        }
    }
    places
}

/// Each lane of `[columns, items, lanes]` permuted.
pub fn permute<R: Ring>(lanes: usize, places: &[u32], x: &[R], out: &mut [R]) {
    assert_eq!(x.len(), out.len(), "permute: lengths");
    let n = places.len().max(1);
    for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        for (at, (out, &place)) in out.iter_mut().zip(places).enumerate() {
            *out = x[place as usize * lanes + at % lanes];
        }
    }
}

/// Small numbers `[items, lanes]` permuted, with pads added or taken off.
pub fn permute_small(
    lanes: usize,
    places: &[u32],
    pads: (&[u64], bool),
    x: &[u64],
    out: &mut [u64],
) {
    let (x, out) = (small(x), small_mut(out));
    for (at, ((out, &place), &pad)) in out.iter_mut().zip(places).zip(small(pads.0)).enumerate() {
        let x = x[place as usize * lanes + at % lanes];
        *out = if pads.1 { x.wrapping_add(pad) } else { x.wrapping_sub(pad) };
    }
}

/// The rank of each item, if the sums of both parts are a permutation of the items of each lane.
#[must_use]
pub fn opened([items, lanes]: [usize; 2], parts: [&[u64]; 2]) -> Option<Vec<u32>> {
    let sums = small(parts[0]).iter().zip(small(parts[1])).take(items * lanes);
    let ranks: Vec<u32> = sums.map(|(&x, &y)| x.wrapping_add(y).into()).collect();
    let mut seen = vec![false; ranks.len()];
    for (at, &rank) in ranks.iter().enumerate() {
        let place = seen.get_mut(rank as usize * lanes + at % lanes)?;
        if std::mem::replace(place, true) {
            return None;
        }
    }
    Some(ranks)
}

/// Adds each item of `[columns, items, lanes]` where its rank says.
pub fn place<R: Ring>(lanes: usize, ranks: &[u32], x: &[R], out: &mut [R]) {
    assert_eq!(x.len(), out.len(), "place: lengths");
    let n = ranks.len().max(1);
    for (x, out) in x.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        for (at, (&x, &rank)) in x.iter().zip(ranks).enumerate() {
            let to = &mut out[rank as usize * lanes + at % lanes];
            *to = to.wrapping_add(x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    #[test]
    fn ranks_are_places_in_order() {
        let mut random = SplitMix64::new(3);
        for [items, lanes] in [[0, 3], [1, 1], [2, 1], [5, 3], [40, 1]] {
            let x: Vec<u32> = (0..items * lanes).map(|_| random.below(9)).collect();
            let mut bits = Vec::new();
            for i in 0..items {
                for j in i + 1..items {
                    bits.extend((0..lanes).map(|l| x[j * lanes + l] < x[i * lanes + l]));
                }
            }
            let n = bits.len();
            let v: Vec<u64> = (0..n.div_ceil(64)).map(|_| random.bits()).collect();
            let mut u = v.clone();
            for (at, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
                u[at / 64] ^= 1 << (at % 64);
            }
            let pad: Vec<u64> = (0..words(n)).map(|_| random.bits()).collect();
            let mut rest = pad.clone();
            share_bits(n, &u, &mut rest);
            let mut parts = [vec![0; words(items * lanes)], vec![0; words(items * lanes)]];
            ranks([items, lanes], &pad, &v, true, &mut parts[0]);
            ranks([items, lanes], &rest, &v, false, &mut parts[1]);
            let ranks = opened([items, lanes], [&parts[0], &parts[1]]).unwrap();
            let mut sorted = vec![0u64; x.len()];
            let x: Vec<u64> = x.into_iter().map(u64::from).collect();
            place(lanes, &ranks, &x, &mut sorted);
            let ordered = |at: usize| sorted[at] <= sorted[at + lanes];
            assert!((0..x.len().saturating_sub(lanes)).all(ordered), "{x:?} became {sorted:?}");
            if let Some(word) = parts[0].first_mut().filter(|_| items > 1) {
                *word ^= 1;
                assert_eq!(opened([items, lanes], [&parts[0], &parts[1]]), None);
            }
        }
    }

    #[test]
    fn permutations_move_each_item_once() {
        let mut random = SplitMix64::new(4);
        let [items, lanes] = [50, 3];
        let words: Vec<u64> = (0..items * lanes).map(|_| random.bits()).collect();
        let places = permutations([items, lanes], &words);
        let x: Vec<u64> = (0..150).collect();
        let mut out = vec![0; 150];
        permute(lanes, &places, &x, &mut out);
        assert!(out != x);
        assert!(out.iter().enumerate().all(|(at, &x)| x % 3 == at as u64 % 3));
        out.sort_unstable();
        assert_eq!(out, x);
    }

    /// Every permutation of three items is about as frequent as the others.
    #[test]
    fn permutations_are_uniform() {
        let mut random = SplitMix64::new(5);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let words = [random.bits(), random.bits(), random.bits()];
            *counts.entry(permutations([3, 1], &words)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&count| (850..1150).contains(&count)), "{counts:?}");
    }
}
