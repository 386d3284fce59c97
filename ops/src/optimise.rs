//! Passes that make a graph cheaper without changing what anyone learns.

use std::collections::HashMap;

use sordino_graph::passes::{drop_unused, merge_equal};
use sordino_graph::{Graph, Node, NodeId, Port, Rewriter, Role};

/// The passes over a recorded graph, in order.
#[must_use]
pub fn recorded(graph: &Graph) -> Graph {
    drop_unused(&scale_behind_reveal(&merge_equal(graph)))
}

/// The passes over a lowered graph, in order.
#[must_use]
pub fn lowered(graph: &Graph) -> Graph {
    drop_unused(&pads_into_sums(&drop_unused(&merge_equal(graph))))
}

/// Moves a public factor behind a reveal: the player that learns the value multiplies it.
///
/// `reveal[scale=s](scale[factor=f](x))` becomes `reveal[scale=s·f](x)`. Whoever learns f·x for a
/// public f ≠ 0 learns x as well, so nothing more is revealed; a factor of 0 stays.
#[must_use]
pub fn scale_behind_reveal(graph: &Graph) -> Graph {
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    // Of each multiple, the factor and what it is a multiple of.
    let mut multiples: HashMap<Port, (f64, Port)> = HashMap::new();
    for (id, node) in graph.nodes() {
        let mut mapped = rewriter.mapped(id);
        if let Some((factor, inner)) = scaled(node) {
            let (of_inner, inner) = multiples.get(&inner).copied().unwrap_or((1.0, inner));
            let product = of_inner * factor;
            // Too small or too large a product stays two factors.
            let multiple =
                if product.is_normal() { (product, inner) } else { (factor, node.inputs[0]) };
            multiples.insert(Port { node: id, slot: 0 }, multiple);
        }
        if node.op.role == Role::Reveal {
            let scale = node.attributes.real("scale").unwrap_or(1.0);
            let (factor, secret) =
                multiples.get(&node.inputs[0]).copied().unwrap_or((1.0, node.inputs[0]));
            if (scale * factor).is_normal() {
                mapped.attributes.set("scale", scale * factor);
                mapped.inputs[0] = rewriter.port(secret).unwrap_or(mapped.inputs[0]);
            }
        }
        rewriter.replace(id, mapped);
    }
    rewriter.finish()
}

/// Factor and input of a scaling.
fn scaled(node: &Node) -> Option<(f64, Port)> {
    let factor = node.attributes.real("factor").filter(|&factor| factor != 0.0)?;
    (node.op.role == Role::Scale).then(|| (factor, node.inputs[0]))
}

/// Generates pads straight into the sum that they are for: `add_n(pad, pad, x)` becomes
/// `add_pads(x)`, one pass over memory, where only the sum reads the pads.
#[must_use]
pub fn pads_into_sums(graph: &Graph) -> Graph {
    let single_reader = |id: NodeId| graph.readers(id).len() == 1;
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    for (id, node) in graph.nodes() {
        let mut mapped = rewriter.mapped(id);
        if node.op.role == Role::Sum && node.after.is_empty() {
            let lane = node.inputs.iter().find_map(|port| lone_pad(graph, id, port)).map(|p| p.1);
            let (mut pads, mut peers, mut rest) = (Vec::new(), Vec::new(), Vec::new());
            for (port, new) in node.inputs.iter().zip(&mapped.inputs) {
                match lone_pad(graph, id, port) {
                    Some((pad, of, peer)) if Some(of) == lane && single_reader(port.node) => {
                        pads.push(pad);
                        peers.push(peer);
                    }
                    _ => rest.push(*new),
                }
            }
            if let (Some(lane), false) = (lane, pads.is_empty()) {
                let mut attributes = sordino_graph::Attributes::default();
                attributes.set("lane", sordino_graph::Attribute::Int(lane));
                attributes.set("pads", sordino_graph::Attribute::Ints(pads));
                attributes.set("peers", peers);
                attributes.set("type", node.outputs[0].clone());
                mapped.op = &crate::op::add_pads::OP.spec;
                mapped.attributes = attributes;
                mapped.inputs = rest;
            }
        }
        rewriter.replace(id, mapped);
    }
    rewriter.finish()
}

/// Number, lane and peer of a pad that `sum`'s player has with one other player, in that order of
/// holders.
fn lone_pad(
    graph: &Graph,
    sum: NodeId,
    port: &Port,
) -> Option<(i64, i64, sordino_graph::PlayerName)> {
    let pad = graph.node(port.node);
    if !std::ptr::eq(pad.op, &crate::op::pad::OP.spec) {
        return None;
    }
    let [peer, me] = pad.attributes.players("holders")? else { return None };
    (Some(me) == graph.node(sum).place.player()).then_some((
        pad.attributes.int("pad")?,
        pad.attributes.int("lane")?,
        peer.clone(),
    ))
}
