//! Shares that are read for the last time.

use super::pad::split_point;
use super::ring::Ring;
use rayon::join;

/// Elements taken at a time: those of some terms stay in the first cache.
const BLOCK: usize = 1024;

/// `visit(terms, out)` for block after block of `out`, with the elements of the terms at the same
/// places. What was visited is zeroed while the cache still holds it, which costs half of a pass
/// over memory less than zeroing it later.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn spend<R: Ring, T: Send>(
    mut terms: Vec<&mut [R]>,
    out: &mut [T],
    visit: &(impl Fn(&[&[R]], &mut [T]) + Sync),
) {
    for term in &terms {
        assert_eq!(term.len(), out.len(), "spend: lengths differ");
    }
    if let Some(middle) = split_point::<R>(out.len()) {
        let halves = terms.into_iter().map(|term| term.split_at_mut(middle));
        let (low, high): (Vec<_>, Vec<_>) = halves.unzip();
        let (out_low, out_high) = out.split_at_mut(middle);
        join(|| spend(low, out_low, visit), || spend(high, out_high, visit));
        return;
    }
    for (b, out) in out.chunks_mut(BLOCK).enumerate() {
        let at = b * BLOCK..b * BLOCK + out.len();
        visit(&terms.iter().map(|term| &term[at.clone()]).collect::<Vec<_>>(), out);
        terms.iter_mut().for_each(|term| term[at.clone()].fill(R::default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::ring::add_assign;

    #[test]
    fn all_is_visited_once_and_zeroed() {
        for n in [0, 1, BLOCK - 1, BLOCK, 3 * BLOCK + 7, 200_000] {
            let mut x: Vec<u64> = (0..n as u64).collect();
            let mut y: Vec<u64> = (0..n as u64).map(|i| i * i).collect();
            let mut out = vec![5; n];
            spend(vec![&mut x, &mut y], &mut out, &|terms, out| {
                terms.iter().for_each(|term| add_assign(out, term));
            });
            assert!(out.iter().enumerate().all(|(i, &sum)| sum == 5 + (i + i * i) as u64));
            assert!([x, y].concat().iter().all(|&left| left == 0));
        }
    }
}
