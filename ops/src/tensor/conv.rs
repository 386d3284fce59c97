//! Two-dimensional convolution (cross-correlation, as every framework calls it) of NHWC images
//! with HWIO filters, and its two gradients; of floats here, of ring elements in [`ring`].
//!
//! All three are matrix products on *patches*: the matrix that holds, for each output pixel, the
//! input pixels under the filter (im2col). Images are taken a few at a time, so that the patches
//! stay in the second cache; scratch memory is about [`SCRATCH`] bytes a thread, whatever the
//! batch, and for the filters' gradient a copy of it for each halving of the batch. The groups of
//! images are the unit that idle cores take over. They depend on the shape alone, as does the order in which their gradients are added: results are the same, bit for bit,
//! on any number of threads.

mod patches;
pub mod ring;

use super::matmul::MatmulShape;
use super::number::Float;
use patches::{gather_patches, scatter_patches};
use rayon::join;

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

    /// Images of `T` whose patches are made at a time.
    fn group<T>(&self) -> usize {
        let elements = (self.out_pixels() * self.patch_len()).max(1);
        (SCRATCH / (elements * size_of::<T>())).max(1)
    }

    /// How many images of `batch` the first half has, at a boundary of groups; none for one group.
    fn split_point<T>(&self, batch: usize) -> Option<usize> {
        let groups = batch.div_ceil(self.group::<T>());
        (groups > 1).then(|| groups / 2 * self.group::<T>())
    }

    /// Whether the patches are stored transposed, a row per element of a filter. A row of a filter
    /// over few channels is a handful of numbers, too short to copy fast; a row of output pixels is
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

/// Bytes of patches made at a time (at least those of one image): half a second cache.
pub const SCRATCH: usize = 512 * 1024;

/// `out` = the images convolved with the filters.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d<T: Float>(shape: &ConvShape, images: &[T], filters: &[T], out: &mut [T]) {
    assert_eq!(images.len(), shape.images_len(), "conv2d: images");
    assert_eq!(filters.len(), shape.filters_len(), "conv2d: filters");
    assert_eq!(out.len(), shape.out_len(), "conv2d: out");
    forward(shape, shape.batch, images, filters, out);
}

/// `out` (as the filters) = the gradient by the filters, given that by the output.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_grad_filters<T: Float>(
    shape: &ConvShape,
    images: &[T],
    grad_out: &[T],
    out: &mut [T],
) {
    assert_eq!(images.len(), shape.images_len(), "conv2d_grad_filters: images");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_grad_filters: grad_out");
    assert_eq!(out.len(), shape.filters_len(), "conv2d_grad_filters: out");
    grad_filters(shape, shape.batch, images, grad_out, out);
}

/// `out` (as the images) = the gradient by the images, given that by the output.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_grad_images<T: Float>(
    shape: &ConvShape,
    filters: &[T],
    grad_out: &[T],
    out: &mut [T],
) {
    assert_eq!(filters.len(), shape.filters_len(), "conv2d_grad_images: filters");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_grad_images: grad_out");
    assert_eq!(out.len(), shape.images_len(), "conv2d_grad_images: out");
    grad_images(shape, shape.batch, filters, grad_out, out);
}

fn forward<T: Float>(shape: &ConvShape, batch: usize, images: &[T], filters: &[T], out: &mut [T]) {
    if let Some(half) = shape.split_point::<T>(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (out_0, out_1) = out.split_at_mut(half * shape.out_pixels() * shape.filters);
        join(
            || forward(shape, half, images_0, filters, out_0),
            || forward(shape, batch - half, images_1, filters, out_1),
        );
        return;
    }
    let product = shape.product(batch);
    T::with_scratch(product.m * product.k, |patches| {
        gather_patches(shape, images, patches);
        T::matmul_here(product, patches, filters, out);
    });
}

fn grad_filters<T: Float>(
    shape: &ConvShape,
    batch: usize,
    images: &[T],
    grad_out: &[T],
    out: &mut [T],
) {
    if let Some(half) = shape.split_point::<T>(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        let mut other = vec![T::default(); out.len()];
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
    T::with_scratch(pixels * patch, |patches| {
        gather_patches(shape, images, patches);
        T::matmul_here(product, patches, grad_out, out);
    });
}

fn grad_images<T: Float>(
    shape: &ConvShape,
    batch: usize,
    filters: &[T],
    grad_out: &[T],
    out: &mut [T],
) {
    if let Some(half) = shape.split_point::<T>(batch) {
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        let (out_0, out_1) = out.split_at_mut(half * shape.image_len());
        join(
            || grad_images(shape, half, filters, grad_0, out_0),
            || grad_images(shape, batch - half, filters, grad_1, out_1),
        );
        return;
    }
    let MatmulShape { m: pixels, k: patch, n: filter_count, .. } = shape.product(batch);
    T::with_scratch(pixels * patch, |patches| {
        if shape.transposed() {
            // patches^T = filters * grad_out^T
            let product = MatmulShape::new(patch, filter_count, pixels);
            let product = MatmulShape { transpose_b: true, ..product };
            T::matmul_here(product, filters, grad_out, patches);
        } else {
            // patches = grad_out * filters^T
            let product = MatmulShape::new(pixels, filter_count, patch);
            let product = MatmulShape { transpose_b: true, ..product };
            T::matmul_here(product, grad_out, filters, patches);
        }
        out.fill(T::default());
        scatter_patches(shape, patches, out, |pixel, x| pixel + x);
    });
}

#[cfg(test)]
mod tests;
