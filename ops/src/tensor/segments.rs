//! Planes of bits put one after the other in one plane, and taken apart again.

/// Row `i` of `out`, a plane of its own, = the bits `i·n .. (i + 1)·n` of one plane, zeros behind.
///
/// # Panics
/// If `out` is not whole planes of `n` bits, or `joined` is shorter than all of them.
pub fn split_segments(joined: &[u64], n: usize, out: &mut [u64]) {
    let words = n.div_ceil(64);
    for (i, row) in out.chunks_mut(words.max(1)).enumerate() {
        let (first, shift) = (i * n / 64, i * n % 64);
        for (j, word) in row.iter_mut().enumerate() {
            let low = joined[first + j] >> shift;
            let high = joined.get(first + j + 1).filter(|_| shift > 0);
            *word = low | high.map_or(0, |high| high << (64 - shift));
        }
        row[words - 1] &= u64::MAX >> ((64 - n % 64) % 64);
    }
}

/// The inverse of [`split_segments`]: `out`, zeros before, = the rows' first `n` bits one after
/// the other.
///
/// # Panics
/// If `rows` is not whole planes of `n` bits, or `out` is shorter than all of them.
pub fn join_segments(rows: &[u64], n: usize, out: &mut [u64]) {
    let words = n.div_ceil(64);
    for (i, row) in rows.chunks(words.max(1)).enumerate() {
        let (first, shift) = (i * n / 64, i * n % 64);
        for (j, &word) in row.iter().enumerate() {
            let last = j + 1 == words;
            let word = if last { word & u64::MAX >> ((64 - n % 64) % 64) } else { word };
            out[first + j] |= word << shift;
            if shift > 0 && word >> (64 - shift) != 0 {
                out[first + j + 1] |= word >> (64 - shift);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::random::SplitMix64;

    #[test]
    fn segments_are_put_together_and_taken_apart() {
        let mut random = SplitMix64::new(1);
        for n in [1, 2, 63, 64, 65, 128, 200usize] {
            for count in [1, 2, 7, 64] {
                let words = n.div_ceil(64);
                let rows: Vec<u64> = (0..count * words).map(|_| random.bits()).collect();
                let mut joined = vec![0; (count * n).div_ceil(64)];
                join_segments(&rows, n, &mut joined);
                for i in 0..count * n {
                    let (row, bit) = (i / n, i % n);
                    let expected = rows[row * words + bit / 64] >> (bit % 64) & 1;
                    assert_eq!(joined[i / 64] >> (i % 64) & 1, expected);
                }
                let mut apart = vec![7; count * words];
                split_segments(&joined, n, &mut apart);
                let mut again = vec![0; joined.len()];
                join_segments(&apart, n, &mut again);
                assert_eq!(again, joined);
                let tail = apart.chunks(words).fold(0, |all, row| all | row[words - 1]);
                assert!(n % 64 == 0 || tail >> (n % 64) == 0, "bits behind the last");
            }
        }
    }
}
