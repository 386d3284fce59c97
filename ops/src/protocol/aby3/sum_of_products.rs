//! Products of secrets that are added before they are truncated. Source: ABY3 (a product
//! of vectors costs what one product costs).
//!
//! Each server adds what it multiplies of each pair; from there on the sum is one product, see
//! [`multiply`](super::multiply), of which more bits are dropped.

use sordino_graph::{Attributes, Node, NodeId};

use super::multiply::zero_mask;
use super::share::servers;
use super::truncate::{self, truncate};
use super::{Cost, Lowering, Shared};
use crate::op;

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let ty = &node.outputs[0];
    let truncated = truncate::cost(ty, dropped(node));
    Cost { bytes: truncated.bytes + 2 * ty.bytes() as u64, ..truncated }
}

fn dropped(node: &Node) -> u32 {
    let shift = node.attributes.int("shift").and_then(|shift| u32::try_from(shift).ok());
    node.outputs[0].fixed().map_or(0, |fixed| fixed.fraction()) + shift.unwrap_or_default()
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let shares: Vec<_> = node.inputs.iter().map(|&port| cx.secret(port).replicated()).collect();
    let servers = servers(cx);
    let parts = [0, 1, 2].map(|i| {
        let products: Vec<_> = shares
            .as_chunks()
            .0
            .iter()
            .map(|[x, y]| {
                let mut attributes = Attributes::default();
                attributes.set("server", i);
                let inputs = [x[i][0], x[i][1], y[i][0], y[i][1]];
                cx.emit(&op::cross_mul::OP.spec, attributes, &inputs, &servers[i])
            })
            .collect();
        match products[..] {
            [product] => product,
            _ => cx.emit(&op::add_n::OP.spec, Attributes::default(), &products, &servers[i]),
        }
    });
    let [z0, z1, z2] = zero_mask(cx, parts);
    let from_2 = cx.transfer(z2, &servers[1]);
    let from_1 = cx.transfer(z1, &servers[2]);
    let sum = truncate(cx, &[z0], [&[z1, from_2], &[from_1, z2]], dropped(node));
    cx.set_secret(id, sum);
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use crate::op::sum_of_products;
    use crate::protocol::testing::revealed;

    #[test]
    fn products_are_added_and_shifted() {
        let x: Vec<f64> = (0..500).map(|i| f64::from(i - 250) / 64.0).collect();
        let y: Vec<f64> = (0..500).map(|i| f64::from(i * 7 % 500) / 16.0).collect();
        let inputs: [(&[usize], _); 2] = [(&[500], x.clone()), (&[500], y.clone())];
        for (fixed, unit) in [(Fixed::LOW, 2f64.powi(-16)), (Fixed::HIGH, 2f64.powi(-32))] {
            for shift in [0, 14] {
                let sum = revealed("ABY3", fixed, &inputs, &|_, x| {
                    sum_of_products(&[(x[0], x[1]), (x[0], x[0])], shift)
                });
                for ((x, y), z) in x.iter().zip(&y).zip(sum) {
                    let exact = (x * y + x * x) / 2f64.powi(shift as i32);
                    assert!(
                        (exact - z).abs() <= unit + exact.abs() * 1e-7,
                        "{exact} is not {z} at {fixed}, shifted by {shift}"
                    );
                }
            }
        }
    }
}
