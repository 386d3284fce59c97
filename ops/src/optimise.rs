//! Passes that make a graph cheaper without changing what anyone learns.

use std::collections::HashMap;

use sordino_graph::passes::{drop_unused, merge_equal};
use sordino_graph::{Graph, Node, NodeId, Port, Rewriter, Role};

/// The passes over a recorded graph, in order.
#[must_use]
pub fn recorded(graph: &Graph) -> Graph {
    drop_unused(&scale_behind_reveal(&merge_equal(graph)))
}

/// The passes over a lowered graph, in order.
#[must_use]
pub fn lowered(graph: &Graph) -> Graph {
    drop_unused(&pads_into_sums(&drop_unused(&merge_equal(graph))))
}

/// Moves a public factor behind a reveal: the player that learns the value multiplies it.
///
/// `reveal[scale=s](scale[factor=f](x))` becomes `reveal[scale=s·f](x)`. Whoever learns f·x for a
/// public f ≠ 0 learns x as well, so nothing more is revealed; a factor of 0 stays.
#[must_use]
pub fn scale_behind_reveal(graph: &Graph) -> Graph {
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    // Of each multiple, the factor and what it is a multiple of.
    let mut multiples: HashMap<Port, (f64, Port)> = HashMap::new();
    for (id, node) in graph.nodes() {
        let mut mapped = rewriter.mapped(id);
        if let Some((factor, inner)) = scaled(node) {
            let (of_inner, inner) = multiples.get(&inner).copied().unwrap_or((1.0, inner));
            let product = of_inner * factor;
            // Too small or too large a product stays two factors.
            let multiple =
                if product.is_normal() { (product, inner) } else { (factor, node.inputs[0]) };
            multiples.insert(Port { node: id, slot: 0 }, multiple);
        }
        if node.op.role == Role::Reveal {
            let scale = node.attributes.real("scale").unwrap_or(1.0);
            let (factor, secret) =
                multiples.get(&node.inputs[0]).copied().unwrap_or((1.0, node.inputs[0]));
            if (scale * factor).is_normal() {
                mapped.attributes.set("scale", scale * factor);
                mapped.inputs[0] = rewriter.port(secret).unwrap_or(mapped.inputs[0]);
            }
        }
        rewriter.replace(id, mapped);
    }
    rewriter.finish()
}

/// Factor and input of a scaling.
fn scaled(node: &Node) -> Option<(f64, Port)> {
    let factor = node.attributes.real("factor").filter(|&factor| factor != 0.0)?;
    (node.op.role == Role::Scale).then(|| (factor, node.inputs[0]))
}

/// Generates pads straight into the sum that they are for: `add_n(pad, pad, x)` becomes
/// `add_pads(x)`, one pass over memory, where only the sum reads the pads.
#[must_use]
pub fn pads_into_sums(graph: &Graph) -> Graph {
    let single_reader = |id: NodeId| graph.readers(id).len() == 1;
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    for (id, node) in graph.nodes() {
        let mut mapped = rewriter.mapped(id);
        if node.op.role == Role::Sum && node.after.is_empty() {
            let lane = node.inputs.iter().find_map(|port| lone_pad(graph, id, port)).map(|p| p.1);
            let (mut pads, mut peers, mut rest) = (Vec::new(), Vec::new(), Vec::new());
            for (port, new) in node.inputs.iter().zip(&mapped.inputs) {
                match lone_pad(graph, id, port) {
                    Some((pad, of, peer)) if Some(of) == lane && single_reader(port.node) => {
                        pads.push(pad);
                        peers.push(peer);
                    }
                    _ => rest.push(*new),
                }
            }
            if let (Some(lane), false) = (lane, pads.is_empty()) {
                let mut attributes = sordino_graph::Attributes::default();
                attributes.set("lane", sordino_graph::Attribute::Int(lane));
                attributes.set("pads", sordino_graph::Attribute::Ints(pads));
                attributes.set("peers", peers);
                attributes.set("type", node.outputs[0].clone());
                mapped.op = &crate::op::add_pads::OP.spec;
                mapped.attributes = attributes;
                mapped.inputs = rest;
            }
        }
        rewriter.replace(id, mapped);
    }
    rewriter.finish()
}

/// Number, lane and peer of a pad that `sum`'s player has with one other player, in that order of
/// holders.
fn lone_pad(
    graph: &Graph,
    sum: NodeId,
    port: &Port,
) -> Option<(i64, i64, sordino_graph::PlayerName)> {
    let pad = graph.node(port.node);
    if !std::ptr::eq(pad.op, &crate::op::pad::OP.spec) {
        return None;
    }
    let [peer, me] = pad.attributes.players("holders")? else { return None };
    (Some(me) == graph.node(sum).place.player()).then_some((
        pad.attributes.int("pad")?,
        pad.attributes.int("lane")?,
        peer.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Fixed, Recording, Setup, Value, parse, print, record};

    use super::*;
    use crate::op::{add_n, op_set, publish, random_normal, reveal, scale, share};
    use crate::plan::Plan;
    use crate::testing::player;

    fn setup() -> Setup {
        let names = ["a", "b", "c", "s0", "s1", "s2"].map(player);
        let setup = Setup::new(names.clone()).secure("ABY3", names[3..].to_vec(), Fixed::LOW);
        names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
    }

    fn recorded(program: impl FnOnce(&Recording<'_>)) -> Graph {
        record("test", &setup(), |g| program(g)).unwrap()
    }

    /// The nodes of a graph, a line each, without types and places. The pass must make what can
    /// be read back.
    fn nodes(graph: &Graph) -> Vec<String> {
        let text = print(graph);
        assert!(parse(&text, &op_set()).unwrap() == *graph, "reads back as another graph");
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('%'));
        lines.map(|line| line.split(" : ").next().unwrap().trim().to_owned()).collect()
    }

    fn inputs<'r>(g: &Recording<'r>) -> [Value<'r>; 2] {
        [("a", 1), ("b", 2)].map(|(name, seed)| share(random_normal(g, &player(name), &[3], seed)))
    }

    /// The factors that stay with the servers, and those at the reveals.
    fn factors(graph: &Graph) -> (Vec<f64>, Vec<f64>) {
        let of = |role, name| {
            let nodes = graph.nodes().map(|(_, node)| node).filter(|node| node.op.role == role);
            nodes.filter_map(|node| node.attributes.real(name)).collect()
        };
        (of(Role::Scale, "factor"), of(Role::Reveal, "scale"))
    }

    #[test]
    fn factors_move_behind_reveals() {
        let graph = recorded(|g| {
            let [x, y] = inputs(g);
            let mean = scale(scale(add_n([x, y]), 0.5), -4.0);
            publish("mean", reveal(mean, &player("c")));
        });
        assert_eq!(factors(&graph), (vec![0.5, -4.0], vec![1.0]));
        assert_eq!(factors(&super::recorded(&graph)), (vec![], vec![-2.0]));
    }

    #[test]
    fn factors_stay_where_others_need_them() {
        let graph = recorded(|g| {
            let [x, y] = inputs(g);
            let half = scale(x, 0.5);
            publish("half", reveal(half, &player("c")));
            publish("sum", reveal(add_n([half, y]), &player("c")));
            publish("none", reveal(scale(y, 0.0), &player("c")));
        });
        let (kept, revealed) = factors(&super::recorded(&graph));
        assert_eq!((kept, revealed), (vec![0.5, 0.0], vec![0.5, 1.0, 1.0]));
    }

    #[test]
    fn products_of_factors_stay_numbers() {
        let graph = recorded(|g| {
            let [x, _] = inputs(g);
            let tiny = (0..3).fold(x, |x, _| scale(x, 1e-200));
            publish("tiny", reveal(tiny, &player("c")));
        });
        let (kept, revealed) = factors(&super::recorded(&graph));
        assert!(revealed[0].is_normal(), "{revealed:?}");
        assert!(!kept.is_empty());
    }

    #[test]
    fn pads_that_only_a_sum_reads_are_generated_in_it() {
        let graph = recorded(|g| {
            publish("sum", reveal(add_n(inputs(g)), &player("c")));
        });
        let nodes = nodes(&Plan::new(graph).unwrap().lowered);
        let sums: Vec<_> = nodes.iter().filter(|node| node.contains("add_pads")).collect();
        assert_eq!(sums.len(), 2, "{nodes:?}");
        for (sum, lane) in sums.iter().zip(["lane=0", "lane=1"]) {
            assert!(sum.contains(lane) && sum.ends_with("()"), "{sum}");
        }
        assert!(!nodes.iter().any(|node| node.contains("= pad[")), "{nodes:?}");
    }

    #[test]
    fn pads_with_other_readers_stay() {
        let graph = recorded(|g| {
            let [x, y] = inputs(g);
            publish("x", reveal(x, &player("c")));
            publish("sum", reveal(add_n([x, y]), &player("c")));
        });
        let lowered = Plan::new(graph).unwrap().lowered;
        let of = |name: &str| lowered.nodes().filter(|(_, node)| node.op.name == name).count();
        // x's two pads are sent as they are; y's two go straight into the sums.
        assert_eq!((of("pad"), of("add_pads")), (2, 2));
    }
}
