//! Convolutions and pooling, where secrets live between steps.

use sordino::prelude::*;

use super::{Array, Case, EXACT, Random, case, encodable, small, units, within};

pub fn cases() -> Vec<Case> {
    [convolutions(), pools()].into_iter().flatten().collect()
}

/// A convolution, element by element.
fn convolved(x: &Array, filters: &Array, stride: usize, padding: Padding) -> Array {
    let [n, h, w, c] = x.axes[..] else { panic!("images have four axes") };
    let [fh, fw, _, f] = filters.axes[..] else { panic!("filters have four axes") };
    let (size, before) = match padding {
        Padding::Same => {
            let size = [h.div_ceil(stride), w.div_ceil(stride)];
            let needed =
                |size: usize, f: usize, n: usize| ((size - 1) * stride + f).saturating_sub(n) / 2;
            (size, [needed(size[0], fh, h), needed(size[1], fw, w)])
        }
        _ => ([(h - fh + 1).div_ceil(stride), (w - fw + 1).div_ceil(stride)], [0, 0]),
    };
    Array::of(&[n, size[0], size[1], f], |i| {
        let mut sum = 0.0;
        for (row, column, channel) in (0..fh * fw * c).map(|j| (j / c / fw, j / c % fw, j % c)) {
            let place = |i: usize, offset: usize, before: usize, n: usize| {
                (i * stride + offset).checked_sub(before).filter(|&i| i < n)
            };
            let at = place(i[1], row, before[0], h).zip(place(i[2], column, before[1], w));
            if let Some((y, x_)) = at {
                sum += x.at(&[i[0], y, x_, channel]) * filters.at(&[row, column, channel, i[3]]);
            }
        }
        sum
    })
}

fn convolutions() -> Vec<Case> {
    let mut cases = Vec::new();
    let all = [
        ([1, 1, 1, 1], [1, 1, 1, 1], 1),
        ([2, 5, 4, 3], [3, 2, 3, 2], 1),
        ([1, 7, 5, 1], [2, 3, 1, 3], 2),
        ([0, 4, 4, 2], [3, 3, 2, 1], 1),
        ([3, 4, 4, 1], [4, 4, 1, 5], 3),
    ];
    let mut random = Random::of(40);
    let mut any = || {
        let [n, h, w, c] = images(&mut random);
        let filters = [random.among(1..h + 1), random.among(1..w + 1), c, random.among(1..4)];
        ([n, h, w, c], filters, random.among(1..4))
    };
    let random = [any(), any(), any()];
    for (images, filters, stride) in all.into_iter().chain(random) {
        for padding in [Padding::Same, Padding::Valid] {
            let inputs = vec![within(100.0, &images), small(&filters)];
            // One truncation of the sum, in the function and in both gradients.
            cases.push(
                case(
                    "conv2d",
                    inputs,
                    move |_, x| conv2d(x[0], x[1], stride, padding),
                    move |x| convolved(&x[0], &x[1], stride, padding),
                    units(1.0),
                )
                .note(format!("stride {stride}, {padding:?}"))
                .gradient(units(1.0)),
            );
        }
    }
    cases
}

/// Random images.
fn images(random: &mut Random) -> [usize; 4] {
    [random.among(0..3), random.among(1..8), random.among(1..8), random.among(1..4)]
}

/// Images, windows to pool, and random ones.
pub fn pooled(seed: u64) -> Vec<([usize; 4], usize)> {
    let mut random = Random::of(seed);
    let mut any = || {
        let axes = images(&mut random);
        (axes, random.among(1..axes[1].min(axes[2]) + 1))
    };
    let random = [any(), any()];
    let fixed = [([1, 2, 2, 1], 2), ([2, 5, 4, 3], 2), ([1, 3, 7, 2], 3), ([0, 2, 2, 1], 2)];
    fixed.into_iter().chain(random).collect()
}

fn pools() -> Vec<Case> {
    let mut cases = Vec::new();
    for (axes, window) in pooled(41) {
        let pixels = (window * window) as f64;
        let mean = move |x: &[Array]| {
            let axes = [axes[0], axes[1] / window, axes[2] / window, axes[3]];
            Array::of(&axes, |i| {
                let pixel = |j: usize| {
                    x[0].at(&[i[0], i[1] * window + j / window, i[2] * window + j % window, i[3]])
                };
                (0..window * window).map(pixel).sum::<f64>() / pixels
            })
        };
        // The factor is encoded: half a unit times the sum, and the truncation.
        cases.push(
            case(
                "average_pool",
                vec![small(&axes)],
                move |_, x| average_pool(x[0], window),
                mean,
                units(1.0 + 2.0 * pixels),
            )
            .gradient(units(2.0)),
        );
    }
    for axes in [&[][..], &[0], &[3, 5]] {
        cases.push(
            case("reveal", vec![encodable(axes)], |_, x| x[0], |x| x[0].clone(), EXACT)
                .note("share"),
        );
    }
    cases
}
