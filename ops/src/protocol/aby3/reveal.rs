//! Revealing to one player: each summand is sent to it once. Source: ABY3, section 3.1.

use sordino_graph::{Attributes, Node, NodeId, Port};

use super::{Cost, Lowering, Shared, bits};
use crate::op;

pub(super) fn cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    if node.outputs[0].bits().is_some() {
        return bits::reveal_cost(cx, node);
    }
    // A server that is the receiver has its summand already.
    let servers = cx.servers();
    let senders = servers.iter().filter(|server| Some(*server) != node.place.player());
    let ty = cx.from.ty(node.inputs[0]).expect("verified: a reveal has an input");
    Cost::of(1, senders.count(), ty)
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    if node.outputs[0].bits().is_some() {
        return bits::reveal(cx, id, node);
    }
    let secret = *cx.secret(node.inputs[0]);
    let fixed = cx.from.ty(node.inputs[0]).and_then(|ty| ty.fixed());
    let (Some(to), Some(fixed)) = (node.place.player().cloned(), fixed) else { return };
    let shares: [Port; 3] = secret.additive().map(|share| cx.transfer(share, &to));
    let mut attributes = Attributes::default();
    attributes.set("fraction", fixed.fraction());
    attributes.set("scale", node.attributes.real("scale").unwrap_or(1.0));
    let value = cx.emit(&op::decode::OP.spec, attributes, &shares, &to);
    cx.set_plain(id, value);
}
