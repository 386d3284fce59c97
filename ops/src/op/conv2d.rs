//! `conv2d(images, filters)`: two-dimensional convolution.

use sordino_graph::{
    AttributeKind, Backward, OpSpec, Role, Shape, Signature, Type, TypeError, Value, type_error,
};

use super::{conv2d_grad_filters, conv2d_grad_images};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::conv::{self, ConvShape, Padding};
use crate::value::Tensor;

/// `y[n, i, j, k] = Σ x[n, i·stride + a, j·stride + b, c] · w[a, b, c, k]` over a, b and c
/// of the padded images: convolution (cross-correlation, as every framework calls it) with the same stride along both
/// axes.
///
/// Shapes: `images` `[n,h,w,c]`, `filters` `[fh,fw,c,f]`, both plaintext floats or both secrets;
/// returns `[n,oh,ow,f]` of the same with `oh = ⌈h/stride⌉` for padding `Same`, `⌈(h−fh+1)/stride⌉`
/// for `Valid`.
///
/// Source: ONNX `Conv`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of the result |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | 1 unit | 2 | 30 |
/// | 128 | products below 2^62 | 1 unit | 2 | 60 |
#[track_caller]
pub fn conv2d<'r>(
    images: Value<'r>,
    filters: Value<'r>,
    stride: usize,
    padding: Padding,
) -> Value<'r> {
    let op = images.recording().op(&OP.spec).input(images).input(filters);
    op.attr("stride", stride).attr("same", padding == Padding::Same).build()
}

/// See [`conv2d()`]. `same` says whether padding is [`Padding::Same`].
pub static OP: Op = Op::new("conv2d", Role::Compute, infer, kernel)
    .attributes(&[("same", AttributeKind::Flag), ("stride", AttributeKind::Int)])
    .gradient(gradient);

/// The sizes of a convolution of `images` with `filters`, from their axes and the attributes.
pub(super) fn conv_shape(
    s: &Signature<'_>,
    images: [usize; 4],
    filters: [usize; 4],
) -> Result<ConvShape, TypeError> {
    let [batch, height, width, channels] = images;
    let [filter_height, filter_width, inner, filters] = filters;
    let stride = s.size("stride")?;
    let same = s.attributes.flag("same").unwrap_or_default();
    let padding = if same { Padding::Same } else { Padding::Valid };
    if inner != channels {
        return type_error!("has {channels} channels in its images and {inner} in its filters");
    }
    if stride == 0 || filter_height == 0 || filter_width == 0 {
        return type_error!(
            "takes a stride and filters of at least 1, not {stride} and {filter_height} by {filter_width}"
        );
    }
    if !same && (filter_height > height || filter_width > width) {
        return type_error!(
            "has filters of {filter_height} by {filter_width}, larger than its images of {height} by {width}"
        );
    }
    let conv = ConvShape {
        batch,
        height,
        width,
        channels,
        filter_height,
        filter_width,
        filters,
        stride,
        padding,
    };
    // What a filter sees of one image is a matrix that the kernel holds.
    let patches = [conv.out_height(), conv.out_width(), filter_height, filter_width, channels];
    Shape::new(&patches).map_err(|_| TypeError("has too large filters for its images".into()))?;
    Ok(conv)
}

/// Checks that two values are numbers of one kind, and returns the first.
fn expect_kind<'t>(x: &'t Type, y: &Type) -> Result<&'t Type, TypeError> {
    if (x.secrecy, x.element) == (y.secrecy, y.element) {
        x.expect_number()
    } else {
        type_error!("takes values of one kind, not {x} and {y}")
    }
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [images, filters] = s.inputs()?;
    let kind = expect_kind(images, filters)?;
    let conv = conv_shape(s, images.expect_rank()?, filters.expect_rank()?)?;
    let axes = [conv.batch, conv.out_height(), conv.out_width(), conv.filters];
    let shape = rules::shape(&axes)?;
    Ok(vec![kind.with_shape(shape)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let [images, filters] = b.inputs[..] else { return vec![] };
    let dy = b.gradient();
    vec![
        dy.map(|dy| gradient_by(b, &conv2d_grad_images::OP.spec, images, [filters, dy])),
        dy.map(|dy| gradient_by(b, &conv2d_grad_filters::OP.spec, filters, [images, dy])),
    ]
}

/// Records the gradient by `factor` of the convolution that `b` is about: by an op that takes the
/// other factor and the gradient by the output.
fn gradient_by<'r>(
    b: &Backward<'r>,
    op: &'static OpSpec,
    factor: Value<'r>,
    [other, dy]: [Value<'r>; 2],
) -> Value<'r> {
    let shape = factor.ty().map_or_else(Shape::scalar, |ty| ty.shape);
    let op = other.recording().op(op).input(other).input(dy).attr("shape", shape.axes());
    let op = op.attr("same", b.attributes.flag("same").unwrap_or_default());
    op.attr("stride", b.attributes.int("stride").unwrap_or(1)).build()
}

/// The type of such a gradient, of the convolution that `conv` makes of the axes of the other
/// factor and of those of the attribute `shape`.
pub(super) fn infer_gradient(
    s: &Signature<'_>,
    conv: impl Fn([usize; 4], [usize; 4]) -> Result<ConvShape, TypeError>,
) -> Result<Vec<Type>, TypeError> {
    let [other, dy] = s.inputs()?;
    let kind = expect_kind(other, dy)?;
    let shape = s.shape("shape")?;
    let Ok(axes) = shape.axes().try_into() else {
        return type_error!("takes a shape of four axes, not {shape}");
    };
    let conv = conv(other.expect_rank()?, axes)?;
    let output = [conv.batch, conv.out_height(), conv.out_width(), conv.filters];
    let dy = dy.expect_rank()?;
    if dy != output {
        return type_error!("takes a gradient of {output:?}, not {dy:?}");
    }
    Ok(vec![kind.with_shape(shape)])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [images, filters] = cx.inputs(inputs)?;
    let conv = cx.conv_shape(images.axes(), filters.axes())?;
    for_floats!(cx, &images, T => {
        let (images, filters) = (cx.items::<T>(&images)?, cx.items(&filters)?);
        Ok(cx.output(|out| conv::conv2d(&conv, images, filters, out)))
    })
}

impl Context<'_> {
    /// The sizes of the node's convolution.
    pub(super) fn conv_shape(
        &self,
        images: &[usize],
        filters: &[usize],
    ) -> Result<ConvShape, KernelError> {
        let (Ok(images), Ok(filters)) = (images.try_into(), filters.try_into()) else {
            return self.bug("got tensors that are not of four axes");
        };
        Ok(conv_shape(&self.signature(), images, filters)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_faults, check_gradients, fault, input};

    #[test]
    fn gradients_are_right() {
        use Padding::{Same, Valid};
        check_gradients(&[&[2, 5, 4, 2], &[3, 2, 2, 3]], |_, x| conv2d(x[0], x[1], 1, Valid));
        check_gradients(&[&[2, 5, 4, 2], &[3, 2, 2, 3]], |_, x| conv2d(x[0], x[1], 1, Same));
        check_gradients(&[&[1, 6, 7, 1], &[3, 3, 1, 2]], |_, x| conv2d(x[0], x[1], 2, Same));
        check_gradients(&[&[1, 6, 7, 1], &[3, 3, 1, 2]], |_, x| conv2d(x[0], x[1], 2, Valid));
        // A filter that is larger than the image, and one of a pixel.
        check_gradients(&[&[1, 2, 2, 1], &[5, 5, 1, 1]], |_, x| conv2d(x[0], x[1], 1, Same));
        check_gradients(&[&[1, 3, 3, 2], &[1, 1, 2, 2]], |_, x| conv2d(x[0], x[1], 3, Valid));
    }

    #[test]
    fn sizes_must_agree() {
        let faults = [
            fault(|g| {
                let x = input(g, "x", &[1, 4, 4, 3]);
                conv2d(x, input(g, "f", &[2, 2, 2, 5]), 1, Padding::Same);
            }),
            fault(|g| {
                let x = input(g, "x", &[1, 4, 4, 3]);
                conv2d(x, input(g, "f", &[2, 2, 3, 5]), 0, Padding::Same);
            }),
            fault(|g| {
                let x = input(g, "x", &[1, 4, 4, 3]);
                conv2d(x, input(g, "f", &[5, 2, 3, 5]), 1, Padding::Valid);
            }),
            fault(|g| {
                conv2d(input(g, "x", &[4, 4]), input(g, "f", &[4, 4]), 1, Padding::Valid);
            }),
        ];
        let expected = [
            "3 channels in its images and 2 in its filters",
            "a stride and filters of at least 1",
            "larger than its images",
            "takes a tensor of 4 axes",
        ];
        check_faults(faults, expected);
    }
}
