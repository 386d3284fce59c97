//! The [convolution](super) of ring elements and its gradients, for shares.
//!
//! They are linear in both factors, so sums of them over shares are those of the secrets. Results
//! are exact modulo 2^WIDTH.

use super::ConvShape;
use super::patches::{gather_patches, scatter_patches};
use crate::tensor::matmul::MatmulShape;
use crate::tensor::ring::{Ring, add_assign};
use crate::tensor::ring_matmul::{Write, matmul_ring_here};
use crate::tensor::scratch::with_scratch;
use rayon::join;

/// The images convolved with the filters, to `out`.
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_ring<R: Ring>(
    shape: &ConvShape,
    images: &[R],
    filters: &[R],
    out: &mut [R],
    write: Write,
) {
    assert_eq!(images.len(), shape.images_len(), "conv2d_ring: images");
    assert_eq!(filters.len(), shape.filters_len(), "conv2d_ring: filters");
    assert_eq!(out.len(), shape.out_len(), "conv2d_ring: out");
    forward(shape, shape.batch, images, filters, out, write);
}

/// The gradient by the filters, given that by the output, to `out` (as the filters).
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_ring_grad_filters<R: Ring>(
    shape: &ConvShape,
    images: &[R],
    grad_out: &[R],
    out: &mut [R],
    write: Write,
) {
    assert_eq!(images.len(), shape.images_len(), "conv2d_ring_grad_filters: images");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_ring_grad_filters: grad_out");
    assert_eq!(out.len(), shape.filters_len(), "conv2d_ring_grad_filters: out");
    grad_filters(shape, shape.batch, images, grad_out, out, write);
}

/// The gradient by the images, given that by the output, to `out` (as the images).
///
/// # Panics
/// If a slice's length is not what the shape says.
pub fn conv2d_ring_grad_images<R: Ring>(
    shape: &ConvShape,
    filters: &[R],
    grad_out: &[R],
    out: &mut [R],
    write: Write,
) {
    assert_eq!(filters.len(), shape.filters_len(), "conv2d_ring_grad_images: filters");
    assert_eq!(grad_out.len(), shape.out_len(), "conv2d_ring_grad_images: grad_out");
    assert_eq!(out.len(), shape.images_len(), "conv2d_ring_grad_images: out");
    grad_images(shape, shape.batch, filters, grad_out, out, write);
}

fn forward<R: Ring>(
    shape: &ConvShape,
    batch: usize,
    images: &[R],
    filters: &[R],
    out: &mut [R],
    write: Write,
) {
    if let Some(half) = shape.split_point::<R>(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (out_0, out_1) = out.split_at_mut(half * shape.out_pixels() * shape.filters);
        join(
            || forward(shape, half, images_0, filters, out_0, write),
            || forward(shape, batch - half, images_1, filters, out_1, write),
        );
        return;
    }
    let product = shape.product(batch);
    with_scratch(product.m * product.k, |patches: &mut [R]| {
        gather_patches(shape, images, patches);
        matmul_ring_here(product, patches, filters, out, write);
    });
}

fn grad_filters<R: Ring>(
    shape: &ConvShape,
    batch: usize,
    images: &[R],
    grad_out: &[R],
    out: &mut [R],
    write: Write,
) {
    if let Some(half) = shape.split_point::<R>(batch) {
        let (images_0, images_1) = images.split_at(half * shape.image_len());
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        with_scratch(out.len(), |other: &mut [R]| {
            join(
                || grad_filters(shape, half, images_0, grad_0, out, write),
                || grad_filters(shape, batch - half, images_1, grad_1, other, Write::Replace),
            );
            add_assign(out, other);
        });
        return;
    }
    let MatmulShape { m: pixels, k: patch, n: filters, .. } = shape.product(batch);
    let product = MatmulShape {
        transpose_a: !shape.transposed(),
        ..MatmulShape::new(patch, pixels, filters)
    };
    with_scratch(pixels * patch, |patches: &mut [R]| {
        gather_patches(shape, images, patches);
        matmul_ring_here(product, patches, grad_out, out, write);
    });
}

fn grad_images<R: Ring>(
    shape: &ConvShape,
    batch: usize,
    filters: &[R],
    grad_out: &[R],
    out: &mut [R],
    write: Write,
) {
    if let Some(half) = shape.split_point::<R>(batch) {
        let (grad_0, grad_1) = grad_out.split_at(half * shape.out_pixels() * shape.filters);
        let (out_0, out_1) = out.split_at_mut(half * shape.image_len());
        join(
            || grad_images(shape, half, filters, grad_0, out_0, write),
            || grad_images(shape, batch - half, filters, grad_1, out_1, write),
        );
        return;
    }
    let MatmulShape { m: pixels, k: patch, n: filter_count, .. } = shape.product(batch);
    with_scratch(pixels * patch, |patches: &mut [R]| {
        if shape.transposed() {
            // patches^T = filters * grad_out^T
            let product = MatmulShape::new(patch, filter_count, pixels);
            let product = MatmulShape { transpose_b: true, ..product };
            matmul_ring_here(product, filters, grad_out, patches, Write::Replace);
        } else {
            // patches = grad_out * filters^T
            let product = MatmulShape::new(pixels, filter_count, patch);
            let product = MatmulShape { transpose_b: true, ..product };
            matmul_ring_here(product, grad_out, filters, patches, Write::Replace);
        }
        if write == Write::Replace {
            out.fill(R::default());
        }
        scatter_patches(shape, patches, out, R::wrapping_add);
    });
}
