//! The first largest of some items from comparisons of all pairs, and words taken apart and put
//! together. Source of the tree of ANDs: ABY3, section 5.2.
//!
//! | | rounds | bytes an element, n items |
//! |---|---|---|
//! | winners | ⌈log2(n − 1)⌉ | 3(n − 1)(n − 2)/8 |
//! | bits to words, words to bits | 0 | 0 |
//!
//! An item wins if all n − 1 comparisons say so. One item wins, so the last does if no other does,
//! which is a XOR. Servers see what they see in a [`circuit`](super::circuit).

use sordino_graph::{Attributes, Node, NodeId};

use super::circuit::{Circuit, Stack, not, plane, xor};
use super::compare::input;
use super::share::servers;
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::op::winners::pairs;
use crate::planes;
use crate::tensor::gates::Sum;

fn circuit(items: usize) -> (Circuit, Vec<Sum>) {
    let mut circuit = Circuit::of(1);
    let pairs = pairs(items);
    let beats = |item: usize| {
        let of = |(bit, &(i, j)): (usize, &(usize, usize))| match item {
            _ if item == i => Some(not(&plane(0, bit))),
            _ if item == j => Some(plane(0, bit)),
            _ => None,
        };
        pairs.iter().enumerate().filter_map(of).collect::<Vec<_>>()
    };
    let mut winners = circuit.each_all((0..items - 1).map(beats).collect());
    let none = winners.iter().fold(Sum { terms: vec![], flipped: true }, |all, x| xor(&all, x));
    winners.push(none);
    (circuit, winners)
}

fn items(node: &Node) -> usize {
    node.attributes.int("items").and_then(|items| usize::try_from(items).ok()).unwrap_or(2)
}

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    circuit(items(node)).0.cost(planes::words(node.outputs[0].shape.elements()))
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let (circuit, winners) = circuit(items(node));
    let comparisons = cx.secret(node.inputs[0]).bits();
    let result = circuit.emit(cx, &[comparisons], &winners);
    cx.set_secret(id, Shared::Bits(result));
}

/// Bits along the first axis become words.
pub(super) fn join(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let count = node.outputs[0].bits().unwrap_or(1) as usize;
    let bits = node.outputs[0].shape.elements();
    let stack = cx.secret(node.inputs[0]).bits();
    let result = regrouped(cx, stack, true, bits, count);
    cx.set_secret(id, Shared::Bits(result));
}

/// Some bits of words become a first axis.
pub(super) fn split(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let bits = input(cx, node).shape.elements();
    let place = |name| node.attributes.int(name).and_then(|i| usize::try_from(i).ok()).unwrap_or(0);
    let (begin, end) = (place("begin"), place("end"));
    let words = cx.secret(node.inputs[0]).bits();
    let chosen: Vec<Sum> = (begin..end).map(|bit| plane(0, bit)).collect();
    let stack = Circuit::of(1).emit(cx, &[words], &chosen);
    let result = regrouped(cx, stack, false, bits, end - begin);
    cx.set_secret(id, Shared::Bits(result));
}

/// Planes put in one, or taken from one.
fn regrouped(
    cx: &mut Lowering<'_, Shared>,
    stack: Stack,
    apart: bool,
    bits: usize,
    count: usize,
) -> Stack {
    if count == 1 {
        return stack;
    }
    let servers = servers(cx);
    let mut attributes = Attributes::default();
    attributes.set("apart", apart);
    attributes.set("bits", bits);
    attributes.set("count", count);
    [0, 1, 2].map(|i| {
        stack[i].map(|half| {
            cx.emit(&op::regroup_planes::OP.spec, attributes.clone(), &[half], &servers[i])
        })
    })
}
