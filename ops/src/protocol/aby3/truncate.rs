//! Dropping low bits: what follows every product of fixed-point numbers.
//!
//! Server 0 has one side of the number, servers 1 and 2 both have the other; see
//! [`tensor::truncation`](crate::tensor::truncation) for why the result is right and by how little
//! it errs. Server 0 receives nothing. What server 1 receives is hidden by pads that servers 0 and
//! 2 have, what server 2 receives by pads that servers 0 and 1 have; each is used once.
//!
//! | round | from → to | what | hidden by a pad of |
//! |---|---|---|---|
//! | 1 | 0 → 1 | top bit, modulo 2^m | 0 and 2 |
//! | 1 | 0 → 2 | a summand | 0 and 1 |
//! | 2 | 1 → 2 | its part of the correction, modulo 2^m | 0 and 1 |
//! | 2 | 2 → 1 | its part of the correction, modulo 2^m | 0 and 2 |
//!
//! That is 2 rounds, and an element and three numbers of m bits. Source of the product of two bits by
//! the transfer of one of two messages among three players: ABY3, section 5.4.

use sordino_graph::{Attributes, Element, Port, Type};

use super::share::servers;
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::tensor::truncation::Packing;

/// What [`truncate`] costs.
pub(super) fn cost(ty: &Type, bits: u32) -> Cost {
    let words = Packing::new(bits).words(ty.shape.elements()) * Element::Bits(64).bytes();
    Cost { rounds: 2, bytes: (ty.bytes() + 3 * words) as u64 }
}

/// The number whose summands are `first`, at server 0, and `others`, at server 1 and again at
/// server 2, divided by 2^bits. It errs by less than one unit of the result, without bias, for
/// numbers below 2^(width − 2) in magnitude.
pub(super) fn truncate(
    cx: &mut Lowering<'_, Shared>,
    first: &[Port],
    others: [&[Port]; 2],
    bits: u32,
) -> Shared {
    let [s0, s1, s2] = servers(cx);
    let number = cx.next_pad();
    let mut drop = Attributes::default();
    drop.set("bits", bits);
    let with = |holders: &[(&str, &sordino_graph::PlayerName)]| {
        let mut attributes = drop.clone();
        attributes.set("pad", number);
        for (group, server) in holders {
            attributes.set(group, vec![s0.clone(), (*server).clone()]);
        }
        attributes
    };
    let attributes = with(&[("first", &s1), ("second", &s2)]);
    let [new_0, new_1, top] = cx.emit_all(&op::truncate_first::OP.spec, attributes, first, &s0);
    let new_0_at_s2 = cx.transfer(new_0, &s2);
    let top = cx.transfer(top, &s1);
    let inputs = [&[top], others[0]].concat();
    let second = &op::truncate_second::OP.spec;
    let [new_1_at_s1, part_1, sent_1] = cx.emit_all(second, with(&[("first", &s1)]), &inputs, &s1);
    let third = &op::truncate_third::OP.spec;
    let [part_2, sent_2] = cx.emit_all(third, with(&[("second", &s2)]), others[1], &s2);
    let received = [cx.transfer(sent_2, &s1), cx.transfer(sent_1, &s2)];
    let last = &op::truncate_last::OP.spec;
    let new_2_at_s1 = cx.emit(last, drop.clone(), &[part_1, received[0]], &s1);
    let new_2_at_s2 = cx.emit(last, drop, &[part_2, received[1]], &s2);
    Shared::Replicated([[new_0, new_1], [new_1_at_s1, new_2_at_s1], [new_2_at_s2, new_0_at_s2]])
}
