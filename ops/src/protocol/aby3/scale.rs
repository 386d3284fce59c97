//! Multiples by a public number. Source: ABY3, section 3.1; the truncation after a fixed-point
//! multiplication is section 5.1.1.
//!
//! A whole number multiplies every share where it is. Any other factor f is encoded as
//! round(f·2^fraction), which multiplies the shares, and the product loses `fraction` bits again:
//! server0 drops them from s0 + s1, server1 and server2 both from s2, and server0 splits its half
//! anew with a pad that it has with server1, sending the rest to server2.
//!
//! Server2 sees one new element, uniformly random to it because it lacks the pad; server1 sees
//! none. The result errs by |x|·2^-(fraction+1) from the encoding of f and by at most one unit,
//! 2^-fraction, from the truncation, which fails altogether with probability 2^(l+1−width) an
//! element, 2^l being a bound of |x·f| in units of 2^-(2·fraction).

use sordino_graph::{Attributes, Fixed, Node, NodeId, Port, Type};

use super::share::{draw, servers};
use super::{Cost, Lowering, Shared, linear};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    if is_whole(node) { Cost { rounds: 0, elements: 0 } } else { Cost { rounds: 1, elements: 1 } }
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
        Shared::Replicated(product) => {
            truncate(cx, product, &Type::share(fixed, node.outputs[0].shape.clone()), fixed)
        }
        Shared::Additive(_) => unreachable!("inputs of a fractional multiple are replicated"),
    };
    cx.set_secret(id, result);
}

fn truncate(
    cx: &mut Lowering<'_, Shared>,
    [at_s0, at_s1, at_s2]: [[Port; 2]; 3],
    ty: &Type,
    fixed: Fixed,
) -> Shared {
    let [s0, s1, s2] = servers(cx);
    let shift = |negated: bool| {
        let mut attributes = Attributes::default();
        attributes.set("bits", fixed.fraction());
        attributes.set("negated", negated);
        attributes
    };
    let truncate = &op::truncate::OP.spec;
    let sum = cx.emit(&op::add_n::OP.spec, Attributes::default(), &at_s0, &s0);
    let half = cx.emit(truncate, shift(false), &[sum], &s0);
    let number = cx.next_pad();
    let holders = vec![s0.clone(), s1.clone()];
    let new_1 = draw(cx, number, 0, holders.clone(), ty, &s0);
    // The pad is drawn once here, as a share, and taken from the half: a mask would draw it again.
    let mut minus = Attributes::default();
    minus.set("factor", -1.0);
    let negated = cx.emit(&op::scale::OP.spec, minus, &[new_1], &s0);
    let new_0 = cx.emit(&op::add_n::OP.spec, Attributes::default(), &[half, negated], &s0);
    let new_1_at_s1 = draw(cx, number, 0, holders, ty, &s1);
    let new_2_at_s1 = cx.emit(truncate, shift(true), &[at_s1[1]], &s1);
    let new_2_at_s2 = cx.emit(truncate, shift(true), &[at_s2[0]], &s2);
    let new_0_at_s2 = cx.transfer(new_0, &s2);
    Shared::Replicated([[new_0, new_1], [new_1_at_s1, new_2_at_s1], [new_2_at_s2, new_0_at_s2]])
}
