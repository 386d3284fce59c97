//! Losses of classifiers, their gradients, and the accuracies that go with them.
//!
//! Logits are row-major, a row per example; a loss is the mean over the batch. Natural logarithms.
//! Everything is stable: no finite logit overflows. An empty batch has loss and accuracy zero.

use super::number::Float;
use thiserror::Error;

/// A label outside the classes. The label itself is private and is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the label of example {index} is not in 0..{classes}")]
pub struct LabelOutOfRange {
    /// Position of the example in its batch.
    pub index: usize,
    /// Number of classes.
    pub classes: usize,
}

/// Mean over `n` examples of `ln(sum_j exp(z_j)) - z_label`, `z` being a row of `c` logits.
///
/// # Errors
/// A label outside `0..c`.
///
/// # Panics
/// If `logits` is not `n * c` long or `labels` not `n`.
pub fn softmax_cross_entropy<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
    c: usize,
) -> Result<T, LabelOutOfRange> {
    check(logits, labels, [n, c], c)?;
    let mut total = 0.0;
    for (row, &label) in rows(logits, c).zip(labels) {
        let largest = maximum(row);
        let sum = row.iter().map(|&z| (z - largest).exp()).fold(T::default(), T::plus);
        total += (sum.ln() + (largest - row[label as usize])).to_f64();
    }
    Ok(mean(total, n))
}

/// Gradient of [`softmax_cross_entropy`] by the logits: `(softmax(z) - onehot(label)) / n`.
///
/// # Errors
/// A label outside `0..c`; `out` is then unchanged.
///
/// # Panics
/// If `logits` or `out` is not `n * c` long or `labels` not `n`.
pub fn softmax_cross_entropy_grad<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
    c: usize,
    out: &mut [T],
) -> Result<(), LabelOutOfRange> {
    check(logits, labels, [n, c], c)?;
    assert_eq!(out.len(), logits.len(), "loss gradient: out");
    let weight = T::ONE / T::from_f64(n as f64);
    for ((row, &label), out) in rows(logits, c).zip(labels).zip(out.chunks_mut(c.max(1))) {
        let largest = maximum(row);
        let mut sum = T::default();
        for (out, &z) in out.iter_mut().zip(row) {
            *out = (z - largest).exp();
            sum += *out;
        }
        for out in &mut *out {
            *out *= weight / sum;
        }
        out[label as usize] -= weight;
    }
    Ok(())
}

/// Mean over `n` examples of `ln(1 + exp(z)) - label * z`, `z` being the one logit of an example
/// and its label 0 or 1.
///
/// # Errors
/// A label that is not 0 or 1.
///
/// # Panics
/// If `logits` or `labels` is not `n` long.
pub fn sigmoid_cross_entropy<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
) -> Result<T, LabelOutOfRange> {
    check(logits, labels, [n, 1], 2)?;
    let total = logits
        .iter()
        .zip(labels)
        .map(|(&z, &label)| z.max(T::default()) - z * real(label) + (-z.abs()).exp().ln_1p());
    Ok(mean(total.map(T::to_f64).sum(), n))
}

/// Gradient of [`sigmoid_cross_entropy`] by the logits: `(sigmoid(z) - label) / n`.
///
/// # Errors
/// A label that is not 0 or 1; `out` is then unchanged.
///
/// # Panics
/// If `logits`, `labels` or `out` is not `n` long.
pub fn sigmoid_cross_entropy_grad<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
    out: &mut [T],
) -> Result<(), LabelOutOfRange> {
    check(logits, labels, [n, 1], 2)?;
    assert_eq!(out.len(), n, "loss gradient: out");
    let weight = T::ONE / T::from_f64(n as f64);
    for ((out, &z), &label) in out.iter_mut().zip(logits).zip(labels) {
        *out = (sigmoid(z) - real(label)) * weight;
    }
    Ok(())
}

/// `1 / (1 + exp(-z))`.
pub fn sigmoid<T: Float>(z: T) -> T {
    let e = (-z.abs()).exp();
    let tail = e / (T::ONE + e);
    if z < T::default() { tail } else { T::ONE - tail }
}

/// The share, in `0..=1`, of the `n` examples whose largest logit (the first, if several are) is
/// their label's.
///
/// # Errors
/// A label outside `0..c`.
///
/// # Panics
/// If `logits` is not `n * c` long or `labels` not `n`.
pub fn argmax_accuracy<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
    c: usize,
) -> Result<T, LabelOutOfRange> {
    check(logits, labels, [n, c], c)?;
    let right = rows(logits, c).zip(labels).filter(|&(row, &label)| {
        let best = (1..c).fold(0, |best, j| if row[j] > row[best] { j } else { best });
        best == label as usize
    });
    Ok(mean(right.count() as f64, n))
}

/// The share, in `0..=1`, of the `n` examples whose logit is positive if their label is 1 and not
/// positive if it is 0.
///
/// # Errors
/// A label that is not 0 or 1.
///
/// # Panics
/// If `logits` or `labels` is not `n` long.
pub fn sigmoid_accuracy<T: Float>(
    logits: &[T],
    labels: &[i32],
    n: usize,
) -> Result<T, LabelOutOfRange> {
    check(logits, labels, [n, 1], 2)?;
    let right =
        logits.iter().zip(labels).filter(|&(&z, &label)| (z > T::default()) == (label == 1));
    Ok(mean(right.count() as f64, n))
}

/// Checks `n` rows of `c` logits, and as many labels of so many classes.
fn check<T: Float>(
    logits: &[T],
    labels: &[i32],
    [n, c]: [usize; 2],
    classes: usize,
) -> Result<(), LabelOutOfRange> {
    assert_eq!(Some(logits.len()), n.checked_mul(c), "loss: logits");
    assert_eq!(labels.len(), n, "loss: labels");
    let outside = |label: &i32| usize::try_from(*label).map_or(true, |label| label >= classes);
    match labels.iter().position(outside) {
        Some(index) => Err(LabelOutOfRange { index, classes }),
        None => Ok(()),
    }
}

fn rows<T: Float>(logits: &[T], c: usize) -> impl Iterator<Item = &[T]> {
    logits.chunks(c.max(1))
}

fn real<T: Float>(label: i32) -> T {
    T::from_f64(f64::from(label))
}

fn maximum<T: Float>(row: &[T]) -> T {
    row.iter().copied().fold(T::NEG_INFINITY, T::max)
}

fn mean<T: Float>(total: f64, n: usize) -> T {
    if n == 0 { T::default() } else { T::from_f64(total / n as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGITS: [f32; 6] = [1.0, 2.0, 3.0, -1.0, 0.5, 0.0];
    const LABELS: [i32; 2] = [2, 0];

    #[test]
    fn softmax_is_what_the_formula_gives() {
        // By hand: -ln softmax([1,2,3])[2] = 0.40760596, -ln softmax([-1,0.5,0])[0] = 2.1041358...
        let by_hand =
            |row: &[f64], label: usize| row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[label];
        let expected = (by_hand(&[1.0, 2.0, 3.0], 2) + by_hand(&[-1.0, 0.5, 0.0], 0)) / 2.0;
        let loss = softmax_cross_entropy(&LOGITS, &LABELS, 2, 3).unwrap();
        assert!((f64::from(loss) - expected).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn huge_logits_stay_finite() {
        let loss = softmax_cross_entropy(&[1e30, -1e30, 0.0], &[0], 1, 3).unwrap();
        assert_eq!(loss, 0.0);
        let mut grad = [0.0; 3];
        softmax_cross_entropy_grad(&[3e38, 3e38, -3e38], &[0], 1, 3, &mut grad).unwrap();
        assert_eq!(grad, [-0.5, 0.5, 0.0]);
        assert_eq!(sigmoid_cross_entropy(&[-1e30, 1e30], &[0, 1], 2).unwrap(), 0.0);
        assert_eq!((sigmoid(-1e30), sigmoid(1e30), sigmoid(0.0)), (0.0, 1.0, 0.5));
    }

    #[test]
    fn gradients_are_slopes() {
        let mut grad = [0.0; 6];
        softmax_cross_entropy_grad(&LOGITS, &LABELS, 2, 3, &mut grad).unwrap();
        let h = 1e-2;
        for i in 0..6 {
            let at = |d: f32| {
                let mut z = LOGITS;
                z[i] += d;
                softmax_cross_entropy(&z, &LABELS, 2, 3).unwrap()
            };
            assert!(((at(h) - at(-h)) / (2.0 * h) - grad[i]).abs() < 1e-4);
        }
        let labels = [0, 1, 1, 0, 1, 0];
        sigmoid_cross_entropy_grad(&LOGITS, &labels, 6, &mut grad).unwrap();
        for i in 0..6 {
            let at = |d: f32| {
                let mut z = LOGITS;
                z[i] += d;
                sigmoid_cross_entropy(&z, &labels, 6).unwrap()
            };
            assert!(((at(h) - at(-h)) / (2.0 * h) - grad[i]).abs() < 1e-4);
        }
    }

    #[test]
    fn accuracies() {
        assert_eq!(argmax_accuracy(&LOGITS, &LABELS, 2, 3), Ok(0.5));
        assert_eq!(argmax_accuracy(&[1.0, 1.0], &[0], 1, 2), Ok(1.0));
        assert_eq!(sigmoid_accuracy(&[-1.0, 2.0, 3.0, 0.0], &[0, 1, 0, 0], 4), Ok(0.75));
        assert_eq!(argmax_accuracy(&[], &[], 0, 3), Ok(0.0));
    }

    #[test]
    fn labels_are_checked() {
        let outside = |index| LabelOutOfRange { index, classes: 3 };
        assert_eq!(softmax_cross_entropy(&LOGITS, &[0, 3], 2, 3), Err(outside(1)));
        assert_eq!(softmax_cross_entropy(&LOGITS, &[-1, 0], 2, 3), Err(outside(0)));
        assert_eq!(argmax_accuracy(&LOGITS, &[0, 7], 2, 3), Err(outside(1)));
        let mut grad = [9.0; 1];
        let binary = LabelOutOfRange { index: 0, classes: 2 };
        assert_eq!(sigmoid_cross_entropy_grad(&[1.0], &[2], 1, &mut grad), Err(binary));
        assert_eq!(grad, [9.0]);
        assert_eq!(binary.to_string(), "the label of example 0 is not in 0..2");
    }
}
