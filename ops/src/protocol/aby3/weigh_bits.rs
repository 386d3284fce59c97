//! Weighted sums of bits: from bits to all numbers that depend on them, in one conversion.
//!
//! Server 0 knows u = c0 ^ c1 of each bit, servers 1 and 2 know v = c2; see
//! [`tensor::weighing`](crate::tensor::weighing) for the sums. It is the conversion of a bit of
//! ABY3, section 5.4, with its oblivious transfer as the product of a number that one server has
//! with one that two have, and with the weights inside.
//!
//! | round | from → to | what | hidden by a pad of |
//! |---|---|---|---|
//! | 1 | 0 → 1 | u, as a number for each bit that weighs something | 0 and 2 |
//! | 2 | 1 → 2 | its part of the sums | 0 and 1 |
//! | 2 | 2 → 1 | its part of the sums | 0 and 2 |
//!
//! The pads of round 2 are the summands that server 0 has; what servers 1 and 2 tell each other
//! adds up to the summand that both have. In all a ring element for each such bit, and two for
//! each sum.

use sordino_graph::{Attribute, Attributes, Node, NodeId, PlayerName, Secrecy, Type};

use super::compare::input;
use super::share::{draw, servers};
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::tensor::weighing::Weighing;

pub(super) fn cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let (bits, ty) = (shared(node, input(cx, node)), &node.outputs[0]);
    Cost { rounds: 2, bytes: (bits.bytes() + 2 * ty.bytes()) as u64 }
}

/// The type of the bits that weigh something, shared as numbers.
fn shared(node: &Node, words: &Type) -> Type {
    let ty = &node.outputs[0];
    let (count, n) = (words.shape.axes()[0], words.shape.axes()[1]);
    let width = words.bits().unwrap_or(1) as usize;
    let weights = node.attributes.reals("weights").unwrap_or_default();
    let fraction = ty.fixed().map_or(0, |fixed| fixed.fraction());
    let bits = Weighing::new([count, width, n], weights, fraction).bits();
    let shape = sordino_graph::Shape::new(&[bits, n]);
    Type { secrecy: Secrecy::Share, shape: shape.unwrap_or(ty.shape.clone()), ..ty.clone() }
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let stack = cx.secret(node.inputs[0]).bits();
    let words = input(cx, node).clone();
    let part = shared(node, &words);
    let ty = Type { secrecy: Secrecy::Share, ..node.outputs[0].clone() };
    let [s0, s1, s2] = servers(cx);
    let (with_1, with_2) = (vec![s0.clone(), s1.clone()], vec![s0.clone(), s2.clone()]);
    let number = cx.next_pad();
    let attributes = |holders: &[PlayerName], lane: u32| {
        let mut attributes = Attributes::default();
        attributes.set("holders", holders.to_vec());
        attributes.set("lane", lane);
        attributes.set("pad", number);
        attributes.set("type", ty.clone());
        attributes.set("words", words.shape.axes()[0]);
        if let Some(weights) = node.attributes.get("weights") {
            attributes.set("weights", weights.clone());
        }
        attributes
    };
    let (lane_bits, lane_first, lane_second) = (0, 1, 2);

    let bits = attributes(&with_2, lane_bits);
    let sent = cx.emit(&op::weigh_first::OP.spec, bits, &stack[0], &s0);
    let part_1 = cx.transfer(sent, &s1);
    let part_2 = draw(cx, number, lane_bits, with_2.clone(), &part, &s2);

    let second = |first: bool, mut attributes: Attributes| {
        attributes.set("first", first);
        let constants = node.attributes.reals("constants").unwrap_or_default();
        attributes.set("constants", Attribute::Reals(constants.to_vec()));
        attributes
    };
    let spec = &op::weigh_second::OP.spec;
    let at_1 = second(true, attributes(&with_1, lane_first));
    let at_2 = second(false, attributes(&with_2, lane_second));
    let [sums_1, pad_1] = cx.emit_all(spec, at_1, &[stack[1][1], part_1], &s1);
    let [sums_2, pad_2] = cx.emit_all(spec, at_2, &[stack[2][0], part_2], &s2);
    let from_2 = cx.transfer(sums_2, &s1);
    let from_1 = cx.transfer(sums_1, &s2);
    let add = &op::add_n::OP.spec;
    let third_1 = cx.emit(add, Attributes::default(), &[sums_1, from_2], &s1);
    let third_2 = cx.emit(add, Attributes::default(), &[from_1, sums_2], &s2);
    let at_0 = [
        draw(cx, number, lane_second, with_2, &ty, &s0),
        draw(cx, number, lane_first, with_1, &ty, &s0),
    ];
    let result = [at_0, [pad_1, third_1], [third_2, pad_2]];
    cx.set_secret(id, Shared::Replicated(result));
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use crate::op::{add_n, concat, negative, reshape, to_bits, weigh_bits};
    use crate::protocol::testing::revealed;

    /// Numbers of several comparisons, and of the digits of a word.
    #[test]
    fn bits_weigh_what_they_weigh() {
        let x: Vec<f64> = (0..70).map(|i| f64::from(i - 35) / 8.0).collect();
        let y: Vec<f64> = x.iter().map(|x| x * 3.0 + 1.0).collect();
        let inputs: [(&[usize], _); 2] = [(&[70], x.clone()), (&[70], y.clone())];
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let sums = revealed("ABY3", fixed, &inputs, &|_, x| {
                let rows = x.iter().map(|&x| reshape(x, &[1, 70]));
                let bits = negative(concat(rows, 0));
                let weights = [vec![2.0, -0.5], vec![0.0, 1.25]];
                let rows = weigh_bits(bits, fixed, &weights, &[0.25, -1.0]);
                add_n([rows[0], rows[1], rows[1]])
            });
            for ((x, y), z) in x.iter().zip(&y).zip(sums) {
                let bit = |x: &f64| f64::from(u8::from(*x < 0.0));
                assert_eq!(z, 0.25 - 2.0 + 2.0 * bit(x) + (2.5 - 0.5) * bit(y));
            }
            let whole = revealed("ABY3", fixed, &inputs[..1], &|_, x| {
                let mut weights = vec![0.0; fixed.width().bits() as usize];
                for bit in 0..8 {
                    weights[fixed.fraction() as usize + bit] = f64::from(1 << bit);
                }
                weigh_bits(to_bits(reshape(x[0], &[1, 70])), fixed, &[weights], &[0.0])[0]
            });
            for (x, whole) in x.iter().zip(whole) {
                assert_eq!(whole, x.floor().rem_euclid(256.0));
            }
        }
    }
}
