//! What cases cost: declared by the rules, in the lowered graph, and measured on the links.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sordino::graph::{Graph, Node, NodeId, Role};
use sordino::ops::protocol::{aby3, expanded, pads, protocol};
use sordino::ops::{Plan, optimise};
use sordino::prelude::*;
use sordino::runtime::audit::AuditSummary;

fn transfer(node: &Node) -> bool {
    node.op.role == Role::Transfer
}

/// Bytes and rounds of what each rule appended, by the scope that it appended it in. Rounds are
/// counted from where the scope begins.
fn transferred(lowered: &Graph) -> HashMap<&str, (u64, u64)> {
    let mut depth = vec![0; lowered.len()];
    let mut by_scope: HashMap<&str, (u64, u64)> = HashMap::new();
    for (id, node) in lowered.nodes() {
        let within = |input: &NodeId| lowered.node(*input).scope == node.scope;
        let inputs = node.inputs.iter().map(|port| port.node).filter(within);
        let before = inputs.map(|input| depth[input.index()]).max().unwrap_or(0);
        depth[id.index()] = before + u64::from(transfer(node));
        let (bytes, rounds) = by_scope.entry(&*node.scope).or_default();
        *bytes += if transfer(node) { node.outputs[0].bytes() as u64 } else { 0 };
        *rounds = depth[id.index()].max(*rounds);
    }
    by_scope
}

/// Where a rule's declaration is not what its transfers are, and where the links carried more than
/// is declared or something else than the plan says.
pub fn check(plan: &Plan, run: &Run, steps: u64) -> Vec<String> {
    let recorded = optimise::recorded(&plan.recorded);
    let graph = expanded(protocol("ABY3").unwrap(), &recorded).unwrap();
    let (lowered, costs) = aby3::lower_with_cost(&graph).unwrap();
    let (names, transferred) = (graph.node_names(), transferred(&lowered));
    let (mut wrong, mut declared) = (Vec::new(), 0);
    for (id, cost) in costs {
        let name = &names[id.index()];
        let (bytes, rounds) = transferred.get(name.as_str()).copied().unwrap_or_default();
        if cost.bytes != bytes || cost.rounds != rounds {
            let node = graph.node(id);
            let op = node.op.name;
            let of = &node.outputs;
            wrong.push(format!(
                "{name}: {op} of {of:?} declares {cost:?}, takes {bytes} in {rounds}"
            ));
        }
        declared += cost.bytes;
    }
    let bytes = |graph: &Graph| -> u64 {
        let transfers = graph.nodes().filter(|(_, node)| transfer(node));
        transfers.map(|(_, node)| node.outputs[0].bytes() as u64).sum()
    };
    let planned = bytes(&plan.lowered);
    let links = run.reports.iter().flat_map(|report| &report.links);
    let sent: u64 = links.map(|link| link.bytes).sum();
    if sent != planned * steps {
        wrong.push(format!("links carried {sent} bytes in {steps} steps of {planned}"));
    }
    // Passes drop what nothing reads, such as the second halves of what is only revealed.
    if planned > declared {
        wrong.push(format!("a step takes {planned} bytes of {declared} that are declared"));
    }
    wrong
}

/// What the audit of a step finds, if the players draw what the graph says.
///
/// Fails for any pad that a player draws twice, or that is drawn alone and is no summand.
pub fn audit(lowered: &Graph) -> AuditSummary {
    let mut drawn: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (_, node) in lowered.nodes() {
        for pad in pads::drawn_by(node) {
            drawn.entry(pad).or_default().push((node.place.player(), node));
        }
    }
    let mut summary = AuditSummary { streams: drawn.len(), ..AuditSummary::default() };
    for (pad, draws) in drawn {
        let players: BTreeSet<_> = draws.iter().map(|(player, _)| player).collect();
        let (repeated, alone) = (players.len() < draws.len(), players.len() < 2);
        assert!(!repeated, "{pad:?} is drawn by {draws:?}");
        // A pad that is a summand is not drawn by the holder of whom nothing reads it.
        let summand = |name| matches!(name, "pad" | "weigh_second");
        let summand = draws.iter().all(|(_, node)| summand(node.op.name));
        assert!(summand || !alone, "{pad:?} is drawn by {draws:?}");
        summary.repeated += usize::from(repeated);
        summary.unshared += usize::from(alone);
    }
    summary
}
