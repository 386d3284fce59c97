//! Two-dimensional convolution (cross-correlation, as every framework calls it) of NHWC images
//! with HWIO filters, and its two gradients.
//!
//! All three are matrix products on *patches*: the matrix that holds, for each output pixel, the
//! input pixels under the filter (im2col). Images are taken a few at a time, so that the patches
//! stay in the second cache; scratch memory is about [`SCRATCH`] floats a thread, whatever the
//! batch. The groups of images are the unit that idle cores take over. They depend on the shape
//! alone, as does the order in which their gradients are added: results are the same, bit for bit,
//! on any number of threads.

mod patches;

use super::matmul::{MatmulShape, matmul_f32_here};
use patches::{gather_patches, scatter_patches};
use rayon::join;
use std::cell::Cell;

/// What surrounds an image, in TensorFlow's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Zeros, so many that `out = ceil(in / stride)`; an odd one goes to the right and below.
    Same,
    /// Nothing: the filter stays inside, `out = ceil((in - filter + 1) / stride)`.
    Valid,
}

/// Sizes of a convolution.
///
/// `images` is `[batch, height, width, channels]`, `filters` `[filter_height, filter_width,
/// channels, filters]`, the output `[batch, out_height(), out_width(), filters]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Images.
    pub batch: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels of an image.
    pub channels: usize,
    /// Rows of a filter.
    pub filter_height: usize,
    /// Columns of a filter.
    pub filter_width: usize,
    /// Filters, which are the channels of the output.
    pub filters: usize,
    /// Pixels from one position of the filter to the next, in both directions; at least 1.
    pub stride: usize,
    /// What surrounds an image.
    pub padding: Padding,
}

impl ConvShape {
    /// Rows of an output image.
    pub fn out_height(&self) -> usize {
        self.out_extent(self.height, self.filter_height)
    }

    /// Columns of an output image.
    pub fn out_width(&self) -> usize {
        self.out_extent(self.width, self.filter_width)
    }

    /// Elements of the images.
    pub fn images_len(&self) -> usize {
        self.batch * self.image_len()
    }

    /// Elements of the filters.
    pub fn filters_len(&self) -> usize {
        self.patch_len() * self.filters
    }

    /// Elements of the output.
    pub fn out_len(&self) -> usize {
        self.batch * self.out_pixels() * self.filters
    }

    fn out_extent(&self, extent: usize, filter: usize) -> usize {
        match self.padding {
            Padding::Same => extent.div_ceil(self.stride),
            Padding::Valid => (extent + 1).saturating_sub(filter).div_ceil(self.stride),
        }
    }

    /// Zeros above (or left of) an image: half of what the last position of the filter needs.
    fn zeros_before(&self, extent: usize, filter: usize) -> usize {
        match self.padding {
            Padding::Valid => 0,
            Padding::Same => {
                let last = self.out_extent(extent, filter).saturating_sub(1) * self.stride;
                (last + filter).saturating_sub(extent) / 2
            }
        }
    }

    fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn out_pixels(&self) -> usize {
        self.out_height() * self.out_width()
    }

    fn patch_len(&self) -> usize {
        self.filter_height * self.filter_width * self.channels
    }

    /// Images whose patches are made at a time.
    fn group(&self) -> usize {
        (SCRATCH / (self.out_pixels() * self.patch_len()).max(1)).max(1)
    }

    /// How many images of `batch` the first half has, at a boundary of groups; none for one group.
    fn split_point(&self, batch: usize) -> Option<usize> {
        let groups = batch.div_ceil(self.group());
        (groups > 1).then(|| groups / 2 * self.group())
    }

    /// Whether the patches are stored transposed, a row per element of a filter. A row of a filter
    /// over few channels is a handful of floats, too short to copy fast; a row of output pixels is
    /// long.
    fn transposed(&self) -> bool {
        self.filter_width * self.channels < self.out_width()
    }

    /// `patches * filters = output`, with a row per pixel of `images` images.
    fn product(&self, images: usize) -> MatmulShape {
        MatmulShape {
            transpose_a: self.transposed(),
            ..MatmulShape::new(images * self.out_pixels(), self.patch_len(), self.filters)
        }
    }
}

/// Floats of patches made at a time (at least those of one image): 512 KiB, half a second cache.
pub const SCRATCH: usize = 128 * 1024;

/// `out` = the images convolved with the filters.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d(shape: &ConvShape, images: &[f32], filters: &[f32], out: &mut [f32]) {
    assert_eq!(images.len(), shape.images_len(), "conv2d: images");
    assert_eq!(filters.len(), shape.filters_len(), "conv2d: filters");
    assert_eq!(out.len(), shape.out_len(), "conv2d: out");
    forward(shape, shape.batch, images, filters, out);
}

/// `out` (as the filters) = the gradient by the filters, given that by the output.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_grad_filters(shape: &ConvShape, images: &[f32], grad_out: &[f32], out: &mut [f32]) {
    assert_eq!(images.len(), shape.images_len(), "conv2d_grad_filters: images");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_grad_filters: grad_out");
    assert_eq!(out.len(), shape.filters_len(), "conv2d_grad_filters: out");
    grad_filters(shape, shape.batch, images, grad_out, out);
}

/// `out` (as the images) = the gradient by the images, given that by the output.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_grad_images(shape: &ConvShape, filters: &[f32], grad_out: &[f32], out: &mut [f32]) {
    assert_eq!(filters.len(), shape.filters_len(), "conv2d_grad_images: filters");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_grad_images: grad_out");
    assert_eq!(out.len(), shape.images_len(), "conv2d_grad_images: out");
    grad_images(shape, shape.batch, filters, grad_out, out);
}

fn forward(shape: &ConvShape, batch: usize, images: &[f32], filters: &[f32], out: &mut [f32]) {
    if let Some(half) = shape.split_point(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (out_0, out_1) = out.split_at_mut(half * shape.out_pixels() * shape.filters);
        join(
            || forward(shape, half, images_0, filters, out_0),
            || forward(shape, batch - half, images_1, filters, out_1),
        );
        return;
    }
    let product = shape.product(batch);
    with_scratch(product.m * product.k, |patches| {
        gather_patches(shape, images, patches);
        matmul_f32_here(product, patches, filters, out);
    });
}

fn grad_filters(
    shape: &ConvShape,
    batch: usize,
    images: &[f32],
    grad_out: &[f32],
    out: &mut [f32],
) {
    if let Some(half) = shape.split_point(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        let mut other = vec![0.0; out.len()];
        join(
            || grad_filters(shape, half, images_0, grad_0, out),
            || grad_filters(shape, batch - half, images_1, grad_1, &mut other),
        );
        for (out, other) in out.iter_mut().zip(other) {
            *out += other;
        }
        return;
    }
    let MatmulShape { m: pixels, k: patch, n: filters, .. } = shape.product(batch);
    let product = MatmulShape {
        transpose_a: !shape.transposed(),
        ..MatmulShape::new(patch, pixels, filters)
    };
    with_scratch(pixels * patch, |patches| {
        gather_patches(shape, images, patches);
        matmul_f32_here(product, patches, grad_out, out);
    });
}

fn grad_images(
    shape: &ConvShape,
    batch: usize,
    filters: &[f32],
    grad_out: &[f32],
    out: &mut [f32],
) {
    if let Some(half) = shape.split_point(batch) {
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        let (out_0, out_1) = out.split_at_mut(half * shape.image_len());
        join(
            || grad_images(shape, half, filters, grad_0, out_0),
            || grad_images(shape, batch - half, filters, grad_1, out_1),
        );
        return;
    }
    let MatmulShape { m: pixels, k: patch, n: filter_count, .. } = shape.product(batch);
    with_scratch(pixels * patch, |patches| {
        if shape.transposed() {
            // patches^T = filters * grad_out^T
            let product = MatmulShape::new(patch, filter_count, pixels);
            let product = MatmulShape { transpose_b: true, ..product };
            matmul_f32_here(product, filters, grad_out, patches);
        } else {
            // patches = grad_out * filters^T
            let product = MatmulShape::new(pixels, filter_count, patch);
            let product = MatmulShape { transpose_b: true, ..product };
            matmul_f32_here(product, grad_out, filters, patches);
        }
        scatter_patches(shape, patches, out);
    });
}

/// Lends scratch memory, its content arbitrary, that the thread keeps for the next time.
fn with_scratch(len: usize, work: impl FnOnce(&mut [f32])) {
    thread_local!(static KEPT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) });
    let mut scratch = KEPT.take();
    if scratch.len() < len {
        scratch = vec![0.0; len];
    }
    work(&mut scratch[..len]);
    KEPT.set(scratch);
}

#[cfg(test)]
mod tests {
    use super::*;

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
                                        ((ky * s.filter_width + kx) * s.channels + i) * s.filters
                                            + o,
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
        assert!(s.split_point(s.batch).is_some());
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
}
