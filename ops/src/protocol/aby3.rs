//! ABY3: replicated secret sharing among three servers.
//!
//! **Model.** Semi-honest, at most one of the three servers corrupted; any number of the players
//! that only give inputs may be. Source: Mohassel and Rindal, *ABY3: A mixed protocol framework
//! for machine learning* (CCS 2018).
//!
//! **Sharing.** x = s0 + s1 + s2 mod 2^width. In replicated form server0 holds (s0, s1), server1
//! (s1, s2), server2 (s2, s0): one server alone lacks one summand, which is uniformly random to it.
//! A secret that is only added and revealed is shared additively instead: server i holds s_i
//! alone, and even two servers together learn nothing.
//!
//! **Who sees what.** The owner of an input draws s0 and s1 as pads from secrets of the session,
//! and sends s2 = x − s0 − s1: whoever lacks one of the two secrets sees a uniformly random element.
//! A reveal sends each summand once, to the one player that may learn the value: it sees three
//! random elements with the sum x.
//!
//! Each rule's page says what it costs, what every server sees, and why it learns nothing from it, or
//! names the page that does. Pads are streams of AES (see [`tensor::pad`](crate::tensor::pad)): random
//! to whoever does not have their secret and cannot break AES.

mod bits;
mod cast;
mod circuit;
mod compare;
mod constant;
mod convert;
mod linear;
mod multiply;
mod order;
mod reveal;
mod scale;
mod share;
mod split;
mod sum_of_products;
mod truncate;
mod variable;
mod weigh_bits;
mod weighted_sum;
mod winners;

use std::collections::HashSet;

use sordino_graph::{Graph, Node, NodeId, OpSpec, Place, Port, Role};

use super::lowering::{Lowering, Rule};
use super::{Cost, LowerError, Protocol};

/// See the [module](self).
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ABY3",
    servers: 3,
    security: "semi-honest, one of three servers corrupted",
    insecure: false,
    has_rule: |op| rule_of(op).is_some(),
    lower,
};

static RULES: &[Rule<Shared>] = &[
    Rule { op: "add_bias", lower: linear::lower, cost: linear::cost },
    Rule { op: "add_n", lower: linear::lower, cost: linear::cost },
    Rule { op: "and", lower: bits::and, cost: bits::and_cost },
    Rule { op: "assign_secret", lower: variable::assign, cost: variable::cost },
    Rule { op: "bit", lower: bits::linear, cost: bits::xor_cost },
    Rule { op: "bit_to_number", lower: convert::bit_to_number, cost: convert::from_bits_cost },
    Rule { op: "cast", lower: cast::lower, cost: cast::cost },
    Rule { op: "constant", lower: constant::lower, cost: constant::cost },
    Rule { op: "conv2d", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "conv2d_grad_filters", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "conv2d_grad_images", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "cumsum", lower: linear::lower, cost: linear::cost },
    Rule { op: "from_bits", lower: convert::from_bits, cost: convert::from_bits_cost },
    Rule { op: "is_zero", lower: compare::is_zero, cost: compare::is_zero_cost },
    Rule { op: "join_bits", lower: winners::join, cost: free },
    Rule { op: "matmul", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "mul", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "mul_bit", lower: convert::mul_bit, cost: convert::mul_bit_cost },
    Rule { op: "negative", lower: compare::negative, cost: compare::negative_cost },
    Rule { op: "network_differences", lower: linear::lower, cost: linear::cost },
    Rule { op: "network_exchange", lower: linear::lower, cost: linear::cost },
    Rule { op: "not", lower: bits::linear, cost: bits::xor_cost },
    Rule { op: "order", lower: order::lower, cost: order::cost },
    Rule { op: "pair_differences", lower: linear::lower, cost: linear::cost },
    Rule { op: "position", lower: bits::linear, cost: bits::xor_cost },
    Rule { op: "read_secret", lower: variable::read, cost: variable::cost },
    Rule { op: "reduce_sum", lower: linear::lower, cost: linear::cost },
    Rule { op: "reveal", lower: reveal::lower, cost: reveal::cost },
    Rule { op: "scale", lower: scale::lower, cost: scale::cost },
    Rule { op: "scatter", lower: linear::lower, cost: linear::cost },
    Rule { op: "share", lower: share::lower, cost: share::cost },
    Rule { op: "shift", lower: bits::linear, cost: bits::xor_cost },
    Rule { op: "split_bits", lower: winners::split, cost: free },
    Rule { op: "square", lower: multiply::lower, cost: multiply::cost },
    Rule { op: "sum_of_products", lower: sum_of_products::lower, cost: sum_of_products::cost },
    Rule { op: "sum_rows", lower: linear::lower, cost: linear::cost },
    Rule { op: "to_bits", lower: convert::to_bits, cost: convert::to_bits_cost },
    Rule { op: "weigh_bits", lower: weigh_bits::lower, cost: weigh_bits::cost },
    Rule { op: "weighted_sum", lower: weighted_sum::lower, cost: weighted_sum::cost },
    Rule { op: "winners", lower: winners::lower, cost: winners::cost },
    Rule { op: "xor", lower: bits::linear, cost: bits::xor_cost },
];

/// Ops that move elements are done to each share.
static ARRANGE: Rule<Shared> = Rule { op: "", lower: linear::lower, cost: linear::cost };

fn rule_of(op: &OpSpec) -> Option<&'static Rule<Shared>> {
    let rule = RULES.iter().find(|rule| rule.op == op.name);
    rule.or_else(|| (op.role == Role::Arrange).then_some(&ARRANGE))
}

/// The shares of a secret, by server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shared {
    /// Server i holds the summand i.
    Additive([Port; 3]),
    /// Server i holds the summands i and i+1.
    Replicated([[Port; 2]; 3]),
    /// As replicated, of planes of bits, whose sum is the XOR.
    Bits([[Port; 2]; 3]),
}

impl Shared {
    /// One summand a server: replicated shares without their second halves.
    fn additive(self) -> [Port; 3] {
        match self {
            Self::Additive(shares) => shares,
            Self::Replicated(shares) | Self::Bits(shares) => shares.map(|[own, _]| own),
        }
    }

    /// Both summands of each server.
    fn replicated(self) -> [[Port; 2]; 3] {
        match self {
            Self::Replicated(shares) => shares,
            Self::Additive(_) => unreachable!("`replicated_nodes` says what must be replicated"),
            Self::Bits(_) => unreachable!("type rules tell numbers from words"),
        }
    }

    /// Both summands of each server, of words.
    fn bits(self) -> [[Port; 2]; 3] {
        match self {
            Self::Bits(shares) => shares,
            _ => unreachable!("type rules tell words from numbers"),
        }
    }
}

fn lower(graph: &Graph) -> Result<Graph, LowerError> {
    lower_with_cost(graph).map(|(graph, _)| graph)
}

/// Lowers a graph and says what each secret node of it costs by its rule.
///
/// # Errors
/// [`LowerError::NoRule`] for an op that has no rule, [`LowerError::Part`] for one of tensors that are
/// too large for its rule.
pub fn lower_with_cost(graph: &Graph) -> Result<(Graph, Vec<(NodeId, Cost)>), LowerError> {
    let replicated = replicated_nodes(graph);
    Lowering::new(graph, &replicated).run(PROTOCOL.name, rule_of)
}

/// Secret nodes whose value must be replicated, because something computes on it that needs two
/// summands at each server; walking from there back to the shares.
fn replicated_nodes(graph: &Graph) -> HashSet<NodeId> {
    let mut replicated = HashSet::new();
    for (id, node) in graph.nodes().rev() {
        let secret = node.place == Place::Secure;
        let linear = match node.op.role {
            Role::Sum | Role::Arrange => true,
            Role::Scale => scale::is_whole(node),
            _ => false,
        };
        let needs = if linear { replicated.contains(&id) } else { secret };
        if needs && node.op.role != Role::Share {
            replicated.extend(node.inputs.iter().map(|port| port.node));
        }
    }
    replicated
}

fn free(_: &Lowering<'_, Shared>, _: NodeId, _: &Node) -> Cost {
    Cost::FREE
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use sordino_graph::{Fixed, PlayerName, Recording, Setup, Value, record};

    use super::*;
    use crate::op::{add_n, mul, publish, random_normal, reveal, scale, share};
    use crate::protocol::pads::{DrawnPad, drawn_by};
    use crate::testing::{Own, player, run};
    use crate::value::Tensor;

    fn lowered(program: impl for<'r> Fn(&[Value<'r>]) -> Value<'r>) -> Graph {
        let names = ["a", "b", "c", "s0", "s1", "s2"].map(player);
        let setup = Setup::new(names.clone()).secure("ABY3", names[3..].to_vec(), Fixed::LOW);
        let setup = setup.reveal(&names[2], 2).release(&names[2]);
        let record = record("test", &setup, |g: &Recording<'_>| {
            let inputs: Vec<_> = names[..2]
                .iter()
                .zip(1..)
                .map(|(owner, seed)| share(random_normal(g, owner, &[3], seed)))
                .collect();
            publish("result", reveal(program(&inputs), &names[2]));
        });
        lower(&record.unwrap()).unwrap()
    }

    /// For each share of an input, by the number of its pads, the summands that each server has:
    /// the two pads, and what is left of the input, here called the third.
    fn summands(graph: &Graph) -> BTreeMap<u32, BTreeMap<PlayerName, BTreeSet<u32>>> {
        let mut known: BTreeMap<u32, BTreeMap<PlayerName, BTreeSet<u32>>> = BTreeMap::new();
        for (_, node) in graph.nodes() {
            let Some(at) = node.place.player().filter(|name| name.as_str().starts_with('s')) else {
                continue;
            };
            for drawn in drawn_by(node) {
                assert!(drawn.holders.contains(at), "{at} lacks the secret of {drawn:?}");
                known
                    .entry(drawn.pad)
                    .or_default()
                    .entry(at.clone())
                    .or_default()
                    .insert(drawn.lane);
            }
            let source = node.inputs.first().map(|port| graph.node(port.node));
            let masked = source.filter(|source| source.op.name == "mask");
            if let (Role::Transfer, Some(mask)) = (node.op.role, masked) {
                let number = drawn_by(mask)[0].pad;
                known.entry(number).or_default().entry(at.clone()).or_default().insert(2);
            }
        }
        known
    }

    #[track_caller]
    fn each_server_has(graph: &Graph, each: usize) {
        let known = summands(graph);
        // The pads of both inputs; a truncation's pads are of no input.
        for number in [0, 1] {
            let by_server = &known[&number];
            assert_eq!(by_server.len(), 3);
            for (server, summands) in by_server {
                assert_eq!(summands.len(), each, "{server} has {summands:?} of input {number}");
            }
            let all: BTreeSet<_> = by_server.values().flatten().collect();
            assert_eq!(all.len(), 3);
        }
    }

    #[test]
    fn no_server_has_all_summands_and_all_together_do() {
        each_server_has(&lowered(|x| add_n(x.to_vec())), 1);
        each_server_has(&lowered(|x| add_n([scale(x[0], 2.0), x[1]])), 1);
        each_server_has(&lowered(|x| add_n([scale(add_n(x.to_vec()), 0.3)])), 2);
        // One of the terms is truncated, so the sum before it is replicated; the other is not.
        let known = summands(&lowered(|x| add_n([scale(x[0], 0.3), x[1]])));
        assert!(known[&0].values().all(|summands| summands.len() == 2));
        assert!(known[&1].values().all(|summands| summands.len() == 1));
    }

    /// A program with a product and multiples, whose shares are all replicated.
    fn products() -> Graph {
        lowered(|x| add_n([scale(mul(x[0], scale(x[1], 0.3)), 0.3)]))
    }

    #[test]
    fn what_a_server_receives_is_hidden_by_a_pad_that_it_lacks() {
        let graph = products();
        let mut seen = BTreeSet::new();
        for (_, transfer) in graph.nodes().filter(|(_, node)| node.op.role == Role::Transfer) {
            let to = transfer.place.player().unwrap();
            let source = graph.node(transfer.inputs[0].node);
            if to.as_str() == "c" || source.place.player() == Some(to) {
                continue;
            }
            seen.insert(source.op.name);
            let lacks = |drawn: &DrawnPad| !drawn.holders.contains(to);
            assert!(drawn_by(source).iter().any(lacks), "{} shows {to} too much", source.op.name);
        }
        let all = ["mask", "truncate_first", "truncate_second", "truncate_third", "zero_mask"];
        assert_eq!(seen, all.into());
    }

    #[test]
    fn no_player_draws_a_pad_twice() {
        let mut drawn = BTreeSet::new();
        for (_, node) in products().nodes() {
            for pad in drawn_by(node) {
                assert!(drawn.insert((node.place.player().cloned(), pad.clone())), "{pad:?}");
            }
        }
    }

    #[test]
    fn servers_agree_on_the_summands_that_two_of_them_have() {
        let graph = products();
        let values = run(&graph, &Own::default()).unwrap();
        let made = |op: &str, at: &str, slot: usize| -> Vec<&Tensor> {
            let here = |node: &Node| node.op.name == op && node.place.player() == Some(&player(at));
            let nodes = graph.nodes().filter(|(_, node)| here(node));
            nodes.map(|(id, _)| &values[id.index()][slot]).collect()
        };
        let summands = [
            made("truncate_first", "s0", 0),
            made("truncate_first", "s0", 1),
            made("truncate_last", "s1", 0),
        ];
        assert_eq!(summands[1], made("truncate_second", "s1", 0));
        assert_eq!(summands[2], made("truncate_last", "s2", 0));
        assert_eq!(summands[0].len(), 3);
        assert!(summands[0][0] != summands[1][0] && summands[1][0] != summands[2][0]);
    }
}
