//! *placement*: no op is off its device by accident.
//!
//! - `placement/player`: a node is on a listed player, or on `secure` when there are servers; in a
//!   lowered graph on a player; in a local one on that player.
//! - `placement/inputs`: a node's inputs are where it computes, except across a transfer (player
//!   to another player), a share (player to `secure`) and a reveal (`secure` to player).
//! - `placement/secrecy`: secrets are on `secure`, plaintext is not.
//! - `placement/order`: control edges order the accesses of a variable, and nothing else. An
//!   access comes after the last assignment that stands before it, an assignment also after the
//!   reads since.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Faults;
use crate::PlayerName;
use crate::graph::{Graph, Node, NodeId, Place, Stage};
use crate::op::Role;
use crate::types::Secrecy;

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    let players: BTreeSet<_> = graph.setup().players.iter().collect();
    for (id, node) in graph.nodes() {
        check_place(graph, &players, id, node, faults);
        check_inputs(graph, id, node, faults);
        let wrong = node
            .outputs
            .iter()
            .find(|ty| (ty.secrecy == Secrecy::Secret) != (node.place == Place::Secure));
        if let Some(ty) = wrong {
            faults.node("placement/secrecy", id, format!("{ty} cannot be {}", node.place));
        }
    }
    check_order(graph, faults);
}

fn check_place(
    graph: &Graph,
    players: &BTreeSet<&PlayerName>,
    id: NodeId,
    node: &Node,
    faults: &mut Faults<'_>,
) {
    let legal = match (&node.place, graph.stage()) {
        (Place::Player(player), Stage::Local(local)) => player == local,
        (Place::Player(player), _) => players.contains(player),
        (Place::Secure, Stage::Recorded) => graph.setup().secure.is_some(),
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

fn accesses_variable(node: &Node) -> bool {
    matches!(node.op.role, Role::ReadVariable | Role::AssignVariable)
}

/// Accesses of a variable since, and with, the last assignment.
#[derive(Default)]
struct Accesses {
    assigned: Option<NodeId>,
    read: Vec<NodeId>,
}

fn check_order(graph: &Graph, faults: &mut Faults<'_>) {
    let variable = |node: &Node| {
        let name = node.attributes.text("variable").filter(|_| accesses_variable(node))?;
        Some((node.place.clone(), name.to_owned()))
    };
    let mut variables: HashMap<(Place, String), Accesses> = HashMap::new();
    for (id, node) in graph.nodes() {
        let of_node = variable(node);
        let foreign =
            |before: &&NodeId| of_node.is_none() || variable(graph.node(**before)) != of_node;
        if let Some(before) = node.after.iter().find(foreign) {
            let message = format!("is after {before}, which is no access of the same variable");
            faults.node("placement/order", id, message);
        }
        let Some(of_node) = of_node else { continue };
        let accesses = variables.entry(of_node).or_default();
        let assigns = node.op.role == Role::AssignVariable;
        let reads = accesses.read.iter().filter(|_| assigns);
        let after: HashSet<_> = node.after.iter().collect();
        if let Some(before) = accesses.assigned.iter().chain(reads).find(|id| !after.contains(id)) {
            let message = format!("must be after {before}, an access of the same variable");
            faults.node("placement/order", id, message);
        }
        if assigns {
            *accesses = Accesses { assigned: Some(id), read: Vec::new() };
        } else {
            accesses.read.push(id);
        }
    }
}
