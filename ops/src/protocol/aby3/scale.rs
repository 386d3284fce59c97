//! Multiples by a public number. Source: ABY3, section 3.1.
//!
//! A whole number multiplies every share where it is. Any other factor is encoded as m·2^-b, a
//! whole m with as many significant bits as 1 has in the format of the secret; m multiplies the
//! shares, and the product loses its b low bits again by [`truncate`]: server 0 has s0 + s1, servers
//! 1 and 2 have s2. Servers see what they see in a truncation, and nothing where there is none.
//!
//! The result errs by |x·f|·2^-fraction from the encoding of f and by up to one unit, 2^-fraction,
//! from the truncation. x·f must be smaller in magnitude than 2^(width − 3 − 2·fraction).

use sordino_graph::{Attributes, Node, NodeId};

use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared, linear};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    match Factor::of(node) {
        Factor { bits: 0, .. } => Cost::FREE,
        Factor { bits, .. } => truncate::cost(&node.outputs[0], bits),
    }
}

/// A factor as the servers multiply by it: `multiplier` · 2^-bits.
#[derive(Debug, PartialEq)]
struct Factor {
    multiplier: f64,
    bits: u32,
}

/// The most bits that a truncation drops.
const MOST_BITS: u32 = 62;

impl Factor {
    fn of(node: &Node) -> Self {
        let factor = node.attributes.real("factor").unwrap_or(1.0);
        let fraction = node.outputs[0].fixed().map_or(0, |fixed| fixed.fraction());
        Self::new(factor, fraction)
    }

    fn new(factor: f64, fraction: u32) -> Self {
        if factor.fract() == 0.0 {
            return Self { multiplier: factor, bits: 0 };
        }
        // Zeros behind the point of a small factor take more bits to be dropped.
        let zeros = (-factor.abs().log2()).clamp(0.0, f64::from(MOST_BITS - fraction));
        let mut bits = fraction + zeros as u32;
        let mut multiplier = (factor * f64::from(bits).exp2()).round();
        while bits > 1 && multiplier % 2.0 == 0.0 && multiplier != 0.0 {
            multiplier /= 2.0;
            bits -= 1;
        }
        Self { multiplier, bits }
    }
}

/// Whether the node's factor is a whole number.
pub(super) fn is_whole(node: &Node) -> bool {
    Factor::of(node).bits == 0
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let secret = *cx.secret(node.inputs[0]);
    let Factor { multiplier, bits } = Factor::of(node);
    let product = linear::combine(cx, &[secret], |cx, parts, at| {
        let mut attributes = Attributes::default();
        attributes.set("factor", multiplier);
        cx.emit(&op::scale::OP.spec, attributes, parts, at)
    });
    let result = match product {
        _ if bits == 0 => product,
        Shared::Replicated([at_s0, [_, at_s1], [at_s2, _]]) => {
            truncate(cx, &at_s0, [&[at_s1], &[at_s2]], bits)
        }
        _ => unreachable!("`replicated_nodes` has the inputs of fractional multiples"),
    };
    cx.set_secret(id, result);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_keep_as_many_bits_as_one_has() {
        let factor = |factor, fraction| {
            let Factor { multiplier, bits } = Factor::new(factor, fraction);
            (multiplier, bits)
        };
        assert_eq!(factor(-3.0, 16), (-3.0, 0));
        assert_eq!(factor(0.375, 16), (3.0, 3));
        assert_eq!(factor(0.1, 16), (52_429.0, 19));
        for (small, fraction) in [(0.1 / 128.0, 16), (-1e-9, 16), (1.0 / 3.0, 32), (1e-9, 32)] {
            let (multiplier, bits) = factor(small, fraction);
            let encoded = multiplier * (-f64::from(bits)).exp2();
            let relative = (encoded / small - 1.0).abs();
            assert!(relative <= (-f64::from(fraction)).exp2(), "{small} is {encoded}");
            assert!(bits <= MOST_BITS && multiplier.abs() < (f64::from(fraction) + 1.0).exp2());
        }
    }
}
