//! *structure*: the graph is one.
//!
//! - `structure/players`: players are listed once each; those that the head names are listed.
//! - `structure/inputs`: inputs and control edges lead to nodes that stand earlier, so that
//!   creation order is an order of execution and no cycle can be.
//! - `structure/outputs`: a node has at most 2^16 outputs and the ports that are read exist.

use std::collections::BTreeSet;

use super::Faults;
use crate::graph::Graph;

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    check_players(graph, faults);
    for (id, node) in graph.nodes() {
        for input in &node.inputs {
            if input.node >= id {
                let message = format!("{id} reads {input}, which does not stand before it");
                faults.node("structure/inputs", id, message);
            } else if graph.ty(*input).is_none() {
                let message = format!("{id} reads {input}, an output that does not exist");
                faults.node("structure/outputs", id, message);
            }
        }
        if let Some(before) = node.after.iter().find(|&&before| before >= id) {
            let message = format!("{id} is after {before}, which does not stand before it");
            faults.node("structure/inputs", id, message);
        }
        if node.outputs.len() > 1 << 16 {
            faults.node("structure/outputs", id, "has more than 65536 outputs");
        }
    }
}

fn check_players(graph: &Graph, faults: &mut Faults<'_>) {
    let setup = graph.setup();
    let mut listed = BTreeSet::new();
    for player in &setup.players {
        if !listed.insert(player) {
            faults.graph("structure/players", format!("{player} is listed twice"));
        }
    }
    let servers = setup.secure.iter().flat_map(|secure| &secure.servers);
    let reveals = setup.policy.reveals.iter().map(|rule| &rule.to);
    for player in servers.clone().chain(reveals).chain(&setup.policy.releases) {
        if !listed.contains(player) {
            let message = format!("{player} is named but not listed: add it to the players");
            faults.graph("structure/players", message);
        }
    }
    let distinct: BTreeSet<_> = servers.clone().collect();
    if distinct.len() != servers.count() {
        faults.graph("structure/players", "a server is listed twice");
    }
}
