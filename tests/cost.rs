//! What rules say that they cost is what crosses the links.

mod common;

use std::collections::BTreeMap;

use common::program::{federated_training, initialize};
use common::{everyone, mnist, model_owner, parties, player, servers, setup};
use sordino::graph::{Graph, Role, Secrecy};
use sordino::ops::data::Dataset;
use sordino::ops::optimise;
use sordino::ops::protocol::{Cost, aby3};
use sordino::prelude::*;

/// Bytes by sender and receiver.
type Links = BTreeMap<(String, String), u64>;

/// Bytes that the transfers of a lowered graph carry in a step.
fn transferred(graph: &Graph) -> Links {
    let mut links = Links::new();
    for (_, node) in graph.nodes().filter(|(_, node)| node.op.role == Role::Transfer) {
        let name = |place: &sordino::graph::Place| place.player().unwrap().to_string();
        let link = (name(&graph.node(node.inputs[0].node).place), name(&node.place));
        *links.entry(link).or_default() += node.outputs[0].bytes() as u64;
    }
    links
}

/// Bytes of values that a run sent, by its reports.
fn sent(run: &Run) -> Links {
    let mut links = Links::new();
    for report in &run.reports {
        for link in &report.links {
            links.insert((report.player.clone(), link.to.clone()), link.bytes);
        }
    }
    links
}

/// Fails unless each rule makes as many transfers, in bytes, as it declares; returns the sum, with
/// what each rule declares.
fn declared(recorded: &Graph) -> (u64, Vec<(&'static str, Cost)>) {
    let graph = optimise::recorded(recorded);
    let (lowered, costs) = aby3::lower_with_cost(&graph).unwrap();
    let names = graph.node_names();
    let mut total = 0;
    for (id, cost) in &costs {
        // The nodes that a rule appends are in a scope of the node's name.
        let made = lowered.nodes().map(|(_, node)| node);
        let made = made.filter(|made| *made.scope == *names[id.index()]);
        let moved = made.filter(|made| made.op.role == Role::Transfer);
        let moved: u64 = moved.map(|transfer| transfer.outputs[0].bytes() as u64).sum();
        assert_eq!(moved, cost.bytes, "{} declares {cost:?}", names[id.index()]);
        total += cost.bytes;
    }
    (total, costs.iter().map(|(id, cost)| (graph.node(*id).op.name, *cost)).collect())
}

/// The rounds of shares: the most that follow on each other.
fn rounds(graph: &Graph) -> u64 {
    let mut depth = vec![0; graph.len()];
    for (id, node) in graph.nodes() {
        let before = node.inputs.iter().map(|port| depth[port.node.index()]).max().unwrap_or(0);
        let share = node.outputs.iter().any(|ty| ty.secrecy == Secrecy::Share);
        depth[id.index()] = before + u64::from(share && node.op.role == Role::Transfer);
    }
    depth.into_iter().max().unwrap_or(0)
}

/// One program a rule. Multiples are in a sum before the reveal, so that none moves behind it.
#[secure_function]
fn rule(g: &Recording<'_>, which: &str, owner: &PlayerName, to: &PlayerName) {
    let [x, y] = [owner, &player("bob")].map(|p| share(random_normal(g, p, &[7, 3], 1)));
    let result = match which {
        "share" => x,
        "add_n" => add_n([x, y]),
        "scale, whole" => add_n([scale(x, -2.0)]),
        "scale, fractional" => add_n([scale(scale(add_n([x, y]), 0.7), 1.3)]),
        "mul" => add_n([mul(x, y)]),
        _ => unreachable!("no such program"),
    };
    publish("result", reveal(result, to));
}

const PROGRAMS: [&str; 5] = ["share", "add_n", "scale, whole", "scale, fractional", "mul"];

#[test]
fn rules_cost_what_they_declare() {
    const STEPS: u64 = 3;
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        let mut session = Session::local(everyone("ABY3", fixed), mnist(), None).unwrap();
        for which in PROGRAMS {
            // Owners and receivers that are servers save the messages to themselves.
            for owner in ["ann", "server0", "server2"] {
                for to in ["carol", "server0", "server1"] {
                    let (owner, to) = (player(owner), player(to));
                    let function = rule(which, &owner, &to);
                    let plan = session.prepare(&function).unwrap();
                    let run = session.run(&function, STEPS).unwrap();
                    let transfers = transferred(&plan.lowered);
                    let per_step: Links =
                        sent(&run).into_iter().map(|(link, bytes)| (link, bytes / STEPS)).collect();
                    assert_eq!(per_step, transfers, "{which}, {owner}, {to}");

                    let (bytes, costs) = declared(&plan.recorded);
                    // Passes drop what nothing reads, such as the second summands of the last
                    // truncation: what rules declare is the most that they take.
                    let measured: u64 = transfers.values().sum();
                    if matches!(which, "scale, fractional" | "mul") {
                        assert!(measured < bytes, "{which}, {owner}, {to}: {measured}");
                    } else {
                        assert_eq!(measured, bytes, "{which}, {owner}, {to}: {costs:?}");
                    }
                    let serial = costs.iter().map(|(_, cost)| cost.rounds).sum::<u64>();
                    assert!(rounds(&plan.lowered) <= serial, "{which}: {costs:?}");
                }
            }
        }
    }
}

#[test]
fn each_rule_costs_what_its_table_says() {
    let costs_of = |which: &str| {
        let (owner, to) = (player("ann"), player("carol"));
        let function = rule(which, &owner, &to);
        declared(&function.record(&everyone("ABY3", Fixed::LOW)).unwrap()).1
    };
    let cost = |rounds, bytes| Cost { rounds, bytes };
    // 21 elements, and their low 16 bits packed into words.
    let (n, packed) = (21 * 8, 6 * 8);
    let expected = [
        ("share", vec![("share", cost(1, n)), ("reveal", cost(1, 3 * n))]),
        (
            "add_n",
            vec![
                ("share", cost(1, n)),
                ("share", cost(1, n)),
                ("add_n", cost(0, 0)),
                ("reveal", cost(1, 3 * n)),
            ],
        ),
        (
            "scale, whole",
            vec![
                ("share", cost(1, n)),
                ("scale", cost(0, 0)),
                ("add_n", cost(0, 0)),
                ("reveal", cost(1, 3 * n)),
            ],
        ),
        (
            "scale, fractional",
            vec![
                ("share", cost(1, 2 * n)),
                ("share", cost(1, 2 * n)),
                ("add_n", cost(0, 0)),
                ("scale", cost(2, n + 3 * packed)),
                ("scale", cost(2, n + 3 * packed)),
                ("add_n", cost(0, 0)),
                ("reveal", cost(1, 3 * n)),
            ],
        ),
        (
            "mul",
            vec![
                ("share", cost(1, 2 * n)),
                ("share", cost(1, 2 * n)),
                ("mul", cost(2, 3 * n + 3 * packed)),
                ("add_n", cost(0, 0)),
                ("reveal", cost(1, 3 * n)),
            ],
        ),
    ];
    for (which, costs) in expected {
        assert_eq!(costs_of(which), costs, "{which}");
    }
}

#[test]
fn the_bytes_of_a_federated_step() {
    const STEPS: u64 = 5;
    const WEIGHTS: u64 = 118_282;
    let (model, data_owners) = parties("network_a", Dataset::Mnist);
    let mut session = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
    session.run(&initialize(&model), 1).unwrap();
    let run = session.run(&federated_training(&model, &data_owners), STEPS).unwrap();
    let links = sent(&run);
    let mut expected = Links::new();
    for owner in &data_owners {
        let owner = owner.player.to_string();
        // The weights as floats, and one share of the gradient, to one server.
        expected.insert((model_owner().to_string(), owner.clone()), WEIGHTS * 4 * STEPS);
        expected.insert((owner, "server2".into()), WEIGHTS * 8 * STEPS);
    }
    for server in servers() {
        expected.insert((server.to_string(), model_owner().to_string()), WEIGHTS * 8 * STEPS);
    }
    assert_eq!(links, expected);
    let total = WEIGHTS * 4 * 3 + WEIGHTS * 8 * 3 + WEIGHTS * 8 * 3;
    assert_eq!(links.values().sum::<u64>(), total * STEPS);
    // Six tensors a link and step.
    for link in run.reports.iter().flat_map(|report| &report.links) {
        assert_eq!(link.messages, 6 * STEPS, "{link:?}");
    }
}
