//! Plain: no protection at all. The first server computes on plaintext.
//!
//! It is what tests compare the other protocols with.

use std::collections::HashSet;

use sordino_graph::{Attributes, Graph, Node, NodeId, Port};

use super::lowering::{Lowering, Rule};
use super::{Cost, LowerError, Protocol};
use crate::op;

/// See the [module](self).
pub(super) const PROTOCOL: Protocol =
    Protocol { name: "Plain", servers: 3, security: "insecure, for tests", insecure: true, lower };

/// A secret is floats on the first server.
const RULES: &[Rule<Port>] = &[
    Rule { op: "share", lower: share, cost: one },
    Rule { op: "add_n", lower: local, cost: free },
    Rule { op: "scale", lower: local, cost: free },
    Rule { op: "reveal", lower: reveal, cost: one },
];

fn lower(graph: &Graph) -> Result<Graph, LowerError> {
    Lowering::new(graph, &HashSet::new()).run("Plain", RULES).map(|(graph, _)| graph)
}

fn free(_: &Lowering<'_, Port>, _: NodeId, _: &Node) -> Cost {
    Cost { rounds: 0, elements: 0 }
}

fn one(_: &Lowering<'_, Port>, _: NodeId, _: &Node) -> Cost {
    Cost { rounds: 1, elements: 1 }
}

fn share(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let server = cx.servers()[0].clone();
    let value = cx.plain(node.inputs[0]);
    let value = cx.transfer(value, &server);
    let mut attributes = Attributes::default();
    let fraction = node.outputs[0].fixed().map_or(0, |fixed| fixed.fraction());
    attributes.set("fraction", fraction);
    attributes.set("scale", 1.0);
    let value = cx.emit(&op::decode::OP.spec, attributes, &[value], &server);
    cx.set_secret(id, value);
}

fn local(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let server = cx.servers()[0].clone();
    let inputs: Vec<_> = node.inputs.iter().map(|&port| *cx.secret(port)).collect();
    let value = cx.emit(node.op, node.attributes.clone(), &inputs, &server);
    cx.set_secret(id, value);
}

fn reveal(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let Some(to) = node.place.player().cloned() else { return };
    let value = *cx.secret(node.inputs[0]);
    let value = cx.transfer(value, &to);
    let mut attributes = Attributes::default();
    attributes.set("factor", node.attributes.real("scale").unwrap_or(1.0));
    let value = cx.emit(&op::scale::OP.spec, attributes, &[value], &to);
    cx.set_plain(id, value);
}
