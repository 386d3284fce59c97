//! `zeros(shape)`: a tensor of zeros.

use sordino_graph::{
    AttributeKind, AttributeSpec, Element, OpSpec, PlayerName, Recording, Role, Type, Value,
};

use crate::kernel::Op;
use crate::value::Tensor;

/// An f32 tensor of zeros on `player`.
#[track_caller]
pub fn zeros<'r>(g: &Recording<'r>, player: &PlayerName, shape: &[usize]) -> Value<'r> {
    g.op(&OP.spec).attr("shape", shape).at(player).build()
}

/// See [`zeros()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "zeros",
        role: Role::Compute,
        attributes: &[AttributeSpec { name: "shape", kind: AttributeKind::Ints }],
        infer: |s| {
            s.inputs::<0>()?;
            Ok(vec![Type::plain(Element::F32, s.shape("shape")?)])
        },
        gradient: None,
    },
    kernel: |cx, _| Ok(vec![Tensor::zeros(&cx.node.outputs[0])]),
    accumulate: None,
    expand: None,
};
