//! `average_pool(images, window)`: means over windows.

use sordino_graph::{
    AttributeKind, Backward, Expanding, Role, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::op;
use crate::rules;
use crate::value::Tensor;

/// `y[n, i, j, c] = Σ x[n, i·window + a, j·window + b, c] / window²` over a and b below `window`:
/// the mean over each square of `window` by `window` pixels; what is left over at the right and
/// below is dropped.
///
/// Shapes: `images` `[n,h,w,c]`, floats or secrets; returns `[n, h / window, w / window, c]`.
///
/// Source: ONNX `AveragePool`, with strides as long as windows; of secrets
/// [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element, for windows of 2 |
/// |---|---|---|---|---|
/// | 64 | results below 2^29 | 1 unit, and half of one times the sum | 2 | 2.188 |
/// | 128 | results below 2^61 | 1 unit, and half of one times the sum | 2 | 4.188 |
#[track_caller]
pub fn average_pool(images: Value<'_>, window: usize) -> Value<'_> {
    images.recording().op(&OP.spec).attr("window", window).input(images).build()
}

/// See [`average_pool()`].
pub static OP: Op = Op::new("average_pool", Role::Compute, infer, kernel)
    .attributes(&[("window", AttributeKind::Int)])
    .gradient(gradient)
    .expand(expand);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [images] = s.inputs()?;
    let [n, h, w, c] = images.expect_number()?.expect_rank()?;
    let window = s.size("window")?;
    if window == 0 || window > h || window > w {
        return type_error!("takes windows of 1 to {} pixels of {images}, not {window}", h.min(w));
    }
    Ok(vec![images.with_shape(rules::shape(&[n, h / window, w / window, c])?)])
}

/// Every pixel of a window gets the same part of the window's gradient.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let (Some(dy), Some(ty)) = (b.gradient(), b.inputs[0].ty()) else { return vec![None] };
    let &[n, h, w, c] = ty.shape.axes() else { return vec![None] };
    let window = b.attributes.int("window").and_then(|x| usize::try_from(x).ok()).unwrap_or(1);
    let (rows, columns) = (h / window, w / window);
    let part = op::scale(dy, 1.0 / (window * window) as f64);
    let part = op::reshape(part, &[n, rows, 1, columns, 1, c]);
    let spread = op::broadcast(part, &[n, rows, window, columns, window, c]);
    let spread = op::reshape(spread, &[n, rows * window, columns * window, c]);
    let missing = [0, h - rows * window, w - columns * window, 0];
    vec![Some(op::pad_zeros(spread, &[0; 4], &missing))]
}

fn expand<'r>(node: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let images = node.inputs[0];
    let &[n, rows, columns, c] = node.ty().shape.axes() else { return vec![] };
    let window = node.attributes().int("window").and_then(|x| usize::try_from(x).ok());
    let window = window.unwrap_or(1);
    let whole = [n, rows * window, columns * window, c].map(|axis| axis as i64);
    let images = op::slice(images, &[0; 4], &whole, &[1; 4]);
    let windows = op::reshape(images, &[n, rows, window, columns, window, c]);
    vec![op::reduce_mean(windows, &[2, 4], false)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [images] = cx.inputs(inputs)?;
    let &[_, h, w, c] = images.axes() else { return cx.bug("got no images") };
    let window = cx.size("window")?;
    let Some(x) = images.to_f64() else { return cx.bug("got no floats") };
    let shape = &cx.node.outputs[0].shape;
    let mut out = vec![0.0; shape.elements()];
    let (rows, columns) = (h / window, w / window);
    for (i, pixel) in out.chunks_mut(c.max(1)).enumerate() {
        let (image, row, column) = (i / columns / rows, i / columns % rows, i % columns);
        for (y, x_) in (0..window * window).map(|j| (j / window, j % window)) {
            let at = ((image * h + row * window + y) * w + column * window + x_) * c;
            pixel.iter_mut().zip(&x[at..at + c]).for_each(|(sum, x)| *sum += x);
        }
        pixel.iter_mut().for_each(|x| *x /= (window * window) as f64);
    }
    Ok(vec![match images {
        Tensor::F32(_) => Tensor::f32(shape, out.iter().map(|&x| x as f32).collect()),
        _ => Tensor::f64(shape, out),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, input, value_of};

    #[test]
    fn averages_windows_and_drops_the_rest() {
        let x: Vec<f32> = (0..15).map(|i| i as f32).collect();
        let x = floats(&[1, 3, 5, 1], &x);
        assert_eq!(value_of(&[x], |_, x| average_pool(x[0], 2)), [3.0, 5.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 5, 2]], |_, x| average_pool(x[0], 2));
    }

    #[test]
    fn windows_fit_images() {
        let fault = fault(|g| {
            average_pool(input(g, "x", &[1, 3, 5, 1]), 4);
        });
        assert!(fault.contains("windows of 1 to 3 pixels of f32[1,3,5,1], not 4"), "{fault}");
    }
}
