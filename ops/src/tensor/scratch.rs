//! Memory for a kernel's intermediate values, which a thread keeps for the next kernel.

use bytemuck::Pod;
use std::cell::RefCell;

/// Lends `len` elements of arbitrary content. `T` has an alignment of at most 16.
///
/// They may be given shares: they are zeroed before this returns, so that no share outlives the
/// kernel that needed it. `work` may call this again, for other memory.
pub(super) fn with_scratch<T: Pod>(len: usize, work: impl FnOnce(&mut [T])) {
    thread_local!(static KEPT: RefCell<Vec<Vec<u128>>> = const { RefCell::new(Vec::new()) });
    let wide = (len * size_of::<T>()).div_ceil(size_of::<u128>());
    let mut scratch = KEPT.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < wide {
        scratch = vec![0; wide];
    }
    let words: &mut [T] = bytemuck::cast_slice_mut(&mut scratch[..wide]);
    work(&mut words[..len]);
    // A plain fill is a vectorised memset, many times faster than volatile writes; the barrier
    // keeps the compiler from dropping it because nothing reads the zeros.
    scratch[..wide].fill(0);
    zeroize::optimization_barrier(&scratch);
    KEPT.with_borrow_mut(|kept| kept.push(scratch));
}
