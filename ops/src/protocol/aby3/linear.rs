//! Sums, and what moves elements: each server does to its shares what is done to the secret.
//! Source: ABY3, section 3.1.

use sordino_graph::{Node, NodeId, PlayerName, Port};

use super::share::servers;
use super::{Lowering, Shared, bits};

pub(super) use super::free as cost;

/// Applies the node's op to the shares.
pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    if node.outputs[0].bits().is_some() {
        return bits::arrange(cx, id, node);
    }
    let terms: Vec<Shared> = node.inputs.iter().map(|&port| *cx.secret(port)).collect();
    let result =
        combine(cx, &terms, |cx, parts, at| cx.emit(node.op, node.attributes.clone(), parts, at));
    cx.set_secret(id, result);
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
