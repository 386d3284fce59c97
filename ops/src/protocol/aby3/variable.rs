//! Secret variables: each server keeps its two shares as variables of its own. The names hold the
//! owners, so that what one run keeps under some owners no other run reads under others. Nothing crosses
//! the wire.

use sha2::{Digest, Sha256};
use sordino_graph::{Attributes, Node, NodeId, Place, Port, Type};

use super::share::servers;
use super::{Lowering, Shared};
use crate::op;
use crate::planes::stack;

pub(super) use super::free as cost;

/// Name of the variable that holds one half of a server's shares.
fn name(node: &Node, half: usize) -> String {
    let owners = node.attributes.players("owners").unwrap_or_default();
    let mut names: Vec<_> = owners.iter().map(|owner| owner.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let digest = Sha256::digest(names.join(",").as_bytes());
    let owners: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let variable = node.attributes.text("variable").unwrap_or_default();
    format!("secret/{variable}/{owners}/{half}")
}

pub(super) fn read(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let secret = &node.outputs[0];
    let n = secret.shape.elements();
    let ty = match (secret.fixed(), secret.bits()) {
        (Some(fixed), _) => Type::share(fixed, secret.shape.clone()),
        (None, Some(bits)) => match stack(bits as usize, n) {
            Ok(ty) => ty,
            Err(error) => return cx.misfit(node.op, error),
        },
        (None, None) => return,
    };
    let shares = servers(cx).map(|server| {
        [0, 1].map(|half| {
            let mut attributes = Attributes::default();
            attributes.set("variable", name(node, half).as_str());
            attributes.set("type", ty.clone());
            let place = Place::Player(server.clone());
            let op = &op::read_variable::OP.spec;
            let outputs = vec![ty.clone()];
            let read = Node { op, attributes, inputs: vec![], outputs, place, ..node.clone() };
            Port { node: cx.access(id, read), slot: 0 }
        })
    });
    let words = secret.fixed().is_none();
    cx.set_secret(id, if words { Shared::Bits(shares) } else { Shared::Replicated(shares) });
}

pub(super) fn assign(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let (Shared::Replicated(shares) | Shared::Bits(shares)) = *cx.secret(node.inputs[0]) else {
        unreachable!("`replicated_nodes` has what is kept")
    };
    for (server, shares) in servers(cx).into_iter().zip(shares) {
        for (half, share) in shares.into_iter().enumerate() {
            let mut attributes = Attributes::default();
            attributes.set("variable", name(node, half).as_str());
            let place = Place::Player(server.clone());
            let (op, inputs) = (&op::assign::OP.spec, vec![share]);
            cx.access(id, Node { op, attributes, inputs, outputs: vec![], place, ..node.clone() });
        }
    }
}
