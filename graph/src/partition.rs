//! Splitting a lowered graph into the parts that each player runs, and joining them again.

use std::collections::{BTreeMap, HashMap};

use crate::PlayerName;
use crate::attribute::Attributes;
use crate::graph::{Graph, Node, NodeId, Port, Stage};
use crate::link::{RECEIVE, SEND, TRANSFER};
use crate::op::Role;

/// What each player runs, by name.
pub type Parts = BTreeMap<PlayerName, Graph>;

/// Splits a lowered graph: every transfer becomes a send in the part of the player that has the
/// value and a receive in the part of the player that gets it, with one edge number, counted in
/// the order of the transfers. Players that have nothing to do get an empty part.
///
/// # Panics
/// When the graph is not a verified lowered graph.
#[must_use]
pub fn split(graph: &Graph) -> Parts {
    let empty = |player: &PlayerName| graph.empty_like(Stage::Local(player.clone()));
    let players = graph.setup().players.iter();
    let mut parts: Parts = players.map(|player| (player.clone(), empty(player))).collect();
    let mut ports: HashMap<Port, Port> = HashMap::new();
    let mut nodes: HashMap<NodeId, NodeId> = HashMap::new();
    let mut edge = 0usize;
    for (id, node) in graph.nodes() {
        let player = node.place.player().expect("a lowered node is on one player");
        let local = |port: &Port| ports[port];
        let added = if node.op.role == Role::Transfer {
            let source = graph.node(node.inputs[0].node);
            let sender = source.place.player().expect("a lowered node is on one player");
            let mut attributes = Attributes::default();
            attributes.set("edge", edge);
            attributes.set("to", player);
            let mut send = node.clone();
            send.op = &SEND;
            send.attributes = attributes;
            send.inputs = vec![local(&node.inputs[0])];
            send.outputs = Vec::new();
            send.place = sender.into();
            parts.get_mut(sender).expect("players are listed").push(send);

            let mut attributes = Attributes::default();
            attributes.set("edge", edge);
            attributes.set("from", sender);
            attributes.set("type", node.outputs[0].clone());
            edge += 1;
            let receive = Node { op: &RECEIVE, attributes, inputs: Vec::new(), ..node.clone() };
            parts.get_mut(player).expect("players are listed").push(receive)
        } else {
            let mut copy = node.clone();
            copy.inputs = node.inputs.iter().map(local).collect();
            copy.after = node.after.iter().map(|before| nodes[before]).collect();
            parts.get_mut(player).expect("players are listed").push(copy)
        };
        nodes.insert(id, added);
        for slot in (0..node.outputs.len()).map(|slot| u32::try_from(slot).unwrap_or(u32::MAX)) {
            ports.insert(Port { node: id, slot }, Port { node: added, slot });
        }
    }
    parts
}

/// Joins parts into the graph that they came from, up to the order of nodes that do not depend
/// on each other: nodes of a part stay in order, and a receive follows its send.
///
/// Returns `None` when an edge lacks one of its ends, has two, or parts wait for each other.
#[must_use]
pub fn join(parts: &Parts) -> Option<Graph> {
    let first = parts.values().next()?;
    let mut joined = first.empty_like(Stage::Lowered);
    let mut sent: HashMap<i64, Port> = HashMap::new();
    let mut received: HashMap<i64, ()> = HashMap::new();
    let mut ports: HashMap<(&PlayerName, Port), Port> = HashMap::new();
    let mut next: BTreeMap<&PlayerName, usize> = parts.keys().map(|name| (name, 0)).collect();
    loop {
        let mut moved = false;
        for (player, part) in parts {
            while let Some(node) = part.get(NodeId::new(next[player])) {
                let id = NodeId::new(next[player]);
                let map = |port: &Port| ports.get(&(player, *port)).copied();
                let edge = node.attributes.int("edge");
                let mut copy = node.clone();
                match node.op.role {
                    Role::Send => {
                        if sent.insert(edge?, map(node.inputs.first()?)?).is_some() {
                            return None;
                        }
                    }
                    Role::Receive => {
                        let Some(&port) = sent.get(&edge?) else { break };
                        if received.insert(edge?, ()).is_some() {
                            return None;
                        }
                        copy.op = &TRANSFER;
                        copy.attributes = Attributes::default();
                        copy.inputs = vec![port];
                    }
                    _ => copy.inputs = node.inputs.iter().map(map).collect::<Option<_>>()?,
                }
                if node.op.role != Role::Send {
                    let slots = copy.outputs.len();
                    let after = node.after.iter();
                    copy.after = after
                        .map(|before| Some(map(&Port { node: *before, slot: u32::MAX })?.node))
                        .collect::<Option<_>>()?;
                    let new = joined.push(copy);
                    for slot in (0..slots as u32).chain([u32::MAX]) {
                        ports.insert((player, Port { node: id, slot }), Port { node: new, slot });
                    }
                }
                *next.get_mut(player)? += 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    let complete = parts.iter().all(|(player, part)| next[player] == part.len());
    (complete && sent.len() == received.len()).then_some(joined)
}
