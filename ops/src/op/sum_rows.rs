//! `sum_rows(x)`: the sum over all axes but the last.

use sordino_graph::{Element, OpSpec, Role, Shape, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// `y[j] = Σ x[.., j]`: the gradient of a bias.
///
/// Shapes: `x` f32`[..,c]`; returns f32`[c]`. Rows are added from the first to the last.
#[track_caller]
pub fn sum_rows(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`sum_rows()`].
pub static OP: Op = Op {
    spec: OpSpec { name: "sum_rows", role: Role::Compute, attributes: &[], infer, gradient: None },
    kernel,
    accumulate: None,
    expand: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.expect_plain(Element::F32)?.shape.axes().last() {
        Some(&c) => {
            let shape = Shape::new(&[c]).map_err(|e| TypeError(e.to_string()))?;
            Ok(vec![Type::plain(Element::F32, shape)])
        }
        None => type_error!("takes at least one axis"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let shape = &cx.node.outputs[0].shape;
    let mut sum = vec![0.0f32; shape.elements()];
    for row in cx.floats(&x)?.chunks_exact(sum.len().max(1)) {
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
    Ok(vec![Tensor::f32(shape, sum)])
}
