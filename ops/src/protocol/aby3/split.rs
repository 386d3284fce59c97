//! The bits of a number that is shared by addition. Source: ABY3, section 5.3.
//!
//! Server 0 knows a = x0 + x1, servers 1 and 2 both know b = x2, and x = a + b. Server 0 shares the
//! bits of a by XOR: the summand 0 is what is left of them without a pad that it has with server 1,
//! which is the summand 1; the bits of b are the summand 2. So a XOR b, plane by plane, is shared
//! without a message of its own.
//!
//! For carries, server 0 shares the products of bits in each digit of four too; then servers 1 and 2
//! have parts of every digit's generate and propagate after local work (see
//! [`tensor::digits`](crate::tensor::digits)).
//!
//! | round | from → to | what | bits an element (64, 128) | hidden by a pad of |
//! |---|---|---|---|---|
//! | 1 | 0 → 2 | bits of a, with products | 64, 128; 233, 473 | 0 and 1 |
//! | 2 | 1 → 0 | its part of the carries | 31, 63; of each bit 107, 219 | 1 and 2 |
//! | 2 | 2 → 1 | its part of the carries | as many | 2 and 0 |

use sordino_graph::{Attributes, Port, Type};

use super::circuit::Stack;
use super::share::{draw, servers};
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::planes;
use crate::tensor::digits::Digits;

/// What sharing the bits of numbers of type `ty` costs.
pub(super) fn bits_cost(ty: &Type) -> Cost {
    let width = ty.fixed().map_or(0, |fixed| fixed.width().bits() as usize);
    Cost { rounds: 1, bytes: (8 * width * planes::words(ty.shape.elements())) as u64 }
}

/// What sharing the bits and the carries of digits of numbers of type `ty` costs.
pub(super) fn carries_cost(ty: &Type, prefixes: bool) -> Cost {
    let digits = digits(ty);
    let planes = digits.planes() + 2 * digits.carries(prefixes);
    Cost { rounds: 2, bytes: (8 * planes * planes::words(ty.shape.elements())) as u64 }
}

/// The digits of numbers of type `ty`.
pub(super) fn digits(ty: &Type) -> Digits {
    Digits::new(ty.fixed().map_or(2, |fixed| fixed.width().bits()))
}

/// The XOR of the bits of a and of b + `plus`.
pub(super) fn bits(cx: &mut Lowering<'_, Shared>, x: Stack, plus: i64) -> Stack {
    let number = cx.next_pad();
    shared(cx, x, number, false, plus)
}

/// The XOR of the bits of a and b, in the planes before those of products, and the carries of
/// digits.
pub(super) fn carries(cx: &mut Lowering<'_, Shared>, x: Stack, prefixes: bool) -> [Stack; 2] {
    let number = cx.next_pad();
    let [s0, s1, s2] = servers(cx);
    let bits = shared(cx, x, number, true, 0);
    let mut attributes = Attributes::default();
    attributes.set("holders", vec![s1.clone(), s2.clone()]);
    attributes.set("lane", 1usize);
    attributes.set("pad", number);
    attributes.set("prefixes", prefixes);
    let mut part = |cx: &mut Lowering<'_, Shared>, first: bool, inputs: &[Port]| {
        attributes.set("first", first);
        let at = if first { &s1 } else { &s2 };
        cx.emit(&op::digit_carries::OP.spec, attributes.clone(), inputs, at)
    };
    let z1 = part(cx, true, &bits[1]);
    let ty = cx.type_of(z1);
    let z0 = |cx: &mut Lowering<'_, Shared>, at| {
        draw(cx, number, 2, vec![s2.clone(), s0.clone()], &ty, at)
    };
    let (z0_at_s0, z0_at_s2) = (z0(cx, &s0), z0(cx, &s2));
    let z2 = part(cx, false, &[bits[2][1], bits[2][0], z0_at_s2]);
    let sent = [cx.transfer(z1, &s0), cx.transfer(z2, &s1)];
    [bits, [[z0_at_s0, sent[0]], [z1, sent[1]], [z2, z0_at_s2]]]
}

fn shared(
    cx: &mut Lowering<'_, Shared>,
    x: Stack,
    number: u32,
    products: bool,
    plus: i64,
) -> Stack {
    let [s0, s1, s2] = servers(cx);
    let holders = vec![s0.clone(), s1.clone()];
    let mut attributes = Attributes::default();
    attributes.set("holders", holders.clone());
    attributes.set("lane", 0usize);
    attributes.set("pad", number);
    attributes.set("products", products);
    let [rest, pad] = cx.emit_all(&op::share_bits::OP.spec, attributes, &x[0], &s0);
    let ty = cx.type_of(pad);
    let pad_at_s1 = draw(cx, number, 0, holders, &ty, &s1);
    let rest_at_s2 = cx.transfer(rest, &s2);
    let mut attributes = Attributes::default();
    attributes.set("plus", plus);
    let known = |cx: &mut Lowering<'_, Shared>, b, at| {
        cx.emit(&op::slice_planes::OP.spec, attributes.clone(), &[b], at)
    };
    let (b_at_s1, b_at_s2) = (known(cx, x[1][1], &s1), known(cx, x[2][0], &s2));
    [[rest, pad], [pad_at_s1, b_at_s1], [b_at_s2, rest_at_s2]]
}
