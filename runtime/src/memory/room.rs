//! What a player gives to sessions, and what each has of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a player gives to all its sessions together.
#[derive(Debug)]
pub(crate) struct Room {
    most: u64,
    taken: Mutex<u64>,
}

impl Room {
    /// Of so many bytes.
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, taken: Mutex::new(0) })
    }
}

/// What a session has of it. It is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    own: Mutex<Own>,
}

#[derive(Debug, Default)]
struct Own {
    /// Bytes of the values of a step of the largest plan so far: plans of a session take turns.
    step: u64,
    /// Bytes of each variable.
    variables: BTreeMap<String, u64>,
    /// All of them together.
    all: u64,
}

/// There is not as much.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// Bytes that the player gives.
    pub(super) most: u64,
    /// Bytes of a step and of the variables that the session would have.
    pub(super) step: u64,
    pub(super) variables: u64,
    /// Bytes that other sessions have.
    pub(super) others: u64,
}

impl Share {
    pub(crate) fn of(room: &Arc<Room>) -> Self {
        Self { room: Arc::clone(room), own: Mutex::default() }
    }

    /// Takes room for a plan whose steps have values of so many bytes, and for variables of so many.
    pub(super) fn take(
        &self,
        step: u64,
        variables: impl IntoIterator<Item = (String, u64)>,
    ) -> Result<(), Full> {
        let (mut own, mut taken) = (lock(&self.own), lock(&self.room.taken));
        let mut all = own.variables.clone();
        for (name, bytes) in variables {
            let known = all.entry(name).or_default();
            *known = bytes.max(*known);
        }
        let step = step.max(own.step);
        let variables = all.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        let (sum, others) = (step.saturating_add(variables), *taken - own.all);
        let most = self.room.most;
        if others.checked_add(sum).is_none_or(|sum| sum > most) {
            return Err(Full { most, step, variables, others });
        }
        *taken = others + sum;
        *own = Own { step, variables: all, all: sum };
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *lock(&self.room.taken) -= lock(&self.own).all;
    }
}

/// Nothing panics while one is locked, so that a poisoned one is still sound.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(of: &[(&str, u64)]) -> Vec<(String, u64)> {
        of.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect()
    }

    #[test]
    fn sessions_have_the_room_together_until_they_end() {
        let room = Room::new(100);
        let [ann, bob] = [Share::of(&room), Share::of(&room)];
        assert_eq!(ann.take(30, variables(&[("w", 20)])), Ok(()));
        // Plans take turns, and have the same variables.
        assert_eq!(ann.take(40, variables(&[("w", 20), ("v", 10)])), Ok(()));
        let full = |step, variables, others| Err(Full { most: 100, step, variables, others });
        assert_eq!(bob.take(31, []), full(31, 0, 70));
        assert_eq!(bob.take(30, []), Ok(()));
        assert_eq!(ann.take(0, variables(&[("u", 1)])), full(40, 31, 30));
        assert_eq!(bob.take(u64::MAX, variables(&[("u", 1)])), full(u64::MAX, 1, 70));
        drop(bob);
        assert_eq!(ann.take(0, variables(&[("u", 30)])), Ok(()));
        assert_eq!(*lock(&room.taken), 100);
        drop(ann);
        assert_eq!(*lock(&room.taken), 0);
    }
}
