//! *placement*: no op is off its device by accident.
//!
//! - `placement/player`: a node is on a listed player, or on `secure` when there are servers; in a
//!   lowered graph on a player; in a local one on that player.
//! - `placement/inputs`: a node's inputs are where it computes, except across a transfer (player
//!   to another player), a share (player to `secure`) and a reveal (`secure` to player).
//! - `placement/secrecy`: secrets are on `secure`, plaintext is not.
//! - `placement/variable`: a variable is on a player.

use super::Faults;
use crate::graph::{Graph, Node, NodeId, Place, Stage};
use crate::op::Role;
use crate::types::Secrecy;

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    for (id, node) in graph.nodes() {
        check_place(graph, id, node, faults);
        check_inputs(graph, id, node, faults);
        let wrong = node
            .outputs
            .iter()
            .find(|ty| (ty.secrecy == Secrecy::Secret) != (node.place == Place::Secure));
        if let Some(ty) = wrong {
            faults.node("placement/secrecy", id, format!("{ty} cannot be {}", node.place));
        }
        let variable = matches!(node.op.role, Role::ReadVariable | Role::AssignVariable);
        if variable && node.place == Place::Secure {
            faults.node("placement/variable", id, "a variable is kept by a player");
        }
    }
}

fn check_place(graph: &Graph, id: NodeId, node: &Node, faults: &mut Faults<'_>) {
    let setup = graph.setup();
    let legal = match (&node.place, graph.stage()) {
        (Place::Player(player), Stage::Local(local)) => player == local,
        (Place::Player(player), _) => setup.players.contains(player),
        (Place::Secure, Stage::Recorded) => setup.secure.is_some(),
        (Place::Secure, _) => false,
    };
    if !legal {
        let message = format!("{} is no place of this graph: list the player", node.place);
        faults.node("placement/player", id, message);
    }
}

fn check_inputs(graph: &Graph, id: NodeId, node: &Node, faults: &mut Faults<'_>) {
    for input in &node.inputs {
        let from = &graph.node(input.node).place;
        let to = &node.place;
        let legal = match node.op.role {
            Role::Transfer => from != to && from.player().is_some() && to.player().is_some(),
            Role::Share => from.player().is_some() && *to == Place::Secure,
            Role::Reveal => *from == Place::Secure && to.player().is_some(),
            _ => from == to,
        };
        if !legal {
            let message = format!(
                "{} {to} reads {input}, which is {from}: move the value by transfer (plaintext), \
                 share (into secure) or reveal (out of it)",
                node.op.name
            );
            faults.node("placement/inputs", id, message);
        }
    }
}
