//! `max_pool(images)`: the maximum of each window.

use sordino_graph::{
    AttributeKind, Backward, Expanding, Role, Signature, Type, TypeError, Value, type_error,
};

use super::max_pool_grad::max_pool_grad;
use super::{pad_zeros, reshape, slice, transpose};
use crate::extremes::largest;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::pool::{self, PoolShape};
use crate::value::Tensor;

/// `y[n, i, j, c] = max x[n, i·window + a, j·window + b, c]` over a and b below `window`: the
/// maximum over windows of `window × window` pixels that do not overlap; what is left over at the
/// edges is dropped.
///
/// Of plaintext floats or of a secret. Shapes: `[n,h,w,c]` to `[n,⌊h/window⌋,⌊w/window⌋,c]`.
///
/// Source: ONNX `MaxPool`, with strides as long as windows; of secrets
/// [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element, for windows of 2 |
/// |---|---|---|---|---|
/// | 64 | all | exact | 14 | 58.9 |
/// | 128 | all | exact | 15 | 120.1 |
#[track_caller]
pub fn max_pool(images: Value<'_>, window: usize) -> Value<'_> {
    images.recording().op(&OP.spec).attr("window", window).input(images).build()
}

/// See [`max_pool()`].
pub static OP: Op = Op::new("max_pool", Role::Compute, infer, kernel)
    .attributes(&[("window", AttributeKind::Int)])
    .gradient(|b: &Backward<'_>| vec![b.gradient().map(|dy| max_pool_grad(b.inputs[0], dy, b))])
    .expand(|e| vec![largest(windows(e.inputs[0], size(e)))]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let pool = pool_shape(s)?;
    let axes = [pool.batch, pool.out_height(), pool.out_width(), pool.channels];
    let shape = rules::shape(&axes)?;
    Ok(vec![s.inputs[0].with_shape(shape)])
}

/// The sizes of a pooling of the first input.
pub(super) fn pool_shape(s: &Signature<'_>) -> Result<PoolShape, TypeError> {
    let Some(images) = s.inputs.first() else { return type_error!("takes images") };
    let [batch, height, width, channels] = rules::number(images)?.expect_rank()?;
    let window = s.size("window")?;
    if window == 0 || window > height || window > width {
        let most = height.min(width);
        return type_error!("takes windows of 1 to {most} pixels of {images}, not {window}");
    }
    Ok(PoolShape { batch, height, width, channels, size: window })
}

/// Rows and columns of a window.
pub(super) fn size(e: &Expanding<'_, '_>) -> usize {
    e.attributes().int("window").and_then(|size| usize::try_from(size).ok()).unwrap_or(1)
}

/// The pixels of each window along a first axis, in reading order: `[n,h,w,c]` to
/// `[size²,n,⌊h/size⌋,⌊w/size⌋,c]`.
pub(super) fn windows(images: Value<'_>, size: usize) -> Value<'_> {
    let Some(axes) = images.ty().map(|ty| ty.shape.axes().to_vec()) else { return images };
    let (n, h, w, c) = (axes[0], axes[1] / size, axes[2] / size, axes[3]);
    let end = [n, h * size, w * size, c].map(|end| end as i64);
    let whole = slice(images, &[0; 4], &end, &[1; 4]);
    let pixels = transpose(reshape(whole, &[n, h, size, w, size, c]), &[2, 4, 0, 1, 3, 5]);
    reshape(pixels, &[size * size, n, h, w, c])
}

/// The inverse of [`windows`], with zeros for what is left over at the edges of `[n,h,w,c]`.
pub(super) fn images<'r>(windows: Value<'r>, size: usize, axes: &[usize]) -> Value<'r> {
    let (n, h, w, c) = (axes[0], axes[1] / size, axes[2] / size, axes[3]);
    let pixels = reshape(windows, &[size, size, n, h, w, c]);
    let whole = reshape(transpose(pixels, &[2, 3, 0, 4, 1, 5]), &[n, h * size, w * size, c]);
    pad_zeros(whole, &[0; 4], &[0, axes[1] - h * size, axes[2] - w * size, 0])
}

impl Context<'_> {
    /// The sizes of the node's pooling of `images`.
    pub(super) fn pool_shape(&self, images: &Tensor) -> Result<PoolShape, KernelError> {
        let &[batch, height, width, channels] = images.axes() else {
            return self.bug("got images that are not of four axes");
        };
        Ok(PoolShape { batch, height, width, channels, size: self.size("window")? })
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [images] = cx.inputs(inputs)?;
    let pool = cx.pool_shape(&images)?;
    for_floats!(cx, &images, T => {
        let images = cx.items::<T>(&images)?;
        Ok(cx.output(|out| pool::max_pool(&pool, images, out)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, check_plaintext, fault, input};

    #[test]
    fn takes_any_floats() {
        let images = (&[1, 2, 2, 1][..], &[-4, 1, 3, -2][..]);
        let expected = (&[1, 1, 1, 1][..], &[3][..]);
        check_plaintext(&[images], expected, |_, x| max_pool(x[0], 2));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 4, 4, 3]], |_, x| max_pool(x[0], 2));
        // What is left over at the edges has none.
        check_gradients(&[&[1, 5, 7, 2]], |_, x| max_pool(x[0], 3));
    }

    #[test]
    fn windows_fit_the_images() {
        for fault in [
            fault(|g| {
                max_pool(input(g, "x", &[1, 4, 3, 1]), 4);
            }),
            fault(|g| {
                max_pool(input(g, "x", &[1, 4, 3, 1]), 0);
            }),
        ] {
            assert!(fault.contains("takes windows of 1 to 3 pixels of f32"), "{fault}");
        }
    }
}
