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
        let player = node.place.player().expect("verified: a lowered node is on one player");
        let local = |port: &Port| ports[port];
        let added = if node.op.role == Role::Transfer {
            let source = graph.node(node.inputs[0].node);
            let sender = source.place.player().expect("verified: a lowered node is on one player");
            let mut attributes = Attributes::default();
            attributes.set("edge", edge);
            attributes.set("to", player);
            let mut send = node.clone();
            send.op = &SEND;
            send.attributes = attributes;
            send.inputs = vec![local(&node.inputs[0])];
            send.outputs = Vec::new();
            send.place = sender.into();
            parts.get_mut(sender).expect("verified: nodes are on listed players").push(send);

            let mut attributes = Attributes::default();
            attributes.set("edge", edge);
            attributes.set("from", sender);
            attributes.set("type", node.outputs[0].clone());
            edge += 1;
            let receive = Node { op: &RECEIVE, attributes, inputs: Vec::new(), ..node.clone() };
            parts.get_mut(player).expect("verified: nodes are on listed players").push(receive)
        } else {
            let mut copy = node.clone();
            copy.inputs = node.inputs.iter().map(local).collect();
            copy.after = node.after.iter().map(|before| nodes[before]).collect();
            parts.get_mut(player).expect("verified: nodes are on listed players").push(copy)
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
    let mut join = Join { joined: first.empty_like(Stage::Lowered), edges: HashMap::new() };
    let mut progress: Vec<_> =
        parts.values().map(|part| Progress { part, nodes: Vec::new() }).collect();
    // A part goes on until it waits for a send, and again when that has come: each node is looked
    // at once, and each receive once more.
    let mut runnable: Vec<usize> = (0..progress.len()).collect();
    while let Some(at) = runnable.pop() {
        while let Some(node) = progress[at].next() {
            match node.op.role {
                Role::Send => {
                    let value = progress[at].port(node.inputs.first()?)?;
                    let end = join.edges.entry(node.attributes.int("edge")?).or_default();
                    if end.value.replace(value).is_some() {
                        return None;
                    }
                    runnable.extend(end.waiting);
                    progress[at].nodes.push(None);
                }
                Role::Receive => {
                    let end = join.edges.entry(node.attributes.int("edge")?).or_default();
                    let Some(value) = end.value else {
                        if end.waiting.replace(at).is_some() {
                            return None;
                        }
                        break;
                    };
                    if std::mem::replace(&mut end.received, true) {
                        return None;
                    }
                    let (op, inputs) = (&TRANSFER, vec![value]);
                    let attributes = Attributes::default();
                    join.push(&mut progress[at], Node { op, attributes, inputs, ..node.clone() })?;
                }
                _ => {
                    let inputs = node.inputs.iter().map(|port| progress[at].port(port));
                    let inputs = inputs.collect::<Option<_>>()?;
                    join.push(&mut progress[at], Node { inputs, ..node.clone() })?;
                }
            }
        }
    }
    let complete = progress.iter().all(|part| part.nodes.len() == part.part.len());
    (complete && join.edges.values().all(|end| end.received)).then_some(join.joined)
}

struct Join {
    joined: Graph,
    edges: HashMap<i64, EdgeEnds>,
}

#[derive(Default)]
struct EdgeEnds {
    /// The port of the joined graph that is sent.
    value: Option<Port>,
    /// The part that waits for it.
    waiting: Option<usize>,
    received: bool,
}

/// How far a part has come.
struct Progress<'a> {
    part: &'a Graph,
    /// Where the nodes of the part went; a send goes nowhere.
    nodes: Vec<Option<NodeId>>,
}

impl<'a> Progress<'a> {
    fn next(&self) -> Option<&'a Node> {
        self.part.get(NodeId::new(self.nodes.len()))
    }

    fn node(&self, id: NodeId) -> Option<NodeId> {
        self.nodes.get(id.index()).copied().flatten()
    }

    fn port(&self, port: &Port) -> Option<Port> {
        Some(Port { node: self.node(port.node)?, slot: port.slot })
    }
}

impl Join {
    /// Appends the node that comes next in `part`.
    fn push(&mut self, part: &mut Progress<'_>, mut node: Node) -> Option<()> {
        node.after = node.after.iter().map(|&id| part.node(id)).collect::<Option<_>>()?;
        part.nodes.push(Some(self.joined.push(node)));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{graph_of, name};
    use crate::{print, verify, verify_parts};

    /// A value that goes twice to one player, once to another and back, and a variable.
    const LOWERED: &str = "  %0 = zeros[shape=[2]]() : f32[2] @a in s
  %1 = halves(%0) : f32[2], f32[2] @a in s
  %2 = transfer(%1.1) : f32[2] @b in t
  %3 = transfer(%1) : f32[2] @b
  %4 = add_n(%3, %2, %2) : f32[2] @b
  %5 = transfer(%4) : f32[2] @a
  %6 = read[type=<f32[2]>, variable=\"v\"]() : f32[2] @b
  %7 = assign[variable=\"v\"](%4) @b after %6
  %8 = add_n(%5, %1) : f32[2] @a
  %9 = publish(%8) @a";

    fn part(parts: &Parts, player: &str) -> String {
        let text = print(&parts[&name(player)]);
        text.lines()
            .filter(|line| line.starts_with("  %"))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    #[test]
    fn each_player_gets_its_nodes_and_the_ends_of_its_transfers() {
        let lowered = graph_of("lowered graph", LOWERED);
        let parts = split(&lowered);
        assert_eq!(parts.len(), lowered.setup().players.len());
        assert_eq!(
            part(&parts, "a"),
            "  %0 = zeros[shape=[2]]() : f32[2] @a in s
  %1 = halves(%0) : f32[2], f32[2] @a in s
  %2 = send[edge=0, to=@b](%1.1) @a in t
  %3 = send[edge=1, to=@b](%1) @a
  %4 = receive[edge=2, from=@b, type=<f32[2]>]() : f32[2] @a
  %5 = add_n(%4, %1) : f32[2] @a
  %6 = publish(%5) @a
"
        );
        assert_eq!(
            part(&parts, "b"),
            "  %0 = receive[edge=0, from=@a, type=<f32[2]>]() : f32[2] @b in t
  %1 = receive[edge=1, from=@a, type=<f32[2]>]() : f32[2] @b
  %2 = add_n(%1, %0, %0) : f32[2] @b
  %3 = send[edge=2, to=@a](%2) @b
  %4 = read[type=<f32[2]>, variable=\"v\"]() : f32[2] @b
  %5 = assign[variable=\"v\"](%2) @b after %4
"
        );
        assert_eq!(part(&parts, "c"), "");
        verify_parts(&lowered, &parts).unwrap();
    }

    #[test]
    fn joining_gives_the_graph_back() {
        for lowered in ["", LOWERED] {
            let lowered = graph_of("lowered graph", lowered);
            let joined = join(&split(&lowered)).unwrap();
            verify(&joined).unwrap();
            assert_eq!(joined.len(), lowered.len());
            assert_eq!(print(&join(&split(&joined)).unwrap()), print(&joined));
            verify_parts(&lowered, &split(&joined)).unwrap();
        }
    }

    #[test]
    fn parts_whose_edges_do_not_fit_do_not_join() {
        let send = "  %1 = send[edge=0, to=@b](%0) @a\n";
        let receive = "receive[edge=0, from=@a, type=<f32[]>]() : f32[] @b\n";
        let joins = |sends: &str, receives: &str| {
            let a = format!("  %0 = zeros[shape=[]]() : f32[] @a\n{sends}");
            let parts = [("a", a.as_str()), ("b", receives)].map(|(player, nodes)| {
                (name(player), graph_of(&format!("local @{player} graph"), nodes))
            });
            join(&parts.into()).is_some()
        };
        let first = format!("  %0 = {receive}");
        assert!(joins(send, &first));
        assert!(!joins(send, ""));
        assert!(!joins("", &first));
        assert!(!joins(&[send, "  %2 = send[edge=0, to=@b](%0) @a\n"].concat(), &first));
        assert!(!joins(send, &format!("{first}  %1 = {receive}")));
        assert!(!joins("  %1 = send[edge=0, to=@b](%7) @a\n", &first));
        assert!(!joins(send, "  %0 = negate(%1) : f32[] @b\n"));
    }

    /// A value that goes to and fro among many players: each node of it is looked at once.
    #[test]
    fn joining_takes_time_in_proportion() {
        let setup = crate::Setup::new((0..1000).rev().map(|i| name(&format!("p{i:03}"))));
        let mut lowered = Graph::new("t", setup.into(), Stage::Lowered);
        let mut nodes = String::from("  %0 = zeros[shape=[]]() : f32[] @p999\n");
        for i in 1..20_000 {
            nodes += &format!("  %{i} = transfer(%{}) : f32[] @p{:03}\n", i - 1, 999 - i % 1000);
        }
        let text = print(&lowered).replace("}\n", &format!("{nodes}}}\n"));
        lowered = crate::parse(&text, &crate::testing::op_set()).unwrap();
        verify_parts(&lowered, &split(&lowered)).unwrap();
    }
}
