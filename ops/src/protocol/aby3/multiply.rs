//! Products of two secrets: of elements, of matrices, and convolutions. Source: ABY3, section 3.2;
//! the truncation is in [`truncate`].
//!
//! Each server multiplies what it holds (see [`cross`](crate::cross)) and adds its part of a sharing
//! of 0, which makes what it sends uniformly random to a receiver that lacks one of its two pads.
//! Servers 1 and 2 then tell each other their parts, so that both have one side of the product, and
//! server 0 has the other. That is the first round of the truncation too: 2 rounds and 30 bytes an
//! element of the product at 64 bits, 2 rounds and 60 at 128.

use sordino_graph::{Attributes, Node, NodeId, OpSpec, Port};

use super::share::servers;
use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let ty = &node.outputs[0];
    let Some(fixed) = ty.fixed() else { return Cost::FREE };
    // What server 0 sends for the truncation goes with the parts.
    let truncated = truncate::cost(ty, fixed.fraction());
    Cost { bytes: truncated.bytes + 2 * ty.bytes() as u64, ..truncated }
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let Some(fixed) = node.outputs[0].fixed() else { return };
    let [z0, z1, z2] = zero_masked(cx, node);
    let [_, s1, s2] = servers(cx);
    let from_2 = cx.transfer(z2, &s1);
    let from_1 = cx.transfer(z1, &s2);
    let product = truncate(cx, &[z0], [&[z1, from_2], &[from_1, z2]], fixed.fraction());
    cx.set_secret(id, product);
}

/// What multiplies the summands of secrets that an op multiplies.
fn cross_op(node: &Node) -> &'static OpSpec {
    match node.op.name {
        "mul" | "square" => &op::cross_mul::OP.spec,
        "matmul" => &op::cross_matmul::OP.spec,
        "conv2d" => &op::cross_conv2d::OP.spec,
        "conv2d_grad_filters" => &op::cross_conv2d_grad_filters::OP.spec,
        "conv2d_grad_images" => &op::cross_conv2d_grad_images::OP.spec,
        other => unreachable!("`RULES` has no products for {other}"),
    }
}

/// Each server's part of the product that a node is, safe to send.
fn zero_masked(cx: &mut Lowering<'_, Shared>, node: &Node) -> [Port; 3] {
    let of = |i: usize| cx.secret(node.inputs[i.min(node.inputs.len() - 1)]).replicated();
    let (x, y) = (of(0), of(1));
    let parts = [0, 1, 2].map(|i| {
        let mut attributes = node.attributes.clone();
        attributes.set("server", i);
        let at = &servers(cx)[i];
        cx.emit(cross_op(node), attributes, &[x[i][0], x[i][1], y[i][0], y[i][1]], at)
    });
    zero_mask(cx, parts)
}

/// Parts of a sum, one a server, with a part of 0 added to each.
pub(super) fn zero_mask(cx: &mut Lowering<'_, Shared>, parts: [Port; 3]) -> [Port; 3] {
    let servers = servers(cx);
    let pad = cx.next_pad();
    // The pad of lane i is of the servers i - 1 and i.
    let holders = |lane: usize| vec![servers[(lane + 2) % 3].clone(), servers[lane % 3].clone()];
    [0, 1, 2].map(|i| {
        let mut attributes = Attributes::default();
        attributes.set("lane", i);
        attributes.set("pad", pad);
        attributes.set("plus", holders(i));
        attributes.set("minus", holders(i + 1));
        cx.emit(&op::zero_mask::OP.spec, attributes, &[parts[i]], &servers[i])
    })
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use crate::data::random::SplitMix64;
    use crate::op::{add_n, matmul, mul, scale};
    use crate::protocol::testing::revealed;

    fn numbers(seed: u64, n: usize, magnitude: f64) -> Vec<f64> {
        let mut random = SplitMix64::new(seed);
        (0..n).map(|_| (random.unit() * 2.0 - 1.0) * magnitude).collect()
    }

    #[test]
    fn products_err_by_a_unit() {
        for (fixed, unit) in [(Fixed::LOW, 2f64.powi(-16)), (Fixed::HIGH, 2f64.powi(-32))] {
            let (x, y) = (numbers(1, 1001, 100.0), numbers(2, 1001, 1000.0));
            let inputs: [(&[usize], _); 2] = [(&[7, 143], x.clone()), (&[7, 143], y.clone())];
            let product = revealed("ABY3", fixed, &inputs, &|_, x| mul(x[0], x[1]));
            for ((x, y), z) in x.iter().zip(&y).zip(product) {
                let bound = unit * (1.5 + (x.abs() + y.abs()) / 2.0) + (x * y).abs() * 1e-7;
                assert!((x * y - z).abs() <= bound, "{x} * {y} is not {z} at {fixed}");
            }
        }
    }

    #[test]
    fn matrix_products_err_by_a_unit_and_what_their_factors_err_by() {
        for (fixed, unit) in [(Fixed::LOW, 2f64.powi(-16)), (Fixed::HIGH, 2f64.powi(-32))] {
            let (m, k, n) = (5, 17, 3);
            let (x, y) = (numbers(3, m * k, 10.0), numbers(4, k * n, 10.0));
            let inputs: [(&[usize], _); 2] = [(&[m, k], x.clone()), (&[k, n], y.clone())];
            let product = revealed("ABY3", fixed, &inputs, &|_, x| matmul(x[0], x[1]));
            for (at, z) in product.iter().enumerate() {
                let (i, j) = (at / n, at % n);
                let exact: f64 = (0..k).map(|l| x[i * k + l] * y[l * n + j]).sum();
                let bound = unit * (1.0 + 10.0 * k as f64) + exact.abs() * 1e-7;
                assert!((exact - z).abs() <= bound, "{exact} is not {z} at {fixed}");
            }
        }
    }

    #[test]
    fn products_of_products_and_multiples_of_sums() {
        let inputs: [(&[usize], _); 1] = [(&[3], vec![1.5, -2.0, 0.25])];
        let cube = |fixed| {
            revealed("ABY3", fixed, &inputs, &|_, x| {
                let square = mul(x[0], x[0]);
                scale(add_n([mul(square, x[0]), square]), 0.75)
            })
        };
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            for (x, y) in inputs[0].1.iter().zip(cube(fixed)) {
                let exact = 0.75 * (x * x * x + x * x);
                assert!((exact - y).abs() < 1e-3, "{exact} is not {y}");
            }
        }
    }
}
