//! Sums: each server adds what it holds. Source: ABY3, section 3.1.

use sordino_graph::{Attributes, Node, NodeId, PlayerName, Port};

use super::share::servers;
use super::{Lowering, Shared};
use crate::op;

pub(super) use super::free as cost;

pub(super) fn lower_sum(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let terms: Vec<Shared> = node.inputs.iter().map(|&port| *cx.secret(port)).collect();
    let sum = combine(cx, &terms, |cx, parts, at| {
        cx.emit(&op::add_n::OP.spec, Attributes::default(), parts, at)
    });
    cx.set_secret(id, sum);
}

/// Applies a linear kernel to the matching shares of `terms` on each server: in replicated form
/// if all terms are, else in additive form.
pub(super) fn combine(
    cx: &mut Lowering<'_, Shared>,
    terms: &[Shared],
    kernel: impl Fn(&mut Lowering<'_, Shared>, &[Port], &PlayerName) -> Port,
) -> Shared {
    let servers = servers(cx);
    let replicated: Option<Vec<[[Port; 2]; 3]>> = terms
        .iter()
        .map(|term| if let Shared::Replicated(shares) = term { Some(*shares) } else { None })
        .collect();
    let server = |i: usize| &servers[i];
    match replicated {
        Some(terms) => Shared::Replicated([0, 1, 2].map(|i| {
            [0, 1].map(|half| {
                let parts: Vec<_> = terms.iter().map(|shares| shares[i][half]).collect();
                kernel(cx, &parts, server(i))
            })
        })),
        None => Shared::Additive([0, 1, 2].map(|i| {
            let parts: Vec<_> = terms.iter().map(|shares| shares.additive()[i]).collect();
            kernel(cx, &parts, server(i))
        })),
    }
}
