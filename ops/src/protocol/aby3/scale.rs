//! Multiples by a public number. Source: ABY3, section 3.1.
//!
//! A whole number multiplies every share where it is. Any other factor f is encoded as
//! round(f·2^fraction), which multiplies the shares, and the product loses `fraction` bits again
//! by [`truncate`]: server 0 has s0 + s1, servers 1 and 2 have s2.
//!
//! The result errs by |x|·2^-(fraction+1) from the encoding of f and by less than one unit,
//! 2^-fraction, from the truncation.

use sordino_graph::{Attributes, Node, NodeId};

use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared, linear};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    match node.outputs[0].fixed() {
        Some(fixed) if !is_whole(node) => truncate::cost(&node.outputs[0], fixed.fraction()),
        _ => Cost::FREE,
    }
}

/// Whether the node's factor is a whole number.
pub(super) fn is_whole(node: &Node) -> bool {
    node.attributes.real("factor").is_some_and(|factor| factor.fract() == 0.0)
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let factor = node.attributes.real("factor").unwrap_or(1.0);
    let secret = *cx.secret(node.inputs[0]);
    let Some(fixed) = node.outputs[0].fixed() else { return };
    let whole = is_whole(node);
    let unit = (fixed.fraction() as f64).exp2();
    let multiplier = if whole { factor } else { (factor * unit).round() };
    let product = linear::combine(cx, &[secret], |cx, parts, at| {
        let mut attributes = Attributes::default();
        attributes.set("factor", multiplier);
        cx.emit(&op::scale::OP.spec, attributes, parts, at)
    });
    let result = match product {
        _ if whole => product,
        Shared::Replicated([at_s0, [_, at_s1], [at_s2, _]]) => {
            truncate(cx, &at_s0, [&[at_s1], &[at_s2]], fixed.fraction())
        }
        _ => unreachable!("inputs of a fractional multiple are replicated"),
    };
    cx.set_secret(id, result);
}
