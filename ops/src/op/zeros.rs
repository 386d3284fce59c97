//! `zeros(shape)`: a tensor of zeros.

use sordino_graph::{AttributeKind, Place, Recording, Role, Value};

use super::constant;
use crate::kernel::Op;
use crate::rules;
use crate::value::Tensor;

/// Zeros: f32 on a player; on [`Place::Secure`] the [`constant()`] 0 of the type of secrets.
///
/// Source: Python array API 2023.12, `zeros`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn zeros<'r>(g: &Recording<'r>, place: impl Into<Place>, shape: &[usize]) -> Value<'r> {
    match place.into() {
        Place::Secure => constant(g, Place::Secure, &[0.0], shape),
        player => g.op(&OP.spec).attr("shape", shape).at(player).build(),
    }
}

/// See [`zeros()`]: those on a player.
pub static OP: Op = Op::new("zeros", Role::Compute, rules::floats, |cx, _| {
    Ok(vec![Tensor::zeros(&cx.node.outputs[0])])
})
.attributes(&[("shape", AttributeKind::Ints)]);
