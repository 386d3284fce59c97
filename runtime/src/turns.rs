//! Turns on the kernel pool: which session's work comes next on a thread that is free.
//!
//! Rayon alone would not do. While a kernel waits for its other half, its thread is handed whatever
//! there is to do: a session that took its turn there would hold up the kernel, and with many
//! players in a process, one inside the other without end. And a session that has values to add up
//! must come before those that make more of them, or memory fills with values.

pub(crate) mod brief;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Work = Box<dyn FnOnce() + Send>;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Work that takes up values which are there.
    First,
    /// Work that begins something.
    Then,
}

static FIRST: Mutex<VecDeque<Work>> = Mutex::new(VecDeque::new());
static THEN: Mutex<VecDeque<Work>> = Mutex::new(VecDeque::new());

thread_local! {
    /// Whether this thread is in a turn.
    static BUSY: Cell<bool> = const { Cell::new(false) };
    /// Turns that came while it was.
    static OWED: Cell<usize> = const { Cell::new(0) };
}

/// Has a thread of the pool do `work`.
pub(crate) fn spawn(order: Order, work: impl FnOnce() + Send + 'static) {
    queue(match order {
        Order::First => &FIRST,
        Order::Then => &THEN,
    })
    .push_back(Box::new(work));
    brief::spawn(take);
}

fn take() {
    if BUSY.get() {
        return OWED.set(OWED.get() + 1);
    }
    BUSY.set(true);
    next();
    while let Some(left) = OWED.get().checked_sub(1) {
        OWED.set(left);
        next();
    }
    BUSY.set(false);
}

/// Does what comes next: there is one for each turn.
fn next() {
    let first = { queue(&FIRST).pop_front() };
    if let Some(work) = first.or_else(|| queue(&THEN).pop_front()) {
        work();
    }
}

/// Nothing panics while a queue is locked, so that a poisoned one is still sound.
fn queue(queue: &Mutex<VecDeque<Work>>) -> MutexGuard<'_, VecDeque<Work>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    thread_local! {
        static INSIDE: Cell<bool> = const { Cell::new(false) };
    }

    #[test]
    fn every_turn_is_taken_and_none_within_another() {
        const TURNS: usize = 1000;
        let (done, all) = channel();
        for i in 0..TURNS {
            let done = done.clone();
            let order = if i % 2 == 0 { Order::First } else { Order::Then };
            spawn(order, move || {
                let nested = INSIDE.replace(true);
                // Threads that wait for the other half look for something to do.
                rayon::join(std::thread::yield_now, std::thread::yield_now);
                INSIDE.set(nested);
                done.send(nested).unwrap();
            });
        }
        drop(done);
        let nested: Vec<bool> = all.iter().collect();
        assert_eq!(nested, [false; TURNS]);
    }
}
