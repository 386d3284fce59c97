//! Signs and zeros. Source: ABY3, sections 5.2 and 5.3.
//!
//! x = a + b, of which server 0 knows a, and servers 1 and 2 know b; see [`split`]. The sign is the
//! XOR of both top bits and of the carry into them: generates and propagates of the digits are
//! joined in pairs, G = G' ^ P'·G'' and P = P'·P'', until one is left. x is zero exactly if the bits
//! of a are those of −b, so if each bit of a differs from that of b − 1: no carry is needed, only
//! the AND of all bits.
//!
//! | | rounds (64, 128) | bytes an element (64, 128) |
//! |---|---|---|
//! | sign | 6, 7 | 46.6, 96.3 |
//! | zero | 7, 8 | 31.6, 63.6 |
//!
//! Nobody sees anything but shares under pads: what [`split`] and [`circuit`](super::circuit) say.

use sordino_graph::{Node, NodeId, Type};

use super::circuit::{Circuit, plane, xor};
use super::split::{self, digits};
use super::{Cost, Lowering, Shared};
use crate::planes;
use crate::tensor::digits::Digits;
use crate::tensor::gates::{Gate, Sum};

/// The stacks of a circuit on carries.
pub(super) const BITS: usize = 0;
pub(super) const CARRIES: usize = 1;

pub(super) fn negative_cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let ty = input(cx, node);
    let (circuit, _) = sign(digits(ty));
    split::carries_cost(ty, false) + circuit.cost(planes::words(ty.shape.elements()))
}

pub(super) fn negative(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let x = cx.secret(node.inputs[0]).replicated();
    let (circuit, sign) = sign(digits(input(cx, node)));
    let stacks = split::carries(cx, x, false);
    let result = circuit.emit(cx, &stacks, &[sign]);
    cx.set_secret(id, Shared::Bits(result));
}

pub(super) fn is_zero_cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let ty = input(cx, node);
    let (circuit, _) = zero(digits(ty));
    split::bits_cost(ty) + circuit.cost(planes::words(ty.shape.elements()))
}

pub(super) fn is_zero(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let x = cx.secret(node.inputs[0]).replicated();
    let (circuit, zero) = zero(digits(input(cx, node)));
    let bits = split::bits(cx, x, -1);
    let result = circuit.emit(cx, &[bits], &[zero]);
    cx.set_secret(id, Shared::Bits(result));
}

/// Type of the first input.
pub(super) fn input<'a>(cx: &Lowering<'a, Shared>, node: &Node) -> &'a Type {
    cx.from.ty(node.inputs[0]).expect("verified: the op has an input")
}

/// A generate, and a propagate where something may come in from below.
pub(super) type Carry = (Sum, Option<Sum>);

/// Generate and propagate of the whole of each digit.
fn whole_digits(digits: Digits) -> Vec<Carry> {
    let carry = |digit| {
        let last = digits.size(digit) - 1;
        let generate = digits.generate(false, digit, last).unwrap_or(0);
        // To propagate over one bit is the XOR of both bits.
        let propagate = digits.propagate(false, digit, last).map(|p| plane(CARRIES, p));
        let single = (digit > 0 && last == 0).then(|| plane(BITS, digits.width() - 2));
        (plane(CARRIES, generate), propagate.or(single))
    };
    (0..digits.count()).map(carry).collect()
}

fn sign(digits: Digits) -> (Circuit, Sum) {
    let mut circuit = Circuit::of(2);
    let mut carries = whole_digits(digits);
    let top = plane(BITS, digits.width() - 1);
    while carries.len() > 1 {
        let last = carries.len() == 2;
        let mut gates = Vec::new();
        for pair in carries.chunks_exact(2) {
            gates.extend(joined(&pair[0], &pair[1]));
        }
        if let (true, Some(gate)) = (last, gates.first_mut()) {
            gate.add = xor(&gate.add, &top);
        }
        let mut results = circuit.layer(gates).into_iter();
        let mut next = Vec::new();
        for pair in carries.chunks(2) {
            next.push(match pair {
                [low, _] => {
                    let generate = results.next().unwrap_or_default();
                    (generate, low.1.as_ref().and_then(|_| results.next()))
                }
                alone => alone[0].clone(),
            });
        }
        carries = next;
        if last {
            return (circuit, carries.swap_remove(0).0);
        }
    }
    let only = carries.swap_remove(0).0;
    (circuit, xor(&only, &top))
}

/// The gates that join two neighbours: for the generate, and for the propagate if there is one.
pub(super) fn joined(low: &Carry, high: &Carry) -> impl Iterator<Item = Gate> {
    let over = high.1.clone().unwrap_or_default();
    let generate = Gate { left: over.clone(), right: low.0.clone(), add: high.0.clone() };
    let propagate = low.1.clone().map(|right| Gate { left: over, right, ..Gate::default() });
    std::iter::once(generate).chain(propagate)
}

fn zero(digits: Digits) -> (Circuit, Sum) {
    let mut circuit = Circuit::of(1);
    let zero = circuit.all((0..digits.width()).map(|bit| plane(0, bit)).collect());
    (circuit, zero)
}
