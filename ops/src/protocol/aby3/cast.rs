//! Numbers in another format.
//!
//! **To a smaller ring.** The bits that the format lacks behind the point are dropped by
//! [`truncate`], and each server keeps the low bits of its summands, whose sum wraps as theirs does.
//! The result errs by up to one unit.
//!
//! **To a larger ring.** Summands that wrap modulo 2^64 must not be taken for numbers. But 2^64 times
//! them are summands modulo 2^128 of 2^64 times the number, of which [`truncate`] drops what is too
//! much: the product of two top bits that it computes is the wrap. It drops zeros, so it is exact
//! but for one unit that centres its error, which server 0 takes off first.
//!
//! | | rounds | bytes an element |
//! |---|---|---|
//! | fix64.16 to fix128.32 | 2 | 40 |
//! | fix128.32 to fix64.16 | 2 | 22 |
//!
//! What crosses the wire is that of a truncation, whose page has the source and what servers see.

use sordino_graph::{Attributes, Fixed, Node, NodeId, PlayerName, Port, Type};

use super::compare::input;
use super::share::servers;
use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared};
use crate::op;

/// The type in whose ring bits are dropped, and how many.
fn truncation(from: &Type, to: &Type) -> Option<(Type, u32)> {
    let (narrow, wide) = (from.fixed()?, to.fixed()?);
    if narrow.width().bits() < wide.width().bits() {
        let more = wide.fraction() - narrow.fraction();
        Some((to.clone(), wide.width().bits() - narrow.width().bits() - more))
    } else {
        Some((from.clone(), narrow.fraction() - wide.fraction()))
    }
}

pub(super) fn cost(cx: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let truncation = truncation(input(cx, node), &node.outputs[0]);
    truncation.map_or(Cost::FREE, |(ty, bits)| truncate::cost(&ty, bits))
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let from = input(cx, node).clone();
    let Some((ty, bits)) = truncation(&from, &node.outputs[0]) else { return };
    let (Some(to), false) = (node.outputs[0].fixed(), bits == 0) else { return };
    let [at_s0, [_, at_s1], [at_s2, _]] = cx.secret(node.inputs[0]).replicated();
    let [s0, s1, s2] = servers(cx);
    if ty != from {
        let minus = bits;
        let first = [moved(cx, at_s0[0], to, minus, &s0), moved(cx, at_s0[1], to, 0, &s0)];
        let others = [moved(cx, at_s1, to, 0, &s1), moved(cx, at_s2, to, 0, &s2)];
        let result = truncate(cx, &first, [&[others[0]], &[others[1]]], bits);
        return cx.set_secret(id, result);
    }
    let shares = truncate(cx, &at_s0, [&[at_s1], &[at_s2]], bits).replicated();
    let servers = [s0, s1, s2];
    let result = [0, 1, 2].map(|i| shares[i].map(|half| moved(cx, half, to, 0, &servers[i])));
    cx.set_secret(id, Shared::Replicated(result));
}

/// The share in the ring of `to`: see [`op::change_ring`].
fn moved(
    cx: &mut Lowering<'_, Shared>,
    share: Port,
    to: Fixed,
    minus: u32,
    at: &PlayerName,
) -> Port {
    let mut attributes = Attributes::default();
    attributes.set("fraction", to.fraction());
    attributes.set("minus", minus);
    attributes.set("width", to.width().bits());
    cx.emit(&op::change_ring::OP.spec, attributes, &[share], at)
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Element, Fixed};

    use crate::op::{cast, concat, mul, scale};
    use crate::protocol::testing::revealed;

    fn numbers(unit: f64) -> Vec<f64> {
        let limit = 2f64.powi(33);
        let mut random = crate::data::random::SplitMix64::new(9);
        let mut x = vec![0.0, unit, -unit, 1.0, -1.0, limit, -limit, 0.5];
        x.extend((0..1001).map(|_| ((random.unit() - 0.5) * 1e5 / unit).round() * unit));
        x
    }

    #[test]
    fn to_the_larger_ring_it_is_exact() {
        let x = numbers(2f64.powi(-16));
        let inputs: [(&[usize], _); 1] = [(&[x.len()], x.clone())];
        let y =
            revealed("ABY3", Fixed::LOW, &inputs, &|_, x| cast(x[0], Element::Fixed(Fixed::HIGH)));
        assert_eq!(y, x);
        // Plain rounds to floats where it shares.
        let inputs: [(&[usize], _); 1] = [(&[8], x[..8].to_vec())];
        let wide = |protocol| {
            revealed(protocol, Fixed::LOW, &inputs, &|_, x| cast(x[0], Element::Fixed(Fixed::HIGH)))
        };
        assert_eq!(wide("Plain"), x[..8]);
    }

    #[test]
    fn to_the_smaller_ring_it_errs_by_less_than_a_unit() {
        let x = numbers(2f64.powi(-32));
        let inputs: [(&[usize], _); 1] = [(&[x.len()], x.clone())];
        let y =
            revealed("ABY3", Fixed::HIGH, &inputs, &|_, x| cast(x[0], Element::Fixed(Fixed::LOW)));
        for (x, y) in x.iter().zip(y) {
            assert!((x - y).abs() <= 2f64.powi(-16) + x.abs() * 1e-7, "{x} became {y}");
        }
    }

    #[test]
    fn what_is_cast_computes() {
        let inputs: [(&[usize], _); 1] = [(&[3], vec![1.5, -2.25, 100.0])];
        let y = revealed("ABY3", Fixed::LOW, &inputs, &|_, x| {
            let wide = cast(x[0], Element::Fixed(Fixed::HIGH));
            let cubes = mul(mul(wide, wide), wide);
            let back = cast(scale(cubes, 0.5), Element::Fixed(Fixed::LOW));
            concat([back, x[0]], 0)
        });
        for (x, y) in inputs[0].1.iter().zip(&y) {
            assert!((0.5 * x * x * x - y).abs() < 1e-4 + y.abs() * 1e-7, "{x} gives {y}");
        }
    }
}
