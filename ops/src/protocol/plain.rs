//! Plain: no protection at all. The first server computes on plaintext.
//!
//! It is what tests compare the other protocols with.

use std::collections::HashSet;

use sordino_graph::{
    Attributes, Element, Graph, Node, NodeId, OpSpec, Place, PlayerName, Port, Shape, Type,
};

use super::lowering::{Lowering, Rule};
use super::{Cost, LowerError, Protocol};
use crate::op;

/// See the [module](self).
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "Plain",
    servers: 3,
    security: "insecure, for tests",
    insecure: true,
    has_rule: |_| true,
    lower,
};

/// A secret is doubles, or words, on the first server. Every op computes there as it does on
/// plaintext, but for these.
static RULES: &[Rule<Port>] = &[
    Rule { op: "assign_secret", lower: assign, cost: free },
    Rule { op: "cast", lower: same, cost: free },
    Rule { op: "read_secret", lower: read, cost: free },
    Rule { op: "reveal", lower: reveal, cost: one },
    Rule { op: "share", lower: share, cost: one },
];

static LOCAL: Rule<Port> = Rule { op: "", lower: local, cost: free };

fn rule_of(op: &OpSpec) -> Option<&'static Rule<Port>> {
    Some(RULES.iter().find(|rule| rule.op == op.name).unwrap_or(&LOCAL))
}

fn lower(graph: &Graph) -> Result<Graph, LowerError> {
    Lowering::new(graph, &HashSet::new()).run("Plain", rule_of).map(|(graph, _)| graph)
}

fn free(_: &Lowering<'_, Port>, _: NodeId, _: &Node) -> Cost {
    Cost::FREE
}

fn one(_: &Lowering<'_, Port>, _: NodeId, node: &Node) -> Cost {
    Cost::of(1, 1, &node.outputs[0])
}

fn share(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let server = cx.servers()[0].clone();
    let value = cx.plain(node.inputs[0]);
    let value = cx.transfer(value, &server);
    let Some(fixed) = node.outputs[0].fixed() else { return cx.set_secret(id, value) };
    let mut attributes = Attributes::default();
    attributes.set("fraction", fixed.fraction());
    attributes.set("scale", 1.0);
    let value = cx.emit(&op::decode::OP.spec, attributes, &[value], &server);
    cx.set_secret(id, value);
}

/// The value as floats of another width, if it has not that width already.
fn cast(cx: &mut Lowering<'_, Port>, value: Port, to: Element, at: &PlayerName) -> Port {
    if cx.lowered().ty(value).is_some_and(|ty| ty.element == to) {
        return value;
    }
    let mut attributes = Attributes::default();
    attributes.set("to", Type::plain(to, Shape::scalar()));
    cx.emit(&op::cast::OP.spec, attributes, &[value], at)
}

/// The type of the doubles, or of the words, that stand for a secret.
fn doubles(secret: &Type) -> Type {
    let element = if secret.bits().is_some() { secret.element } else { Element::F64 };
    Type::plain(element, secret.shape.clone())
}

fn local(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let server = cx.servers()[0].clone();
    let inputs: Vec<_> = node.inputs.iter().map(|&port| *cx.secret(port)).collect();
    let mut attributes = node.attributes.clone();
    if let Some(ty) = attributes.ty("type").map(doubles) {
        attributes.set("type", ty);
    }
    let value = cx.emit(node.op, attributes, &inputs, &server);
    cx.set_secret(id, value);
}

/// Doubles stand for secrets of every format.
fn same(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let value = *cx.secret(node.inputs[0]);
    cx.set_secret(id, value);
}

/// An access of the variable of the first server that stands for a secret one.
fn access(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node, op: &'static OpSpec) -> NodeId {
    let mut attributes = Attributes::default();
    let variable = node.attributes.text("variable").unwrap_or_default();
    attributes.set("variable", format!("secret/{variable}").as_str());
    if let Some(ty) = node.attributes.ty("type").map(doubles) {
        attributes.set("type", ty);
    }
    let inputs = node.inputs.iter().map(|&port| *cx.secret(port)).collect();
    let outputs = node.outputs.iter().map(doubles).collect();
    let place = Place::Player(cx.servers()[0].clone());
    cx.access(id, Node { op, attributes, inputs, outputs, place, ..node.clone() })
}

fn read(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let read = access(cx, id, node, &op::read_variable::OP.spec);
    cx.set_secret(id, Port { node: read, slot: 0 });
}

fn assign(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    access(cx, id, node, &op::assign::OP.spec);
}

fn reveal(cx: &mut Lowering<'_, Port>, id: NodeId, node: &Node) {
    let Some(to) = node.place.player().cloned() else { return };
    let value = *cx.secret(node.inputs[0]);
    let value = cx.transfer(value, &to);
    if node.outputs[0].bits().is_some() {
        return cx.set_plain(id, value);
    }
    let mut attributes = Attributes::default();
    attributes.set("factor", node.attributes.real("scale").unwrap_or(1.0));
    let value = cx.emit(&op::scale::OP.spec, attributes, &[value], &to);
    let value = cast(cx, value, node.outputs[0].element, &to);
    cx.set_plain(id, value);
}
