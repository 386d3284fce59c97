//! Words of bits: logic, moves, sharing and revealing. Source: ABY3, section 5.2.
//!
//! | | rounds | bytes an element of N bits |
//! |---|---|---|
//! | XOR, NOT, one bit, its position, shifts, what moves elements | 0 | 0 |
//! | AND | 1 | 3N/8 |
//! | share | 1 | 2N/8 |
//! | reveal | 1 | 3N/8 |
//!
//! Sharing and revealing are as those of numbers, with XOR for the sum (see
//! [`share`](super::share), [`reveal`](super::reveal)); an AND is a layer of a
//! [`circuit`](super::circuit).

use sordino_graph::{Attributes, Node, NodeId, PlayerName, Port, Secrecy, Type};

use super::circuit::{Circuit, Stack, not, plane, xor};
use super::compare::input;
use super::share::{draw, servers};
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::planes;
use crate::tensor::gates::{Gate, Sum};

pub(super) use super::free as xor_cost;

/// Bits of a node's words, and their stack's words.
fn size(ty: &Type) -> (usize, usize) {
    (ty.bits().unwrap_or(0) as usize, planes::words(ty.shape.elements()))
}

fn and_circuit(bits: usize) -> (Circuit, Vec<Sum>) {
    let mut circuit = Circuit::of(2);
    let gate = |bit| Gate { left: plane(0, bit), right: plane(1, bit), ..Gate::default() };
    let results = circuit.layer((0..bits).map(gate).collect());
    (circuit, results)
}

pub(super) fn and_cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let (bits, words) = size(&node.outputs[0]);
    and_circuit(bits).0.cost(words)
}

pub(super) fn and(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let (circuit, results) = and_circuit(size(&node.outputs[0]).0);
    let result = circuit.emit(cx, &stacks(cx, node), &results);
    cx.set_secret(id, Shared::Bits(result));
}

/// XOR, NOT, one bit, shifts: planes of the result are sums of planes.
pub(super) fn linear(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let (bits, _) = size(&node.outputs[0]);
    let int = |name| node.attributes.int(name).unwrap_or(0);
    let from = |bit: i64| match usize::try_from(bit) {
        Ok(bit) if bit < bits => plane(0, bit),
        _ => Sum::default(),
    };
    let planes = 0..bits;
    let outputs: Vec<Sum> = match node.op.name {
        "xor" => planes.map(|bit| xor(&plane(0, bit), &plane(1, bit))).collect(),
        "not" => planes.map(|bit| not(&plane(0, bit))).collect(),
        "bit" => vec![plane(0, usize::try_from(int("index")).unwrap_or(0))],
        "position" => planes.map(|bit| numbered(cx, node, bit)).collect(),
        "shift" => planes.map(|bit| from(bit as i64 - int("by"))).collect(),
        other => unreachable!("`RULES` has no linear map for {other}"),
    };
    let result = if outputs.iter().all(|sum| *sum == Sum::default()) {
        // Nothing is left of the word: x ^ x keeps the number of words known.
        let zero = vec![Sum { terms: vec![(0, 0), (0, 0)], flipped: false }; bits];
        Circuit::of(1).emit(cx, &stacks(cx, node), &zero)
    } else {
        Circuit::of(node.inputs.len()).emit(cx, &stacks(cx, node), &outputs)
    };
    cx.set_secret(id, Shared::Bits(result));
}

/// The XOR of the planes whose number has this bit.
fn numbered(cx: &Lowering<'_, Shared>, node: &Node, bit: usize) -> Sum {
    let from = size(input(cx, node)).0;
    let terms = (0..from).filter(|plane| plane >> bit & 1 == 1).map(|plane| (0, plane));
    Sum { terms: terms.collect(), flipped: false }
}

fn stacks(cx: &Lowering<'_, Shared>, node: &Node) -> Vec<Stack> {
    node.inputs.iter().map(|&port| cx.secret(port).bits()).collect()
}

/// What moves elements: each half is made words, moved, and sliced again.
pub(super) fn arrange(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let terms = stacks(cx, node);
    let shape = &node.outputs[0].shape;
    let same = node.inputs.len() == 1 && input(cx, node).shape.elements() == shape.elements();
    if node.op.name == "reshape" && same {
        return cx.set_secret(id, Shared::Bits(terms[0]));
    }
    let shares: Vec<Type> = node
        .inputs
        .iter()
        .map(|&port| cx.from.ty(port).expect("verified: inputs are there").clone())
        .map(|ty| Type { secrecy: Secrecy::Share, ..ty })
        .collect();
    let servers = servers(cx);
    let mut attributes = node.attributes.clone();
    if let Some(ty) = attributes.ty("type").cloned() {
        attributes.set("type", Type { secrecy: Secrecy::Share, ..ty });
    }
    let result = [0, 1, 2].map(|i| {
        [0, 1].map(|half| {
            let at = &servers[i];
            let words: Vec<Port> = terms
                .iter()
                .zip(&shares)
                .map(|(stack, ty)| unsliced(cx, &[stack[i][half]], ty, at))
                .collect();
            let moved = cx.emit(node.op, attributes.clone(), &words, at);
            let mut none = Attributes::default();
            none.set("plus", 0usize);
            cx.emit(&op::slice_planes::OP.spec, none, &[moved], at)
        })
    });
    cx.set_secret(id, Shared::Bits(result));
}

fn unsliced(cx: &mut Lowering<'_, Shared>, stacks: &[Port], ty: &Type, at: &PlayerName) -> Port {
    let mut attributes = Attributes::default();
    attributes.set("type", ty.clone());
    cx.emit(&op::unslice_planes::OP.spec, attributes, stacks, at)
}

pub(super) fn reveal_cost(cx: &Lowering<'_, Shared>, node: &Node) -> Cost {
    let (bits, words) = size(input(cx, node));
    let servers = cx.servers();
    let senders = servers.iter().filter(|server| Some(*server) != node.place.player()).count();
    Cost { rounds: 1, bytes: (8 * senders * bits * words) as u64 }
}

pub(super) fn reveal(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(to) = node.place.player().cloned() else { return };
    let stack = cx.secret(node.inputs[0]).bits();
    let shares: [Port; 3] = stack.map(|[own, _]| cx.transfer(own, &to));
    let value = unsliced(cx, &shares, &node.outputs[0], &to);
    cx.set_plain(id, value);
}

pub(super) fn share_cost(cx: &Lowering<'_, Shared>, id: NodeId, node: &Node) -> Cost {
    let (bits, words) = size(&cx.from.node(id).outputs[0]);
    let owner = cx.from.node(node.inputs[0].node).place.player();
    let sent = servers(cx)[1..].iter().filter(|server| Some(*server) != owner).count();
    Cost { rounds: 1, bytes: (8 * sent * bits * words) as u64 }
}

pub(super) fn share(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let value = cx.plain(node.inputs[0]);
    let Some(owner) = cx.lowered().node(value.node).place.player().cloned() else { return };
    let [s0, s1, s2] = servers(cx);
    let first = vec![owner.clone(), s0.clone(), s2.clone()];
    let second = vec![owner.clone(), s0.clone(), s1.clone()];
    let number = cx.next_pad();
    let mut attributes = Attributes::default();
    attributes.set("pad", number);
    attributes.set("first", first.clone());
    attributes.set("second", second.clone());
    let masked = cx.emit(&op::mask_planes::OP.spec, attributes, &[value], &owner);
    let ty = cx.type_of(masked);
    let pad = |cx: &mut Lowering<'_, Shared>, lane, at| {
        let holders = if lane == 0 { &first } else { &second };
        draw(cx, number, lane, holders.clone(), &ty, at)
    };
    let at_s0 = [pad(cx, 0, &s0), pad(cx, 1, &s0)];
    let at_s1 = [pad(cx, 1, &s1), cx.transfer(masked, &s1)];
    let at_s2 = [cx.transfer(masked, &s2), pad(cx, 0, &s2)];
    cx.set_secret(id, Shared::Bits([at_s0, at_s1, at_s2]));
}
