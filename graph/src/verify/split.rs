//! *split*: the parts of the players are the lowered graph.
//!
//! - `split/local`: each part follows the rules of its own stage.
//! - `split/edges`: one send for each receive, with the same type and edge number, between the
//!   players that the two name.
//! - `split/join`: joining the parts gives the lowered graph back, so that there is no cycle
//!   through several players.

use std::collections::BTreeMap;

use super::{Faults, VerifyError, verify};
use crate::PlayerName;
use crate::graph::{Graph, Node};
use crate::op::Role;
use crate::partition::{Parts, join};
use crate::types::Type;

/// Checks the parts of a lowered graph against it.
///
/// # Errors
/// [`VerifyError`] with every broken rule.
pub fn verify_parts(lowered: &Graph, parts: &Parts) -> Result<(), VerifyError> {
    for part in parts.values() {
        verify(part)?;
    }
    let mut faults = Faults { graph: lowered, violations: Vec::new() };
    let sends = ends(parts, Role::Send, &mut faults);
    let receives = ends(parts, Role::Receive, &mut faults);
    if sends != receives {
        let differs = |edge: &&i64| sends.get(edge) != receives.get(edge);
        let edges: Vec<_> = sends.keys().chain(receives.keys()).filter(differs).collect();
        let message = format!("edges {edges:?} are not sent and received alike");
        faults.graph("split/edges", message);
    }
    let joined = join(parts).is_some_and(|joined| same_computation(&joined, lowered));
    if !joined {
        faults.graph("split/join", "the parts do not join to the lowered graph");
    }
    faults.finish()
}

/// From, to and type of each edge.
type Ends = BTreeMap<i64, (PlayerName, PlayerName, Type)>;

fn ends(parts: &Parts, role: Role, faults: &mut Faults<'_>) -> Ends {
    let mut ends = Ends::new();
    for (player, part) in parts {
        for (_, node) in part.nodes().filter(|(_, node)| node.op.role == role) {
            let end = describe(player, part, node);
            let Some((edge, end)) = end else {
                faults.graph("split/edges", format!("{player} has a faulty {}", node.op.name));
                continue;
            };
            if ends.insert(edge, end).is_some() {
                faults.graph("split/edges", format!("edge {edge} has two of {}", node.op.name));
            }
        }
    }
    ends
}

fn describe(
    player: &PlayerName,
    part: &Graph,
    node: &Node,
) -> Option<(i64, (PlayerName, PlayerName, Type))> {
    let edge = node.attributes.int("edge")?;
    let end = if node.op.role == Role::Send {
        let ty = part.ty(*node.inputs.first()?)?.clone();
        (player.clone(), node.attributes.player("to")?.clone(), ty)
    } else {
        (node.attributes.player("from")?.clone(), player.clone(), node.outputs.first()?.clone())
    };
    Some((edge, end))
}

/// Whether the graphs have the same nodes reading the same values. Nodes are told apart by their
/// description and the descriptions of what they read, whatever their order.
fn same_computation(a: &Graph, b: &Graph) -> bool {
    fn fingerprints(graph: &Graph) -> Vec<u64> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut of_node: Vec<u64> = Vec::with_capacity(graph.len());
        for (_, node) in graph.nodes() {
            let mut hasher = DefaultHasher::new();
            node.op.name.hash(&mut hasher);
            format!("{:?}", node.attributes).hash(&mut hasher);
            node.outputs.hash(&mut hasher);
            node.place.hash(&mut hasher);
            node.scope.hash(&mut hasher);
            for input in &node.inputs {
                (of_node[input.node.index()], input.slot).hash(&mut hasher);
            }
            for before in &node.after {
                of_node[before.index()].hash(&mut hasher);
            }
            of_node.push(hasher.finish());
        }
        of_node.sort_unstable();
        of_node
    }
    fingerprints(a) == fingerprints(b)
}
