//! Loops over equally long slices, shared with idle threads.

use rayon::join;

/// Elements of a slice that are not worth cutting in two: a few 10 µs of work.
const PIECE: usize = 32 * 1024;

/// Calls `work` for pieces of the slices, which are the same parts of all of them.
pub(super) fn each_piece<T: Sync, U: Send, const N: usize>(
    inputs: [&[T]; N],
    out: &mut [U],
    work: &(impl Fn([&[T]; N], &mut [U]) + Sync),
) {
    assert!(inputs.iter().all(|input| input.len() == out.len()), "lengths differ");
    if out.len() <= PIECE {
        return work(inputs, out);
    }
    let half = (out.len() / 2).next_multiple_of(64);
    let (out_0, out_1) = out.split_at_mut(half);
    join(
        || each_piece(inputs.map(|input| &input[..half]), out_0, work),
        || each_piece(inputs.map(|input| &input[half..]), out_1, work),
    );
}
