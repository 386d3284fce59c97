use super::*;
use crate::tensor::ring::Ring;
use crate::tensor::ring_matmul::Write;

fn samples(n: usize, seed: u32) -> Vec<f32> {
    let mut x = seed;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The definition: calls `visit(image index, filter index, output index)` for every product
/// that is summed into an output.
fn each_product(s: &ConvShape, mut visit: impl FnMut(usize, usize, usize)) {
    let pad = |extent: usize, filter: usize, out: usize| match s.padding {
        Padding::Valid => 0,
        Padding::Same => (((out - 1) * s.stride + filter).max(extent) - extent) / 2,
    };
    let (oh, ow) = (s.out_height(), s.out_width());
    let top = pad(s.height, s.filter_height, oh) as isize;
    let left = pad(s.width, s.filter_width, ow) as isize;
    for n in 0..s.batch {
        for oy in 0..oh {
            for ox in 0..ow {
                for ky in 0..s.filter_height {
                    for kx in 0..s.filter_width {
                        let y = (oy * s.stride + ky) as isize - top;
                        let x = (ox * s.stride + kx) as isize - left;
                        if !(0..s.height as isize).contains(&y)
                            || !(0..s.width as isize).contains(&x)
                        {
                            continue;
                        }
                        for i in 0..s.channels {
                            for o in 0..s.filters {
                                let pixel = (n * s.height + y as usize) * s.width + x as usize;
                                visit(
                                    pixel * s.channels + i,
                                    ((ky * s.filter_width + kx) * s.channels + i) * s.filters + o,
                                    ((n * oh + oy) * ow + ox) * s.filters + o,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

fn shapes() -> Vec<ConvShape> {
    let mut shapes = Vec::new();
    for padding in [Padding::Same, Padding::Valid] {
        for stride in [1, 2, 3] {
            for (filter_height, filter_width) in [(1, 1), (3, 3), (5, 4), (2, 3)] {
                for (height, width, channels) in [(7, 9, 3), (5, 5, 1), (28, 28, 1)] {
                    shapes.push(ConvShape {
                        batch: 3,
                        height,
                        width,
                        channels,
                        filter_height,
                        filter_width,
                        filters: 4,
                        stride,
                        padding,
                    });
                }
            }
        }
    }
    // A filter larger than its image, and a batch of several groups.
    shapes.push(ConvShape {
        height: 2,
        width: 2,
        filter_height: 5,
        filter_width: 5,
        padding: Padding::Same,
        ..shapes[0]
    });
    shapes.push(ConvShape { batch: 40, filter_height: 5, filter_width: 5, ..shapes[2] });
    shapes
}

fn close(found: &[f32], expected: &[f64], shape: &ConvShape) {
    for (x, y) in found.iter().zip(expected) {
        assert!((f64::from(*x) - y).abs() < 2e-3, "{shape:?}: {x} is not {y}");
    }
}

#[test]
fn agrees_with_the_definition() {
    for s in shapes() {
        let images = samples(s.images_len(), 1);
        let filters = samples(s.filters_len(), 2);
        let grad = samples(s.out_len(), 3);
        let mut forward = vec![0.0; s.out_len()];
        let mut by_filters = vec![0.0; s.filters_len()];
        let mut by_images = vec![0.0; s.images_len()];
        each_product(&s, |i, f, o| {
            forward[o] += f64::from(images[i]) * f64::from(filters[f]);
            by_filters[f] += f64::from(images[i]) * f64::from(grad[o]);
            by_images[i] += f64::from(filters[f]) * f64::from(grad[o]);
        });
        let mut out = vec![f32::NAN; s.out_len()];
        conv2d(&s, &images, &filters, &mut out);
        close(&out, &forward, &s);
        let mut out = vec![f32::NAN; s.filters_len()];
        conv2d_grad_filters(&s, &images, &grad, &mut out);
        close(&out, &by_filters, &s);
        let mut out = vec![f32::NAN; s.images_len()];
        conv2d_grad_images(&s, &filters, &grad, &mut out);
        close(&out, &by_images, &s);
    }
}

fn elements<R: Ring>(n: usize, seed: u128) -> Vec<R> {
    let mut x = seed;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53_9e37_79b9_7f4a_7c15).wrapping_add(1 << 77 | 5);
            R::from_bits(x ^ x >> 64)
        })
        .collect()
}

fn ring_agrees<R: Ring>() {
    for s in shapes() {
        let images = elements::<R>(s.images_len(), 1);
        let filters = elements::<R>(s.filters_len(), 2);
        let grad = elements::<R>(s.out_len(), 3);
        for write in [Write::Replace, Write::Add] {
            let old = |n| match write {
                Write::Replace => vec![R::default(); n],
                Write::Add => elements::<R>(n, 4),
            };
            let mut forward = old(s.out_len());
            let mut by_filters = old(s.filters_len());
            let mut by_images = old(s.images_len());
            let add = |sum: &mut R, x: R, y: R| *sum = sum.wrapping_add(x.wrapping_mul(y));
            each_product(&s, |i, f, o| {
                add(&mut forward[o], images[i], filters[f]);
                add(&mut by_filters[f], images[i], grad[o]);
                add(&mut by_images[i], filters[f], grad[o]);
            });
            let mut out = elements::<R>(s.out_len(), 4);
            ring::conv2d_ring(&s, &images, &filters, &mut out, write);
            assert!(out == forward, "{s:?}, {write:?}");
            let mut out = elements::<R>(s.filters_len(), 4);
            ring::conv2d_ring_grad_filters(&s, &images, &grad, &mut out, write);
            assert!(out == by_filters, "filters of {s:?}, {write:?}");
            let mut out = elements::<R>(s.images_len(), 4);
            ring::conv2d_ring_grad_images(&s, &filters, &grad, &mut out, write);
            assert!(out == by_images, "images of {s:?}, {write:?}");
        }
    }
}

#[test]
fn rings_agree_with_the_definition() {
    ring_agrees::<u64>();
    ring_agrees::<u128>();
}

#[test]
fn output_sizes_are_tensorflows() {
    let at = |padding, stride, width, filter_width| {
        let shape = ConvShape { padding, stride, width, filter_width, ..shapes()[0] };
        shape.out_width()
    };
    assert_eq!(at(Padding::Same, 1, 28, 5), 28);
    assert_eq!(at(Padding::Same, 2, 28, 5), 14);
    assert_eq!(at(Padding::Same, 3, 28, 5), 10);
    assert_eq!(at(Padding::Valid, 1, 28, 5), 24);
    assert_eq!(at(Padding::Valid, 2, 28, 5), 12);
    assert_eq!(at(Padding::Valid, 2, 4, 5), 0);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let s = *shapes().last().unwrap();
    assert!(s.split_point::<f32>(s.batch).is_some());
    let images = samples(s.images_len(), 1);
    let grad = samples(s.out_len(), 2);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut out = vec![0.0; s.filters_len()];
        pool.install(|| conv2d_grad_filters(&s, &images, &grad, &mut out));
        out.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(2));
    assert_eq!(run(1), run(3));
}
