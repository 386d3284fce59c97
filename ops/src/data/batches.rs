//! Which examples a step of training takes.

use std::num::NonZero;

use super::random::SplitMix64;

/// In which order the examples are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    /// As they are stored, the same in each epoch.
    Stored,
    /// In another random order in each epoch, decided by the seed and the epoch's number.
    Shuffled {
        /// Chooses the orders. Not a secret.
        seed: u64,
    },
}

/// Batches of a dataset, for one step after the other.
///
/// An epoch has `len / batch` steps, at least one, and takes each example at most once: those left
/// over wait for a later epoch. The order of an epoch is kept, so steps taken in sequence cost
/// nothing; a step of another epoch shuffles anew (0.12 ms for 60,000 examples).
#[derive(Clone, Debug)]
pub struct Batches {
    batch: usize,
    steps_per_epoch: u64,
    order: Order,
    epoch: u64,
    permutation: Vec<u32>,
}

impl Batches {
    /// Batches of `batch` examples out of `len`; all of them if there are fewer.
    ///
    /// # Panics
    /// If `len` reaches 2^32.
    pub fn new(len: usize, batch: NonZero<usize>, order: Order) -> Self {
        let len = u32::try_from(len).expect("a data set has fewer than 2^32 examples");
        let mut batches = Self {
            batch: batch.get().min(len as usize),
            steps_per_epoch: (len as u64 / batch.get() as u64).max(1),
            order,
            epoch: 0,
            permutation: (0..len).collect(),
        };
        batches.arrange();
        batches
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.steps_per_epoch
    }

    /// The examples of a step, all different. Any step can be asked for, in any sequence.
    pub fn indices(&mut self, step: u64) -> &[u32] {
        let epoch = step / self.steps_per_epoch;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.arrange();
        }
        let start = (step % self.steps_per_epoch) as usize * self.batch;
        &self.permutation[start..start + self.batch]
    }

    /// Puts the permutation into the order of the epoch: the shuffle of Fisher and Yates, as
    /// Durstenfeld gives it.
    fn arrange(&mut self) {
        let Order::Shuffled { seed } = self.order else { return };
        for (i, x) in self.permutation.iter_mut().enumerate() {
            *x = i as u32;
        }
        let mut random = SplitMix64::new(SplitMix64::new(seed).bits() ^ self.epoch);
        for i in (1..self.permutation.len()).rev() {
            self.permutation.swap(i, random.below(i as u32 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(len: usize, batch: usize, order: Order) -> Batches {
        Batches::new(len, NonZero::new(batch).unwrap(), order)
    }

    #[test]
    fn stored_order_drops_the_remainder() {
        let mut b = batches(7, 3, Order::Stored);
        assert_eq!(b.steps_per_epoch(), 2);
        assert_eq!(b.indices(0), [0, 1, 2]);
        assert_eq!(b.indices(1), [3, 4, 5]);
        assert_eq!(b.indices(2), [0, 1, 2]);
    }

    #[test]
    fn an_epoch_takes_each_example_once_in_its_own_order() {
        let mut b = batches(1000, 10, Order::Shuffled { seed: 3 });
        let mut epoch = |e: u64| -> Vec<u32> {
            (e * 100..(e + 1) * 100).flat_map(|step| b.indices(step).to_vec()).collect()
        };
        let (first, second) = (epoch(0), epoch(1));
        assert_ne!(first, second);
        assert_eq!(first, epoch(0), "the order of an epoch does not depend on what came before");
        for mut order in [first.clone(), second] {
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..1000));
        }
        let mut other = batches(1000, 10, Order::Shuffled { seed: 4 });
        assert_ne!(other.indices(0), &first[..10]);
    }

    #[test]
    fn few_or_no_examples() {
        let mut b = batches(2, 5, Order::Stored);
        assert_eq!(b.indices(9), [0, 1]);
        assert!(batches(0, 5, Order::Shuffled { seed: 1 }).indices(3).is_empty());
    }
}
