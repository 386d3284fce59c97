//! Pads: pseudo-random streams of ring elements that hide shares.
//!
//! Players that share a session secret, a [`PadKey`], derive the same pad for the same [`PadId`]
//! without a message. The pad's key is
//!
//! ```text
//! HKDF-SHA256 (RFC 5869), no salt, secret = the PadKey,
//! info = "sordino pad v1" || plan (32 bytes) || step (8) || node (4) || lane (4), little-endian,
//! 16 bytes of output
//! ```
//!
//! and the pad is the keystream of AES-128 in counter mode under that key: block `i` is the
//! encryption of `i` as a 64-bit little-endian number followed by eight zero bytes. The IV is zero,
//! since a key serves one stream only. Ring elements are read from it little-endian.
//!
//! **No pad repeats**: a [`Pad`] is consumed by its one use, and whoever asks for a stream must not
//! ask for the same id twice. A repeated pad reveals the difference of what it hid.

use super::ring::{Ring, add_assign, sub_assign};
use aes::Aes128;
use aes::cipher::{Array, Block, InnerIvInit, KeyInit, StreamCipherCore, StreamCipherSeekCore};
use ctr::{CtrCore, flavors::Ctr64LE};
use hkdf::Hkdf;
use rayon::join;
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroize;

/// Bytes of one piece of work: a vector longer than this is shared with idle cores. At 16 GB/s a
/// piece is 16 µs, ten times what handing it to another core costs.
pub const PIECE_BYTES: usize = 256 * 1024;

/// The secret that a group of players shares in a session, from which their pads are derived.
///
/// Fresh for every session, uniformly random. Zeroed on drop; never printed.
pub struct PadKey([u8; 32]);

/// Which pad of a session: no two uses in a session may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PadId {
    /// Digest of the plan that is run.
    pub plan: [u8; 32],
    /// Step of the session.
    pub step: u64,
    /// Node of the plan that consumes the pad.
    pub node: u32,
    /// Which of the node's pads.
    pub lane: u32,
}

/// A pseudo-random stream, not yet used. Its key is zeroed on drop; never printed.
pub struct Pad(Aes128);

impl PadKey {
    /// The key with these bytes, which must be uniformly random and secret.
    pub fn from_bytes(mut secret: [u8; 32]) -> Self {
        let key = Self(secret);
        secret.zeroize();
        key
    }

    /// The pad of this id. See the [module](self) for the derivation.
    pub fn stream(&self, id: &PadId) -> Pad {
        let mut key = [0; 16];
        Hkdf::<Sha256>::new(None, &self.0)
            .expand_multi_info(
                &[
                    b"sordino pad v1",
                    &id.plan,
                    &id.step.to_le_bytes(),
                    &id.node.to_le_bytes(),
                    &id.lane.to_le_bytes(),
                ],
                &mut key,
            )
            .expect("HKDF-SHA256 gives up to 8160 bytes");
        let pad = Pad(Aes128::new(&key.into()));
        key.zeroize();
        pad
    }
}

impl Pad {
    /// `out[i] = element i of the pad`.
    pub fn fill<R: Ring>(self, out: &mut [R]) {
        sum_pieces(&[self], 0, out);
    }

    /// `acc[i] += element i of the pad`.
    pub fn add_to<R: Ring>(self, acc: &mut [R]) {
        self.apply(0, acc, &add_assign);
    }

    /// `acc[i] -= element i of the pad`.
    pub fn sub_from<R: Ring>(self, acc: &mut [R]) {
        self.apply(0, acc, &sub_assign);
    }

    /// `acc[i] ^= word i of the pad`.
    pub fn xor_to(self, acc: &mut [u64]) {
        self.apply(0, acc, &|acc: &mut [u64], pad| super::kernels::xor_words(pad, acc));
    }

    /// The keystream from element `first` on, which must start a block.
    pub(super) fn keystream_at<R: Ring>(&self, first: usize) -> Keystream {
        debug_assert!((first * R::BYTES).is_multiple_of(BLOCK_BYTES));
        let mut stream = Keystream::inner_iv_init(self.0.clone(), &Array::default());
        stream.set_block_pos((first * R::BYTES / BLOCK_BYTES) as u64);
        stream
    }

    fn apply<R: Ring>(&self, first: usize, out: &mut [R], each: &(impl Fn(&mut [R], &[R]) + Sync)) {
        if let Some(middle) = split_point::<R>(out.len()) {
            let (low, high) = out.split_at_mut(middle);
            join(|| self.apply(first, low, each), || self.apply(first + middle, high, each));
            return;
        }
        let mut stream = self.keystream_at::<R>(first);
        let mut buffer = Buffer::new();
        for out in out.chunks_mut(BUFFER_BYTES / R::BYTES) {
            each(out, buffer.next(&mut stream, out.len()));
        }
    }
}

/// `out[i] = sum of the pads' elements i`, in one pass over memory. Without pads, zeros.
pub fn sum_pads_into<R: Ring>(pads: Vec<Pad>, out: &mut [R]) {
    sum_pieces(&pads, 0, out);
}

fn sum_pieces<R: Ring>(pads: &[Pad], first: usize, out: &mut [R]) {
    if let Some(middle) = split_point::<R>(out.len()) {
        let (low, high) = out.split_at_mut(middle);
        join(|| sum_pieces(pads, first, low), || sum_pieces(pads, first + middle, high));
        return;
    }
    let mut streams: Vec<Keystream> = pads.iter().map(|pad| pad.keystream_at::<R>(first)).collect();
    let mut buffer = Buffer::new();
    let Some((first, others)) = streams.split_first_mut() else {
        return out.fill(R::default());
    };
    for out in out.chunks_mut(BUFFER_BYTES / R::BYTES) {
        write_keystream(first, out);
        for stream in &mut *others {
            add_assign(out, buffer.next(stream, out.len()));
        }
    }
}

/// Where a vector of `len` elements is cut in two, at a multiple of [`PIECE_BYTES`]; none if it is
/// one piece.
pub(super) fn split_point<R: Ring>(len: usize) -> Option<usize> {
    let piece = PIECE_BYTES / R::BYTES;
    let pieces = len.div_ceil(piece);
    (pieces > 1).then(|| pieces / 2 * piece)
}

/// A position in a pad.
pub(super) type Keystream = CtrCore<Aes128, Ctr64LE>;

/// Bytes of an AES block.
const BLOCK_BYTES: usize = 16;

/// Bytes of keystream made at a time: it and the elements it meets stay in the first cache.
pub(super) const BUFFER_BYTES: usize = 8 * 1024;

/// The next elements of a stream, to `out`. What is left of the last AES block is skipped.
fn write_keystream<R: Ring>(stream: &mut Keystream, out: &mut [R]) {
    // Memory is little-endian, as keystreams are: `value` builds for no other machine.
    let (blocks, rest) = bytemuck::cast_slice_mut::<R, u8>(out).as_chunks_mut();
    stream.write_keystream_blocks(Array::cast_slice_from_core_mut(blocks));
    if !rest.is_empty() {
        let mut last = Block::<Aes128>::default();
        stream.write_keystream_block(&mut last);
        rest.copy_from_slice(&last[..rest.len()]);
        last.zeroize();
    }
}

/// Keystream on its way to the elements, zeroed on drop. Aligned as vectors and cache lines are.
#[repr(align(64))]
pub(super) struct Buffer([u8; BUFFER_BYTES]);

impl Buffer {
    /// A buffer of zeros.
    pub(super) fn new() -> Self {
        Self([0; BUFFER_BYTES])
    }

    /// The next `len` elements of a stream, at most [`BUFFER_BYTES`].
    pub(super) fn next<R: Ring>(&mut self, stream: &mut Keystream, len: usize) -> &[R] {
        write_keystream::<R>(stream, &mut bytemuck::cast_slice_mut(&mut self.0)[..len]);
        self.elements(len)
    }

    /// The elements that [`next`](Self::next) gave last; zeros before that.
    pub(super) fn elements<R: Ring>(&self, len: usize) -> &[R] {
        &bytemuck::cast_slice(&self.0)[..len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // As for spare buffers: a memset and a barrier, where volatile writes go byte by byte.
        self.0.fill(0);
        zeroize::optimization_barrier(&self.0);
    }
}

impl Drop for PadKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for PadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pad key>")
    }
}

impl fmt::Debug for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<pad>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::BlockCipherEncrypt;

    const ID: PadId = PadId { plan: [7; 32], step: 5, node: 3, lane: 1 };

    fn key() -> PadKey {
        PadKey::from_bytes(std::array::from_fn(|i| i as u8))
    }

    fn filled<R: Ring>(id: &PadId, n: usize) -> Vec<R> {
        let mut out = vec![R::default(); n];
        key().stream(id).fill(&mut out);
        out
    }

    /// The derivation of the module's documentation, from the primitives: HMAC is written out, as
    /// is the counter.
    fn by_hand(id: &PadId, blocks: u64) -> Vec<u8> {
        use sha2::Digest;
        let hmac = |key: &[u8; 32], parts: &[&[u8]]| -> [u8; 32] {
            let padded = |with: u8| {
                let mut block = [with; 64];
                block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
                block
            };
            let mut inner = Sha256::new_with_prefix(padded(0x36));
            parts.iter().for_each(|part| inner.update(part));
            let outer = Sha256::new_with_prefix(padded(0x5c)).chain_update(inner.finalize());
            outer.finalize().into()
        };
        let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
        let extracted = hmac(&[0; 32], &[&secret]);
        let mut info = b"sordino pad v1".to_vec();
        info.extend(id.plan);
        info.extend(id.step.to_le_bytes());
        info.extend(id.node.to_le_bytes());
        info.extend(id.lane.to_le_bytes());
        let expanded = hmac(&extracted, &[&info, &[1]]);
        let cipher = Aes128::new_from_slice(&expanded[..16]).unwrap();
        let mut stream = Vec::new();
        for counter in 0..blocks {
            let mut block = Block::<Aes128>::default();
            block[..8].copy_from_slice(&counter.to_le_bytes());
            cipher.encrypt_block(&mut block);
            stream.extend_from_slice(&block);
        }
        stream
    }

    fn vectors<R: Ring>() {
        // Longer than one piece, and, for 64 bits, ending within an AES block.
        let n = 2 * PIECE_BYTES / R::BYTES + 77;
        let bytes = by_hand(&ID, (n * R::BYTES).div_ceil(16) as u64);
        let element = |bytes: &[u8]| {
            R::from_bits(bytes.iter().rev().fold(0, |bits, &byte| bits << 8 | u128::from(byte)))
        };
        let expected: Vec<R> = bytes.chunks_exact(R::BYTES).take(n).map(element).collect();
        assert!(filled::<R>(&ID, n) == expected);
        for shorter in [0, 1, 2, 3, 511, 1025] {
            assert_eq!(filled::<R>(&ID, shorter), expected[..shorter]);
        }
    }

    #[test]
    fn pads_are_what_the_documentation_says() {
        vectors::<u64>();
        vectors::<u128>();
    }

    /// Two players of different versions must agree: these numbers never change.
    #[test]
    fn a_pad_is_the_same_for_ever() {
        let expected =
            [11_914_156_435_493_385_206, 4_462_205_798_377_667_597, 10_995_968_653_324_634_359];
        assert_eq!(filled::<u64>(&ID, 3), expected);
    }

    #[test]
    fn every_part_of_the_id_and_the_key_matter() {
        let mut plan = [7; 32];
        plan[31] = 8;
        let ids = [
            ID,
            PadId { plan, ..ID },
            PadId { step: 6, ..ID },
            PadId { node: 4, ..ID },
            PadId { lane: 2, ..ID },
        ];
        let mut pads: Vec<_> = ids.iter().map(|id| filled::<u64>(id, 2)).collect();
        let mut other = vec![0; 2];
        PadKey::from_bytes([1; 32]).stream(&ID).fill(&mut other);
        pads.push(other);
        for (i, pad) in pads.iter().enumerate() {
            assert!(!pads[..i].contains(pad));
        }
    }

    fn sums<R: Ring>(n: usize) {
        let mut acc = filled::<R>(&ID, n);
        let other = PadId { lane: 9, ..ID };
        key().stream(&other).add_to(&mut acc);
        let mut sum = vec![R::from_i64(1); n];
        sum_pads_into(vec![key().stream(&ID), key().stream(&other)], &mut sum);
        assert!(acc == sum);
        key().stream(&ID).sub_from(&mut acc);
        assert!(acc == filled::<R>(&other, n));
        sum_pads_into(Vec::new(), &mut sum);
        assert!(sum == vec![R::default(); n]);
    }

    #[test]
    fn pads_add_and_subtract() {
        sums::<u64>(1001);
        sums::<u64>(100_001);
        sums::<u128>(70_000);
    }

    #[test]
    fn nothing_of_a_key_prints() {
        assert_eq!(format!("{:?} {:?}", key(), key().stream(&ID)), "<pad key> <pad>");
    }
}
