//! Sharing an input. Source: ABY3, section 3.1, with the two masks drawn from secrets that the
//! owner has with the servers instead of being sent.

use sordino_graph::{Attribute, Attributes, Node, NodeId, PlayerName, Port, Type};

use super::{Cost, Lowering, Shared, bits};
use crate::op;

pub(super) fn cost(cx: &Lowering<'_, Shared>, id: NodeId, node: &Node) -> Cost {
    if node.outputs[0].bits().is_some() {
        return bits::share_cost(cx, id, node);
    }
    // A server that is the owner has what would be sent to it.
    let servers = servers(cx);
    let receivers = if cx.replicated.contains(&id) { &servers[1..] } else { &servers[2..] };
    let owner = cx.from.node(node.inputs[0].node).place.player();
    let sent = receivers.iter().filter(|server| Some(*server) != owner).count();
    Cost::of(u64::from(sent > 0), sent, &cx.from.node(id).outputs[0])
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    if node.outputs[0].bits().is_some() {
        return bits::share(cx, id, node);
    }
    let value = unencoded(cx, node.inputs[0]);
    let owner = cx.lowered().node(value.node).place.player().cloned();
    let (Some(owner), Some(fixed)) = (owner, node.outputs[0].fixed()) else { return };
    let [s0, s1, s2] = servers(cx);
    let ty = Type::share(fixed, node.outputs[0].shape.clone());
    let replicated = cx.replicated.contains(&id);

    let (first, second) = if replicated {
        (vec![owner.clone(), s0.clone(), s2.clone()], vec![owner.clone(), s0.clone(), s1.clone()])
    } else {
        (vec![owner.clone(), s0.clone()], vec![owner.clone(), s1.clone()])
    };
    let number = cx.next_pad();
    let mut attributes = Attributes::default();
    attributes.set("pad", number);
    attributes.set("first", first.clone());
    attributes.set("second", second.clone());
    attributes.set("width", fixed.width().bits());
    attributes.set("fraction", fixed.fraction());
    let masked = cx.emit(&op::mask::OP.spec, attributes, &[value], &owner);

    let pad = |cx: &mut Lowering<'_, Shared>, lane, at: &PlayerName| {
        let holders = if lane == 0 { &first } else { &second };
        draw(cx, number, lane, holders.clone(), &ty, at)
    };
    let shared = if replicated {
        let at_s0 = [pad(cx, 0, &s0), pad(cx, 1, &s0)];
        let at_s1 = [pad(cx, 1, &s1), cx.transfer(masked, &s1)];
        let at_s2 = [cx.transfer(masked, &s2), pad(cx, 0, &s2)];
        Shared::Replicated([at_s0, at_s1, at_s2])
    } else {
        let shares = [pad(cx, 0, &s0), pad(cx, 1, &s1), cx.transfer(masked, &s2)];
        Shared::Additive(shares)
    };
    cx.set_secret(id, shared);
}

/// The float that an encoded value was made of, which masking encodes on the way, or the value.
fn unencoded(cx: &Lowering<'_, Shared>, encoded: Port) -> Port {
    let value = cx.plain(encoded);
    let maker = cx.lowered().node(value.node);
    if std::ptr::eq(maker.op, &op::encode::OP.spec) { maker.inputs[0] } else { value }
}

/// Draws a pad as a share on `at`.
pub(super) fn draw(
    cx: &mut Lowering<'_, Shared>,
    number: u32,
    lane: u32,
    holders: Vec<PlayerName>,
    ty: &Type,
    at: &PlayerName,
) -> Port {
    let mut attributes = Attributes::default();
    attributes.set("pad", number);
    attributes.set("lane", lane);
    attributes.set("holders", Attribute::Players(holders));
    attributes.set("type", ty.clone());
    cx.emit(&op::pad::OP.spec, attributes, &[], at)
}

/// The three servers.
pub(super) fn servers(cx: &Lowering<'_, Shared>) -> [PlayerName; 3] {
    cx.servers().try_into().expect("`lower` has checked that there are three servers")
}
