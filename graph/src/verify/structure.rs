//! *structure*: the graph is one.
//!
//! - `structure/names`: what the graph, its protocol and its scopes are called can be written.
//! - `structure/players`: there are 1 to 1024 players, listed once each; those that the head names
//!   are listed.
//! - `structure/policy`: one rule says what is revealed to a player, over at least one other.
//! - `structure/inputs`: inputs and control edges lead to nodes that stand earlier, so that
//!   creation order is an order of execution and no cycle can be.
//! - `structure/outputs`: a node has at most 2^16 outputs and the ports that are read exist.

use std::collections::BTreeSet;

use super::Faults;
use crate::attribute::is_word_character;
use crate::graph::Graph;

/// Players of a graph at most: bounds what there is once a player, which a text can name in a few
/// bytes.
pub const MOST_PLAYERS: usize = 1024;

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    check_names(graph, faults);
    check_players(graph, faults);
    check_policy(graph, faults);
    for (id, node) in graph.nodes() {
        if !node.scope.chars().all(is_word_character) {
            faults.node("structure/names", id, format!("{:?} is no scope", node.scope));
        }
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

fn check_names(graph: &Graph, faults: &mut Faults<'_>) {
    let protocol = graph.setup().secure.iter().map(|secure| &*secure.protocol);
    for name in protocol.chain([graph.name()]) {
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(legal) {
            let message = format!("{name:?} is no name: write letters a-z, A-Z, digits and _");
            faults.graph("structure/names", message);
        }
    }
}

fn check_policy(graph: &Graph, faults: &mut Faults<'_>) {
    let mut ruled = BTreeSet::new();
    for rule in &graph.setup().policy.reveals {
        if !ruled.insert(&rule.to) {
            faults.graph("structure/policy", format!("two rules reveal to {}", rule.to));
        }
        if rule.over == 0 {
            let message = format!("reveals to {} over no other player: over is 1 or more", rule.to);
            faults.graph("structure/policy", message);
        }
    }
}

fn check_players(graph: &Graph, faults: &mut Faults<'_>) {
    let setup = graph.setup();
    if setup.players.is_empty() || setup.players.len() > MOST_PLAYERS {
        let message =
            format!("{} players are listed, not 1 to {MOST_PLAYERS}", setup.players.len());
        return faults.graph("structure/players", message);
    }
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
