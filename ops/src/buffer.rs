//! Buffers of ring elements, used again from step to step.
//!
//! Every element of a plan's values is needed anew in each step. Giving the memory back in between
//! costs page faults and zeroing, more than some kernels; and a buffer that held shares is zeroed
//! when it is dropped anyway, which is just what the next user of it needs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::tensor::ring::Ring;

/// Buffers smaller than this are left to the allocator.
const LEAST_BYTES: usize = 16 * 1024;

/// Unused buffers are kept up to this many bytes a ring.
const MOST_BYTES: usize = 32 << 20;

/// Unused buffers of one ring: zeroed, by length.
#[derive(Debug)]
pub struct Spares<R>(Mutex<Kept<R>>);

#[derive(Debug)]
struct Kept<R> {
    buffers: Option<HashMap<usize, Vec<Vec<R>>>>,
    bytes: usize,
}

impl<R: Ring> Spares<R> {
    /// No buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Kept { buffers: None, bytes: 0 }))
    }

    /// A buffer of `length` zeros.
    #[must_use]
    pub fn zeros(&self, length: usize) -> Vec<R> {
        let spare = (length * R::BYTES >= LEAST_BYTES).then(|| {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let spare = kept.buffers.as_mut()?.get_mut(&length)?.pop()?;
            kept.bytes -= length * R::BYTES;
            Some(spare)
        });
        spare.flatten().unwrap_or_else(|| vec![R::default(); length])
    }

    /// Zeroes a buffer and keeps it if there is room.
    pub fn give_back(&self, mut buffer: Vec<R>) {
        // A plain fill is a vectorised memset, many times faster than volatile writes; the barrier
        // keeps the compiler from dropping it because nothing reads the zeros.
        buffer.fill(R::default());
        zeroize::optimization_barrier(&buffer);
        self.keep(buffer);
    }

    /// Keeps a buffer of zeros if there is room.
    pub fn keep(&self, buffer: Vec<R>) {
        debug_assert!(buffer.iter().all(|&x| x == R::default()), "only zeros are kept");
        let bytes = buffer.len() * R::BYTES;
        if bytes >= LEAST_BYTES {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.bytes + bytes <= MOST_BYTES {
                kept.bytes += bytes;
                let length = buffer.len();
                kept.buffers.get_or_insert_default().entry(length).or_default().push(buffer);
            }
        }
    }
}

impl<R: Ring> Default for Spares<R> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_zeroed() {
        let spares = Spares::<u64>::new();
        let length = LEAST_BYTES / 8;
        let mut buffer = spares.zeros(length);
        buffer.fill(7);
        let place = buffer.as_ptr();
        spares.give_back(buffer);
        let again = spares.zeros(length);
        assert_eq!(again.as_ptr(), place);
        assert!(again.iter().all(|&x| x == 0));
        let other = spares.zeros(length);
        assert_ne!(other.as_ptr(), place);
    }

    #[test]
    fn small_buffers_and_too_many_are_not_kept() {
        let spares = Spares::<u128>::new();
        spares.give_back(vec![1; 4]);
        assert_eq!(spares.0.lock().unwrap().bytes, 0);
        for _ in 0..100 {
            spares.give_back(vec![1; MOST_BYTES / 16 / 10]);
        }
        assert!(spares.0.lock().unwrap().bytes <= MOST_BYTES);
    }
}
