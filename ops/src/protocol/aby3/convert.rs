//! From numbers to words of bits and back, and products of bits and numbers. Source: ABY3, sections
//! 5.3 and 5.4.
//!
//! **To bits.** As for a sign (see [`compare`](super::compare)), but all carries: generates and
//! propagates up to every bit of each digit, of which those of whole digits are joined as prefixes
//! (Sklansky, *Conditional-sum addition logic*, 1960); one more layer brings the carry into each
//! digit to its bits. A prefix circuit over bits without digits takes as many rounds and half as many
//! bytes again.
//!
//! **From bits.** Server 0 knows u = c0 ^ c1, servers 1 and 2 know v = c2; a bit is
//! u·(1 − 2v) + v. Server 0 shares the bits u as numbers, packed, between servers 1 and 2; each of
//! them has its part of the whole sum at once (see
//! [`tensor::conversion`](crate::tensor::conversion)). To subtract a number that two servers share
//! both ways instead would take an adder: some 160 bytes and 9 rounds for 64 bits.
//!
//! **Bit times number.** With A = x0 + x1 at server 0 and B = x2 at servers 1 and 2,
//! b·x = (u·A + u·B)·(1 − 2v) + v·(A + B). Server 0 shares u·A and u; A is shared between servers 1
//! and 2 as x1 and x0. No truncation, as a bit is a whole number.
//!
//! | | rounds (64, 128) | bytes an element (64, 128) |
//! |---|---|---|
//! | to bits | 7, 8 | 88.5, 193.8 |
//! | from bits | 2 | 280, 1072 |
//! | bit to number | 2 | 24, 48 |
//! | bit times number | 2 | 32, 64 |
//!
//! | round | from → to | what | hidden by a pad of |
//! |---|---|---|---|
//! | 1 | 0 → 2 | what server 0 shares | 0 and 1 |
//! | 2 | 1 → 0 | its part of the result, summand 1 | 1 and 2 |
//! | 2 | 2 → 1 | its part of the result, summand 2 | 2 and 0 |
//!
//! The summand 0 is the pad of servers 2 and 0.

use sordino_graph::{Attributes, Fixed, Node, NodeId, OpSpec, Port, Type};

use super::circuit::{Circuit, Stack, plane, xor};
use super::compare::{BITS, CARRIES, Carry, input, joined};
use super::share::{draw, servers};
use super::split::{self, digits};
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::planes;
use crate::tensor::conversion::Pairs;
use crate::tensor::digits::{DIGIT, Digits};
use crate::tensor::gates::{Gate, Sum};

pub(super) fn to_bits_cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let ty = input(cx, node);
    let (circuit, _) = sum(digits(ty));
    split::carries_cost(ty, true) + circuit.cost(planes::words(ty.shape.elements()))
}

pub(super) fn to_bits(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let x = cx.secret(node.inputs[0]).replicated();
    let (circuit, bits) = sum(digits(input(cx, node)));
    let stacks = split::carries(cx, x, true);
    let result = circuit.emit(cx, &stacks, &bits);
    cx.set_secret(id, Shared::Bits(result));
}

/// The bits of a sum.
fn sum(digits: Digits) -> (Circuit, Vec<Sum>) {
    let mut circuit = Circuit::of(2);
    let into = carries_into_digits(&mut circuit, digits);
    let mut bits: Vec<Sum> = (0..digits.width()).map(|bit| plane(BITS, bit)).collect();
    let (mut gates, mut places) = (Vec::new(), Vec::new());
    for (bit, sum) in bits.iter_mut().enumerate().skip(1) {
        let (digit, j) = ((bit - 1) / DIGIT, (bit - 1) % DIGIT);
        let (generate, propagate) = prefix(digits, digit, j);
        if digit == 0 {
            *sum = xor(sum, &generate);
        } else if let Some(into) = into.get(bit / DIGIT).filter(|_| bit % DIGIT == 0) {
            *sum = xor(sum, into);
        } else {
            let (left, right) = (propagate.unwrap_or_default(), into[digit].clone());
            gates.push(Gate { left, right, add: xor(sum, &generate) });
            places.push(bit);
        }
    }
    for (bit, result) in places.into_iter().zip(circuit.layer(gates)) {
        bits[bit] = result;
    }
    (circuit, bits)
}

/// Generate and propagate of the bits of a digit up to bit `j`.
fn prefix(digits: Digits, digit: usize, j: usize) -> Carry {
    let generate = digits.generate(true, digit, j).unwrap_or(0);
    let propagate = if j == 0 {
        Some(plane(BITS, digit * DIGIT))
    } else {
        digits.propagate(true, digit, j).map(|p| plane(CARRIES, p))
    };
    (plane(CARRIES, generate), propagate.filter(|_| digit > 0))
}

/// The carry into each digit; into the first there is none.
fn carries_into_digits(circuit: &mut Circuit, digits: Digits) -> Vec<Sum> {
    let mut carries: Vec<Carry> =
        (0..digits.count() - 1).map(|digit| prefix(digits, digit, DIGIT - 1)).collect();
    let mut span = 1;
    while span < carries.len() {
        let joins = (0..carries.len()).filter(|digit| digit & span != 0);
        let joins: Vec<_> = joins.map(|digit| (digit, (digit & !(span - 1)) - 1)).collect();
        let gates = joins.iter().flat_map(|&(high, low)| joined(&carries[low], &carries[high]));
        let mut results = circuit.layer(gates.collect()).into_iter();
        let old = carries.clone();
        for (high, low) in joins {
            let generate = results.next().unwrap_or_default();
            carries[high] = (generate, old[low].1.as_ref().and_then(|_| results.next()));
        }
        span *= 2;
    }
    std::iter::once(Sum::default()).chain(carries.into_iter().map(|carry| carry.0)).collect()
}

pub(super) fn from_bits_cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let bits = input(cx, node).bits().unwrap_or(1);
    let ty = &node.outputs[0];
    let width = ty.fixed().map_or(64, |fixed| fixed.width().bits());
    Cost::of(2, Pairs::new(bits, width).count() + 2, ty)
}

pub(super) fn from_bits(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(fixed) = node.outputs[0].fixed() else { return };
    converted(cx, id, node, fixed, 0);
}

pub(super) fn bit_to_number(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(fixed) = node.outputs[0].fixed() else { return };
    converted(cx, id, node, fixed, fixed.fraction());
}

fn converted(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node, fixed: Fixed, shift: u32) {
    let c = cx.secret(node.inputs[0]).bits();
    let ty = Type::share(fixed, node.outputs[0].shape.clone());
    let mut first = Attributes::default();
    first.set("type", ty.clone());
    let mut second = first.clone();
    second.set("shift", shift);
    let specs = [&op::bits_first::OP.spec, &op::bits_second::OP.spec];
    let inputs = Inputs { first: c[0].to_vec(), second: vec![c[1][1]], third: vec![c[2][0]] };
    let result = in_two_rounds(cx, specs, [first, second], inputs, &ty);
    cx.set_secret(id, Shared::Replicated(result));
}

pub(super) fn mul_bit_cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    Cost::of(2, 4, &node.outputs[0])
}

pub(super) fn mul_bit(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(fixed) = node.outputs[0].fixed() else { return };
    let (c, x) = (cx.secret(node.inputs[0]).bits(), cx.secret(node.inputs[1]).replicated());
    let ty = Type::share(fixed, node.outputs[0].shape.clone());
    let specs = [&op::mul_bit_first::OP.spec, &op::mul_bit_second::OP.spec];
    let inputs = Inputs {
        first: [c[0], x[0]].concat(),
        second: vec![c[1][1], x[1][1], x[1][0]],
        third: vec![c[2][0], x[2][0], x[2][1]],
    };
    let result = in_two_rounds(cx, specs, Default::default(), inputs, &ty);
    cx.set_secret(id, Shared::Replicated(result));
}

/// What each server puts in, beside what server 0 shares.
struct Inputs {
    first: Vec<Port>,
    second: Vec<Port>,
    third: Vec<Port>,
}

/// Server 0 shares between the others what it knows; each of them then has its part of numbers of
/// type `ty`, which it hides and hands on.
fn in_two_rounds(
    cx: &mut Lowering<'_, Shared>,
    [first, second]: [&'static OpSpec; 2],
    attributes: [Attributes; 2],
    inputs: Inputs,
    ty: &Type,
) -> Stack {
    let [s0, s1, s2] = servers(cx);
    let number = cx.next_pad();
    let groups = [[&s0, &s1], [&s1, &s2], [&s2, &s0]].map(|group| group.map(Clone::clone).to_vec());
    let [mut at_s0, mut others] = attributes;
    at_s0.set("holders", groups[0].clone());
    at_s0.set("lane", 0usize);
    at_s0.set("pad", number);
    others.set("holders", groups[1].clone());
    others.set("lane", 1usize);
    others.set("pad", number);
    let rest = cx.emit(first, at_s0, &inputs.first, &s0);
    let shared = cx.type_of(rest);
    let pad = draw(cx, number, 0, groups[0].clone(), &shared, &s1);
    let rest = cx.transfer(rest, &s2);
    let z0 = |cx: &mut Lowering<'_, Shared>, at| draw(cx, number, 2, groups[2].clone(), ty, at);
    let (z0_at_s0, z0_at_s2) = (z0(cx, &s0), z0(cx, &s2));
    let mut part = |cx: &mut Lowering<'_, Shared>, first: bool, inputs: &[Port]| {
        others.set("first", first);
        cx.emit(second, others.clone(), inputs, if first { &s1 } else { &s2 })
    };
    let z1 = part(cx, true, &[&[pad], &inputs.second[..]].concat());
    let z2 = part(cx, false, &[&[rest], &inputs.third[..], &[z0_at_s2]].concat());
    let sent = [cx.transfer(z1, &s0), cx.transfer(z2, &s1)];
    [[z0_at_s0, sent[0]], [z1, sent[1]], [z2, z0_at_s2]]
}
