//! Several short numbers a word, for messages.

use crate::tensor::bits::{slice_bits, unslice_bits};
use crate::tensor::ring::Ring;

/// `out` = the low `bits` bits of the values, `64 / bits` of them a word, the first lowest. Other
/// bits are zero.
///
/// # Panics
/// If `bits` is 0 or more than 64, or `out` is not `values.len().div_ceil(64 / bits)` long.
pub fn pack_low<R: Ring>(values: &[R], bits: u32, out: &mut [u64]) {
    let per_word = per_word(bits, values.len(), out.len());
    if bits == 1 {
        return slice_bits(values, 0..1, out);
    }
    let mask = u64::MAX >> (64 - bits);
    for (values, word) in values.chunks(per_word).zip(out) {
        let each = values.iter().rev();
        // The shift does nothing for 64 bits, of which a word has one number.
        *word = each.fold(0, |word, x| word.unbounded_shl(bits) | (x.to_bits() as u64 & mask));
    }
}

/// The inverse of [`pack_low`]: `out` = the numbers, zeros above their low bits.
///
/// # Panics
/// If `bits` is 0 or more than 64, or there are not `out.len().div_ceil(64 / bits)` words.
pub fn unpack_low<R: Ring>(words: &[u64], bits: u32, out: &mut [R]) {
    let per_word = per_word(bits, out.len(), words.len());
    if bits == 1 {
        return unslice_bits(words, out);
    }
    let mask = u64::MAX >> (64 - bits);
    for (out, &word) in out.chunks_mut(per_word).zip(words) {
        let mut rest = word;
        for x in out {
            *x = R::from_bits((rest & mask).into());
            rest = rest.unbounded_shr(bits);
        }
    }
}

fn per_word(bits: u32, values: usize, words: usize) -> usize {
    assert!((1..=64).contains(&bits), "bits of a packed number");
    let per_word = 64 / bits as usize;
    assert_eq!(words, values.div_ceil(per_word), "packed numbers: length");
    per_word
}
