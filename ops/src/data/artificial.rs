//! A made-up data set: points of a cube, and on which side of a hidden plane each lies.

use std::ops::Range;

use super::random::SplitMix64;

/// Numbers of a point.
pub const FEATURES: usize = 10;

/// What the points and the plane are drawn from.
const SEED: u64 = 0x5eed;

/// The points of a range, each a function of its number alone. Features are uniform in −½..½; the
/// label is 1 on one side of a plane through the origin and 0 on the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Artificial {
    features: Vec<[f32; FEATURES]>,
    labels: Vec<bool>,
}

impl Artificial {
    /// The points of these numbers.
    #[must_use]
    pub fn new(range: Range<usize>) -> Self {
        let plane = point(SEED);
        let features: Vec<_> = range.map(|i| point(SEED + 1 + i as u64)).collect();
        let side = |x: &[f32; FEATURES]| x.iter().zip(plane).map(|(x, n)| x * n).sum::<f32>() > 0.0;
        let labels = features.iter().map(side).collect();
        Self { features, labels }
    }

    /// As [`Mnist::gather`](super::Mnist::gather).
    ///
    /// # Panics
    /// If an index is none of a point.
    pub fn gather(&self, indices: &[u32], features: &mut [f32], labels: &mut [i32]) {
        let points = features.as_chunks_mut::<FEATURES>().0;
        for ((&i, point), label) in indices.iter().zip(points).zip(labels) {
            *point = self.features[i as usize];
            *label = i32::from(self.labels[i as usize]);
        }
    }
}

fn point(seed: u64) -> [f32; FEATURES] {
    // Of the generator's output, since generators of successive seeds begin alike.
    let mut random = SplitMix64::new(SplitMix64::new(seed).bits());
    std::array::from_fn(|_| (random.unit() - 0.5) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_functions_of_their_numbers_and_fall_on_both_sides() {
        let (all, some) = (Artificial::new(0..1000), Artificial::new(10..20));
        assert_eq!(all.features[10..20], some.features);
        assert_eq!(all.labels[10..20], some.labels);
        let ones = all.labels.iter().filter(|&&label| label).count();
        assert!((450..550).contains(&ones), "{ones}");
        let numbers = all.features.as_flattened();
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        assert!(mean.abs() < 0.01 && numbers.iter().all(|x| x.abs() <= 0.5), "{mean}");
    }

    #[test]
    fn gathers_a_batch() {
        let data = Artificial::new(0..5);
        let (mut features, mut labels) = (vec![0.0; 2 * FEATURES], [9; 2]);
        data.gather(&[3, 0], &mut features, &mut labels);
        assert_eq!(features, [data.features[3], data.features[0]].concat());
        assert_eq!(labels, [3, 0].map(|i| i32::from(data.labels[i])));
    }
}
