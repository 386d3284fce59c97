//! What a lowered graph sends in a step.

use std::collections::BTreeMap;

use crate::PlayerName;
use crate::graph::Graph;
use crate::op::Role;

/// What crosses the network in a step, framing left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The most transfers that wait for each other: how often the step waits for the network.
    pub rounds: usize,
    /// What goes from a player to another.
    pub links: BTreeMap<(PlayerName, PlayerName), Load>,
}

/// What one link carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Values.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What the transfers of a verified, lowered graph make players send to each other.
#[must_use]
pub fn traffic(lowered: &Graph) -> Traffic {
    let mut traffic = Traffic::default();
    let mut depths: Vec<usize> = Vec::with_capacity(lowered.len());
    for (_, node) in lowered.nodes() {
        let before = node.inputs.iter().map(|port| port.node).chain(node.after.iter().copied());
        let mut depth = before.map(|id| depths[id.index()]).max().unwrap_or(0);
        let from = node.inputs.first().and_then(|port| lowered.node(port.node).place.player());
        if let (Role::Transfer, Some(from), Some(to)) = (node.op.role, from, node.place.player()) {
            depth += 1;
            let load = traffic.links.entry((from.clone(), to.clone())).or_default();
            load.messages += 1;
            load.bytes += node.outputs.iter().map(|ty| ty.bytes() as u64).sum::<u64>();
        }
        traffic.rounds = traffic.rounds.max(depth);
        depths.push(depth);
    }
    traffic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{graph_of, name};

    #[test]
    fn transfers_are_counted_by_link() {
        let nodes = "  %0 = zeros[shape=[3]]() : f32[3] @a
  %1 = transfer(%0) : f32[3] @b
  %2 = transfer(%0) : f32[3] @b
  %3 = transfer(%1) : f32[3] @c
  %4 = negate(%3) : f32[3] @c";
        let found = traffic(&graph_of("lowered graph", nodes));
        assert_eq!(found.rounds, 2);
        let load = |messages, bytes| Load { messages, bytes };
        let [a, b, c] = ["a", "b", "c"].map(name);
        let links = [((a, b.clone()), load(2, 24)), ((b, c), load(1, 12))];
        assert_eq!(found.links, links.into());
        assert_eq!(traffic(&graph_of("lowered graph", "")), Traffic::default());
    }
}
