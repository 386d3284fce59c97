//! From images to patches and back.
//!
//! Patches are a matrix of output pixels by elements of a filter. Both layouts of it are made of
//! *runs* that are contiguous in the patches and evenly spaced in the images.

use super::ConvShape;
use std::ops::Range;

/// im2col: the input under the filter at every output pixel, zeros outside the images.
///
/// `patches` has a row per output pixel, in the order of the filter's elements, or, if the shape is
/// [`transposed`](ConvShape::transposed), its transpose.
pub(super) fn gather_patches<T: Copy + Default>(
    shape: &ConvShape,
    images: &[T],
    patches: &mut [T],
) {
    each_run(shape, images.len(), |run| {
        let row = &mut patches[run.patch..][..run.len];
        let (before, rest) = row.split_at_mut(run.inside.start);
        let (inside, after) = rest.split_at_mut(run.inside.len());
        before.fill(T::default());
        after.fill(T::default());
        if run.step == 1 {
            inside.copy_from_slice(&images[run.image..][..inside.len()]);
        } else if let Some(last) = inside.len().checked_sub(1) {
            let pixels = &images[run.image..=run.image + last * run.step];
            for (inside, &pixel) in inside.iter_mut().zip(pixels.iter().step_by(run.step)) {
                *inside = pixel;
            }
        }
    });
}

/// col2im, the transpose of [`gather_patches`]: to each pixel, its places in the patches are added.
pub(super) fn scatter_patches<T: Copy>(
    shape: &ConvShape,
    patches: &[T],
    images: &mut [T],
    add: impl Fn(T, T) -> T,
) {
    each_run(shape, images.len(), |run| {
        let inside = &patches[run.patch..][run.inside];
        if run.step == 1 {
            let pixels = &mut images[run.image..][..inside.len()];
            for (pixel, &x) in pixels.iter_mut().zip(inside) {
                *pixel = add(*pixel, x);
            }
        } else if let Some(last) = inside.len().checked_sub(1) {
            let pixels = &mut images[run.image..=run.image + last * run.step];
            for (pixel, &x) in pixels.iter_mut().step_by(run.step).zip(inside) {
                *pixel = add(*pixel, x);
            }
        }
    });
}

struct Run {
    /// Where it starts in the patches.
    patch: usize,
    /// Its length there.
    len: usize,
    /// The part of it that is inside the image; empty if none is.
    inside: Range<usize>,
    /// Where that part starts in the images; 0 if it is empty.
    image: usize,
    /// From one element of it to the next, in the images.
    step: usize,
}

fn each_run(shape: &ConvShape, images_len: usize, visit: impl FnMut(Run)) {
    let images = images_len.checked_div(shape.image_len()).unwrap_or(0);
    if shape.transposed() {
        runs_of_pixels(shape, images, visit);
    } else {
        runs_of_elements(shape, images, visit);
    }
}

/// One row of a filter at one output pixel.
fn runs_of_elements(shape: &ConvShape, images: usize, mut visit: impl FnMut(Run)) {
    let c = shape.channels;
    let len = shape.filter_width * c;
    let top = shape.zeros_before(shape.height, shape.filter_height);
    let left = shape.zeros_before(shape.width, shape.filter_width);
    let mut patch = 0;
    for image in 0..images {
        for y in 0..shape.out_height() {
            for x in 0..shape.out_width() {
                // The filter covers columns `x * stride - left ..` of the image.
                let start = (x * shape.stride).saturating_sub(left).min(shape.width);
                let skipped = left.saturating_sub(x * shape.stride).min(shape.filter_width);
                let columns = (shape.filter_width - skipped).min(shape.width - start);
                let inside = skipped * c..(skipped + columns) * c;
                for filter_row in 0..shape.filter_height {
                    let row = (y * shape.stride + filter_row).wrapping_sub(top);
                    let run = if row < shape.height && columns > 0 {
                        let image = ((image * shape.height + row) * shape.width + start) * c;
                        Run { patch, len, inside: inside.clone(), image, step: 1 }
                    } else {
                        Run { patch, len, inside: 0..0, image: 0, step: 1 }
                    };
                    visit(run);
                    patch += len;
                }
            }
        }
    }
}

/// One element of a filter at one row of output pixels.
fn runs_of_pixels(shape: &ConvShape, images: usize, mut visit: impl FnMut(Run)) {
    let (c, stride, len) = (shape.channels, shape.stride, shape.out_width());
    let top = shape.zeros_before(shape.height, shape.filter_height);
    let left = shape.zeros_before(shape.width, shape.filter_width);
    let mut patch = 0;
    for filter_row in 0..shape.filter_height {
        for filter_column in 0..shape.filter_width {
            // Output column `x` reads column `x * stride + filter_column - left` of the image.
            let first = left.saturating_sub(filter_column).div_ceil(stride).min(len);
            let end = (shape.width + left).saturating_sub(filter_column).div_ceil(stride).min(len);
            let inside = first..end.max(first);
            for channel in 0..c {
                for image in 0..images {
                    for y in 0..shape.out_height() {
                        let row = (y * stride + filter_row).wrapping_sub(top);
                        let run = if row < shape.height && !inside.is_empty() {
                            let column = first * stride + filter_column - left;
                            let pixel = (image * shape.height + row) * shape.width + column;
                            let image = pixel * c + channel;
                            Run { patch, len, inside: inside.clone(), image, step: stride * c }
                        } else {
                            Run { patch, len, inside: 0..0, image: 0, step: 1 }
                        };
                        visit(run);
                        patch += len;
                    }
                }
            }
        }
    }
}
