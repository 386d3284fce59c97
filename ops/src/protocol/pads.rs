//! Which pads a node draws, and from whose secrets: what a session must set up, and what an audit
//! counts.

use sordino_graph::{Graph, Node, PlayerName, Role};

use crate::op::{shuffle, zero_mask};
use crate::truncation;

/// A pad that a node draws.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrawnPad {
    /// Players that know the secret, the one that draws it first.
    pub holders: Vec<PlayerName>,
    /// Number of the pad in the lowered graph.
    pub pad: u32,
    /// Lane of the pad.
    pub lane: u32,
}

/// The pads that a node of a lowered graph draws in each step.
#[must_use]
pub fn drawn_by(node: &Node) -> Vec<DrawnPad> {
    if node.op.role != Role::Pad {
        return Vec::new();
    }
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    let int = |name| number(node.attributes.int(name).unwrap_or(-1));
    let players = |name| node.attributes.players(name).unwrap_or_default().to_vec();
    let mut drawn = Vec::new();
    match node.op.name {
        "mask" | "mask_planes" => {
            for (lane, name) in (0..).zip(["first", "second"]) {
                let holders = players(name);
                if !holders.is_empty() {
                    drawn.push(DrawnPad { holders, pad: int("pad"), lane });
                }
            }
        }
        "and_planes" | "zero_mask" => {
            let lane = int("lane");
            for (name, lane) in [("plus", lane), ("minus", (lane + 1) % zero_mask::LANES)] {
                drawn.push(DrawnPad { holders: players(name), pad: int("pad"), lane });
            }
        }
        "truncate_first" | "truncate_second" | "truncate_third" => {
            for (name, lanes) in truncation::lane::OF_GROUPS {
                let holders = players(name);
                for &lane in lanes.iter().filter(|_| !holders.is_empty()) {
                    drawn.push(DrawnPad { holders: holders.clone(), pad: int("pad"), lane });
                }
            }
        }
        "shuffle" => {
            let masked =
                node.inputs.len() as i64 > node.attributes.int("summands").unwrap_or(0) + 1;
            let mut lanes = vec![shuffle::lane::PERMUTATION, shuffle::lane::RANKS];
            lanes.extend((!masked).then_some(shuffle::lane::NUMBERS));
            let drawn_in = |lane| DrawnPad { holders: players("holders"), pad: int("pad"), lane };
            drawn.extend(lanes.into_iter().map(drawn_in));
        }
        "add_pads" => {
            let pads = node.attributes.ints("pads").unwrap_or_default();
            for (&pad, peer) in pads.iter().zip(players("peers")) {
                let holders = [Some(peer), node.place.player().cloned()];
                let holders = holders.into_iter().flatten().collect();
                drawn.push(DrawnPad { holders, pad: number(pad), lane: int("lane") });
            }
        }
        _ => {
            let holders = players("holders");
            drawn.push(DrawnPad { holders, pad: int("pad"), lane: int("lane") });
        }
    }
    drawn
}

/// The groups of players whose secrets a lowered graph, or a part of it, draws pads from, each
/// once, sorted.
#[must_use]
pub fn groups(graph: &Graph) -> Vec<Vec<PlayerName>> {
    let mut groups: Vec<_> =
        graph.nodes().flat_map(|(_, node)| drawn_by(node)).map(|drawn| drawn.holders).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}
