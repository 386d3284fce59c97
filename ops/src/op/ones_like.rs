//! `ones_like(x)`: ones of the shape of a tensor.

use sordino_graph::{Element, OpSpec, Role};

use crate::kernel::Op;
use crate::value::Tensor;

/// Ones of the type of the input, f32: where differentiation starts.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "ones_like",
        role: Role::Compute,
        attributes: &[],
        infer: |s| {
            let [x] = s.inputs()?;
            Ok(vec![x.expect_plain(Element::F32)?.clone()])
        },
        gradient: None,
    },
    kernel: |cx, _| {
        let shape = &cx.node.outputs[0].shape;
        Ok(vec![Tensor::f32(shape, vec![1.0; shape.elements()])])
    },
    accumulate: None,
    expand: None,
};
