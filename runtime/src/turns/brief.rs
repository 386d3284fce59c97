//! Brief turns on the thread that the network's events come to.
//!
//! To hand a turn to the pool and its values back to the network takes changes of threads, and a thread
//! of the pool looks for more to do a while before it sleeps: together longer than many a kernel. So a
//! player's process takes a turn where it came up, as long as it is brief. Kernels there use that thread
//! alone: to wait for the pool would be to wait for the long turns of others.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{BUSY, FIRST, Order, THEN, queue};

/// Kernels that take no longer may run on the network's thread.
const BRIEF: Duration = Duration::from_micros(400);
/// The same when values that it computed wait for it to send them.
const BRIEFER: Duration = Duration::from_micros(40);
/// So long after the first one since the network's thread last rested, no turn is brief: there is more to
/// do than that thread can.
const SPELL: Duration = Duration::from_millis(1);

/// The kernel pool of a player's process. Elsewhere it is rayon's own, of which others have their share.
static POOL: OnceLock<ThreadPool> = OnceLock::new();

thread_local! {
    /// Whether this is a thread that the network's events come to.
    static AT_NETWORK: Cell<bool> = const { Cell::new(false) };
    /// When this thread took the first brief turn since it last rested.
    static BEGAN: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Whether it has sent a value since then.
    static SENT: Cell<bool> = const { Cell::new(false) };
}

/// Has this thread take brief turns. For one of a player's process, which it stays.
pub(crate) fn begin() {
    if AT_NETWORK.get() {
        return;
    }
    // Without these, turns are taken by rayon's pool.
    let Ok(pool) = ThreadPoolBuilder::new().build() else { return };
    let alone = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    if let Ok(alone) = alone {
        POOL.get_or_init(|| pool);
        // As long as there is this thread, there is its pool.
        std::mem::forget(alone);
        AT_NETWORK.set(true);
    }
}

/// Threads of the kernel pool.
pub(crate) fn threads() -> usize {
    POOL.get().map_or_else(rayon::current_num_threads, ThreadPool::current_num_threads)
}

/// Has the kernel pool do `work`.
pub(super) fn spawn(work: fn()) {
    match POOL.get() {
        Some(pool) => pool.spawn(work),
        None => rayon::spawn(work),
    }
}

/// Does `work` at once, if this thread takes brief turns and others do not come first. Otherwise returns
/// false.
pub(crate) fn take(order: Order, work: impl FnOnce()) -> bool {
    let others_wait = || !(queue(&FIRST).is_empty() && queue(&THEN).is_empty());
    if !AT_NETWORK.get() || BUSY.get() || (order == Order::Then && others_wait()) {
        return false;
    }
    if BEGAN.get().is_none() {
        BEGAN.set(Some(Instant::now()));
    }
    BUSY.set(true);
    work();
    BUSY.set(false);
    true
}

/// Whether this thread is in a brief turn.
pub(crate) fn is_on() -> bool {
    AT_NETWORK.get() && BUSY.get()
}

/// How long a kernel that took so long on this thread would take on one thread, at most.
pub(crate) fn alone(took: Duration) -> Duration {
    let threads = if is_on() { 1 } else { threads() };
    took.saturating_mul(u32::try_from(threads).unwrap_or(u32::MAX))
}

/// A value is to be sent.
pub(crate) fn sends() {
    SENT.set(true);
}

/// This thread has nothing to do: what was to be sent is under way.
pub(crate) fn rests() {
    BEGAN.set(None);
    SENT.set(false);
}

/// Whether a kernel that would take `alone` may run on this thread.
pub(crate) fn fits(alone: Duration) -> bool {
    let most = if SENT.get() { BRIEFER } else { BRIEF };
    alone <= most && BEGAN.get().is_none_or(|began| began.elapsed() <= SPELL)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::remote::event_loop;
    use crate::turns::{Work, spawn};

    /// On a thread of its own, which takes brief turns.
    fn at_network(test: impl FnOnce() + Send + 'static) {
        let test = thread::spawn(|| {
            begin();
            begin();
            test();
        });
        test.join().unwrap();
    }

    #[test]
    fn a_brief_turn_is_taken_here_and_its_kernels_stay_here() {
        assert!(!take(Order::First, || panic!("this is no thread of the network")));
        at_network(|| {
            let here = thread::current().id();
            let mut taken = false;
            assert!(!is_on());
            assert!(take(Order::First, || {
                assert!(is_on() && alone(BRIEF) == BRIEF);
                assert!(!take(Order::First, || panic!("one turn within another")));
                let id = || thread::current().id();
                assert_eq!(rayon::join(id, id), (here, here));
                taken = true;
            }));
            assert!(taken && !is_on());

            let (sender, done) = channel();
            spawn(Order::First, move || sender.send(thread::current().id()).unwrap());
            assert_ne!(done.recv().unwrap(), here, "what is not brief is the pool's");
        });
    }

    #[test]
    fn what_begins_something_comes_after_what_takes_up_values() {
        at_network(|| {
            // More than the turns of other tests, which may be taken meanwhile.
            const OTHERS: usize = 10_000;
            let others = (0..OTHERS).map(|_| Box::new(|| ()) as Work);
            queue(&FIRST).extend(others);
            assert!(!take(Order::Then, || panic!("others come first")));
            assert!(take(Order::First, || {}));
            (0..OTHERS).for_each(|_| super::spawn(crate::turns::take));
        });
    }

    #[test]
    fn the_event_loop_rests_when_it_waits() {
        sends();
        assert!(!fits(BRIEF));
        let waits = async { tokio::time::sleep(Duration::from_millis(1)).await };
        event_loop().unwrap().block_on(waits);
        assert!(fits(BRIEF));
    }

    #[test]
    fn a_brief_turn_has_brief_kernels_and_an_end() {
        rests();
        assert!(fits(BRIEF) && !fits(BRIEF + Duration::from_nanos(1)) && !fits(Duration::MAX));
        sends();
        assert!(fits(BRIEFER) && !fits(BRIEF), "what was sent waits for this thread");
        BEGAN.set(Instant::now().checked_sub(2 * SPELL));
        assert!(!fits(Duration::ZERO));
        rests();
        assert!(fits(BRIEF));
        let on_the_pool = alone(Duration::from_micros(10));
        assert_eq!(on_the_pool, Duration::from_micros(10) * u32::try_from(threads()).unwrap());
        assert_eq!(alone(Duration::MAX), Duration::MAX);
    }
}
