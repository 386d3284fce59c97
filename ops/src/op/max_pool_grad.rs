//! `max_pool_grad(images, dy)`: the gradient of `max_pool`.

use sordino_graph::{
    AttributeKind, Backward, Expanding, Role, Signature, Type, TypeError, Value, type_error,
};

use super::max_pool::{self, pool_shape};
use super::{broadcast, mul_bit};
use crate::extremes::one_hot;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::pool;
use crate::value::Tensor;

/// Records the gradient of the pooling that `b` is about.
#[track_caller]
pub(crate) fn max_pool_grad<'r>(images: Value<'r>, dy: Value<'r>, b: &Backward<'r>) -> Value<'r> {
    let op = images.recording().op(&OP.spec).input(images).input(dy);
    op.attr("window", b.attributes.int("window").unwrap_or(1)).build()
}

/// The gradient of [`max_pool`](super::max_pool()): each `dy` goes to the first maximum of its
/// window.
pub static OP: Op = Op::new("max_pool_grad", Role::Compute, infer, kernel)
    .attributes(&[("window", AttributeKind::Int)])
    .expand(expand);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [images, dy] = s.inputs()?;
    let pool = pool_shape(s)?;
    let output = [pool.batch, pool.out_height(), pool.out_width(), pool.channels];
    if *dy == images.with_shape(dy.shape.clone()) && dy.shape.axes() == output {
        Ok(vec![images.clone()])
    } else {
        type_error!("takes a gradient of {output:?}, not {dy}")
    }
}

/// `dy` goes where the pixel is the first largest of its window: the comparisons are those of
/// [`max_pool`](super::max_pool()), and made once for both.
fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let (size, axes) = (max_pool::size(e), e.ty().shape.axes());
    let first = one_hot(max_pool::windows(e.inputs[0], size));
    let windows = [size * size, axes[0], axes[1] / size, axes[2] / size, axes[3]];
    let dy = mul_bit(first, broadcast(e.inputs[1], &windows));
    vec![max_pool::images(dy, size, axes)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [images, dy] = cx.inputs(inputs)?;
    let pool = cx.pool_shape(&images)?;
    for_floats!(cx, &images, T => {
        let (images, dy) = (cx.items::<T>(&images)?, cx.items(&dy)?);
        Ok(cx.output(|out| pool::max_pool_grad(&pool, images, dy, out)))
    })
}
