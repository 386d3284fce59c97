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
//! | rule | rounds | elements on the wire |
//! |---|---|---|
//! | share, additive | 1 | 1 |
//! | share, replicated | 1 | 2 |
//! | sum | 0 | 0 |
//! | multiple by a whole number | 0 | 0 |
//! | multiple by another number | 1 | 1 |
//! | reveal | 1 | 3 |

mod linear;
mod reveal;
mod scale;
mod share;

use std::collections::HashSet;

use sordino_graph::{Graph, Node, NodeId, Place, Port, Role};

use super::lowering::{Lowering, Rule};
use super::{Cost, LowerError, Protocol};

/// See the [module](self).
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ABY3",
    servers: 3,
    security: "semi-honest, one of three servers corrupted",
    lower,
};

const RULES: &[Rule<Shared>] = &[
    Rule { op: "share", lower: share::lower, cost: share::cost },
    Rule { op: "add_n", lower: linear::lower_sum, cost: linear::cost },
    Rule { op: "scale", lower: scale::lower, cost: scale::cost },
    Rule { op: "reveal", lower: reveal::lower, cost: reveal::cost },
];

/// The shares of a secret, by server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shared {
    /// Server i holds the summand i.
    Additive([Port; 3]),
    /// Server i holds the summands i and i+1.
    Replicated([[Port; 2]; 3]),
}

impl Shared {
    /// One summand a server: replicated shares without their second halves.
    fn additive(self) -> [Port; 3] {
        match self {
            Self::Additive(shares) => shares,
            Self::Replicated(shares) => shares.map(|[own, _]| own),
        }
    }
}

fn lower(graph: &Graph) -> Result<Graph, LowerError> {
    lower_with_cost(graph).map(|(graph, _)| graph)
}

/// Lowers a graph and says what each secret node of it costs by its rule.
///
/// # Errors
/// [`LowerError::NoRule`] for an op that has no rule.
pub fn lower_with_cost(graph: &Graph) -> Result<(Graph, Vec<(NodeId, Cost)>), LowerError> {
    let replicated = replicated_nodes(graph);
    Lowering::new(graph, &replicated).run(PROTOCOL.name, RULES)
}

/// Secret nodes whose value must be replicated, because something computes on it that needs two
/// summands at each server; walking from there back to the shares.
fn replicated_nodes(graph: &Graph) -> HashSet<NodeId> {
    let mut replicated = HashSet::new();
    for (id, node) in graph.nodes().rev() {
        let secret = node.place == Place::Secure;
        let linear = match node.op.role {
            Role::Sum => true,
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
    Cost { rounds: 0, elements: 0 }
}
