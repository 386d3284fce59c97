//! Sums of multiples by public numbers. Source: ABY3, section 3.1.
//!
//! Weights are encoded as whole numbers times 2^-b, multiply the shares where they are, and what
//! they add up to is truncated by b bits once, as a single multiple is by [`scale`](super::scale).
//! Servers 1 and 2 add the constant to the summand that both of them hold. Servers see what they see in
//! that truncation, and nothing where there is none.

use sordino_graph::{Attribute, Attributes, Node, NodeId, PlayerName, Port};

use super::share::servers;
use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    match dropped(node) {
        0 => Cost::FREE,
        bits => truncate::cost(&node.outputs[0], bits),
    }
}

/// Bits that the weights have behind the point. The least is what keeps the bytes of 16 bits in
/// packed words; see [`truncate`](super::truncate).
fn dropped(node: &Node) -> u32 {
    let weights = node.attributes.reals("weights").unwrap_or_default();
    if weights.iter().all(|weight| weight.fract() == 0.0) {
        return 0;
    }
    node.outputs[0].fixed().map_or(0, |fixed| fixed.fraction().max(20))
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(fixed) = node.outputs[0].fixed() else { return };
    let bits = dropped(node);
    let unit = (1u64 << bits) as f64;
    let weights = node.attributes.reals("weights").unwrap_or_default();
    let weights: Vec<f64> = weights.iter().map(|weight| (weight * unit).round()).collect();
    let constant = node.attributes.real("constant").unwrap_or_default();
    let constant = (constant * unit * (1u64 << fixed.fraction()) as f64).round();
    let terms: Vec<_> = node.inputs.iter().map(|&port| cx.secret(port).replicated()).collect();
    let sum = |cx: &mut Lowering<'_, Shared>, i: usize, half: usize, at: &PlayerName| -> Port {
        let parts: Vec<_> = terms.iter().map(|shares| shares[i][half]).collect();
        let mut attributes = Attributes::default();
        attributes.set("constant", if (i + half) % 3 == 2 { constant } else { 0.0 });
        attributes.set("weights", Attribute::Reals(weights.clone()));
        cx.emit(&op::weighted_sum::OP.spec, attributes, &parts, at)
    };
    let [s0, s1, s2] = servers(cx);
    let first = [sum(cx, 0, 0, &s0), sum(cx, 0, 1, &s0)];
    let (at_s1, at_s2) = (sum(cx, 1, 1, &s1), sum(cx, 2, 0, &s2));
    let result = if bits == 0 {
        Shared::Replicated([first, [sum(cx, 1, 0, &s1), at_s1], [at_s2, sum(cx, 2, 1, &s2)]])
    } else {
        truncate(cx, &first, [&[at_s1], &[at_s2]], bits)
    };
    cx.set_secret(id, result);
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use crate::op::weighted_sum;
    use crate::protocol::testing::revealed;

    #[test]
    fn multiples_are_added_and_truncated_once() {
        let x: Vec<f64> = (0..500).map(|i| f64::from(i - 250) / 64.0).collect();
        let y: Vec<f64> = (0..500).map(|i| f64::from(i * 7 % 500) / 16.0).collect();
        let inputs: [(&[usize], _); 2] = [(&[500], x.clone()), (&[500], y.clone())];
        for (fixed, unit) in [(Fixed::LOW, 2f64.powi(-16)), (Fixed::HIGH, 2f64.powi(-32))] {
            let weights = [-1.0 / 3.0, 0.7];
            let sum = revealed("ABY3", fixed, &inputs, &|_, x| weighted_sum(x, &weights, -2.5));
            for ((x, y), z) in x.iter().zip(&y).zip(sum) {
                let exact = -2.5 + weights[0] * x + weights[1] * y;
                let bound = unit * (1.0 + (x.abs() + y.abs()) / 2.0) + exact.abs() * 1e-7;
                assert!((exact - z).abs() <= bound, "{exact} is not {z} at {fixed}");
            }
        }
    }

    #[test]
    fn whole_multiples_are_exact() {
        let inputs: [(&[usize], _); 2] = [(&[2], vec![1.5, -0.25]), (&[2], vec![0.125, 3.0])];
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let sum =
                revealed("ABY3", fixed, &inputs, &|_, x| weighted_sum(x, &[3.0, -2.0], 0.375));
            assert_eq!(sum, [4.625, -6.375]);
        }
    }
}
