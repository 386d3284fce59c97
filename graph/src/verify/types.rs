//! *types*: infer again and compare.
//!
//! - `types/infer`: attributes follow the op's schema, inputs fit it, and the types inferred are
//!   the types stated.
//! - `types/stage`: a lowered graph has no secrets as values, a recorded one no shares; what moves
//!   a value is a share, a reveal or a transfer when recorded, a transfer when lowered, and a send
//!   or a receive in the part of a player.

use super::Faults;
use crate::check;
use crate::graph::{Graph, Stage};
use crate::op::Role;
use crate::types::Secrecy;

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    let foreign = match graph.stage() {
        Stage::Recorded => Secrecy::Share,
        Stage::Lowered | Stage::Local(_) => Secrecy::Secret,
    };
    for (id, node) in graph.nodes() {
        match check::infer(graph, node.op, &node.attributes, &node.inputs) {
            Err(error) => faults.node("types/infer", id, format!("{} {error}", node.op.name)),
            Ok(types) if types != node.outputs => {
                let message = format!("{} returns {types:?}, not {:?}", node.op.name, node.outputs);
                faults.node("types/infer", id, message);
            }
            Ok(_) => {}
        }
        if let Some(ty) = node.outputs.iter().find(|ty| ty.secrecy == foreign) {
            faults.node("types/stage", id, format!("{ty} does not exist at this stage"));
        }
        if !belongs(node.op.role, graph.stage()) {
            faults.node("types/stage", id, format!("{} is no op of this stage", node.op.name));
        }
    }
}

fn belongs(role: Role, stage: &Stage) -> bool {
    match role {
        Role::Share | Role::Reveal => *stage == Stage::Recorded,
        Role::Pad => *stage != Stage::Recorded,
        Role::Transfer => !matches!(stage, Stage::Local(_)),
        Role::Send | Role::Receive => matches!(stage, Stage::Local(_)),
        _ => true,
    }
}
