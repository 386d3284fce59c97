//! The graph itself: nodes in creation order over a petgraph DAG.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::PlayerName;
use crate::attribute::Attributes;
use crate::op::OpSpec;
use crate::setup::Setup;
use crate::types::Type;

/// A node of one graph: its place in creation order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The node of this index.
    #[must_use]
    pub fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    /// Its place in creation order, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One output of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// The node.
    pub node: NodeId,
    /// Which of its outputs, from 0.
    pub slot: u32,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.slot == 0 { self.node.fmt(f) } else { write!(f, "{}.{}", self.node, self.slot) }
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a node computes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On one player.
    Player(PlayerName),
    /// On the servers of the protocol together.
    Secure,
}

impl Place {
    /// The player, if it is a single one.
    #[must_use]
    pub fn player(&self) -> Option<&PlayerName> {
        match self {
            Self::Player(name) => Some(name),
            Self::Secure => None,
        }
    }
}

impl From<&PlayerName> for Place {
    fn from(name: &PlayerName) -> Self {
        Self::Player(name.clone())
    }
}

impl From<PlayerName> for Place {
    fn from(name: PlayerName) -> Self {
        Self::Player(name)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Player(name) => write!(f, "@{name}"),
            Self::Secure => f.write_str("@secure"),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The line of a program that recorded a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// File, as the compiler was given it.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
}

impl SourceLine {
    pub(crate) fn of(place: &Location<'_>) -> Self {
        Self { file: place.file().into(), line: place.line() }
    }
}

impl fmt::Display for SourceLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One operation of a graph: plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub op: &'static OpSpec,
    /// Its constants.
    pub attributes: Attributes,
    /// What it reads.
    pub inputs: Vec<Port>,
    /// Nodes that must have run before it although it reads nothing of theirs.
    pub after: Vec<NodeId>,
    /// Types of its outputs.
    pub outputs: Vec<Type>,
    /// Where it computes.
    pub place: Place,
    /// The group that it is in, nested by `/`; empty at the top.
    pub scope: Arc<str>,
    /// The program's line that made it. No part of the node's identity: digests leave it out.
    pub source: Option<SourceLine>,
}

/// How far a graph has come on its way to execution. The verifier holds each stage to its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// As the program said it: secrets are values, placed on `secure`.
    Recorded,
    /// As the protocol does it: shares are values, every node is on one player.
    Lowered,
    /// What one player runs of a lowered graph.
    Local(PlayerName),
}

/// Why an edge of the DAG is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Data,
    Control,
}

/// A computation: a head and an acyclic graph of nodes. Nodes are only ever appended, and read
/// nodes appended before them, so that creation order is an order of execution.
#[derive(Debug, Clone)]
pub struct Graph {
    name: Arc<str>,
    setup: Arc<Setup>,
    stage: Stage,
    dag: DiGraph<Node, Edge>,
}

impl Graph {
    /// An empty graph.
    #[must_use]
    pub fn new(name: &str, setup: Arc<Setup>, stage: Stage) -> Self {
        Self { name: name.into(), setup, stage, dag: DiGraph::new() }
    }

    /// An empty graph with the same head at another stage.
    #[must_use]
    pub fn empty_like(&self, stage: Stage) -> Self {
        Self::new(&self.name, Arc::clone(&self.setup), stage)
    }

    /// Its name: that of the function that recorded it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Players, protocol and policy.
    #[must_use]
    pub fn setup(&self) -> &Arc<Setup> {
        &self.setup
    }

    /// How far it has come.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Appends a node and returns its id.
    ///
    /// Inputs that do not exist yet are kept, for the verifier to report; they have no edge.
    pub fn push(&mut self, node: Node) -> NodeId {
        let inputs: Vec<_> = node.inputs.iter().map(|port| (port.node, Edge::Data)).collect();
        let after: Vec<_> = node.after.iter().map(|&id| (id, Edge::Control)).collect();
        let id = self.dag.add_node(node);
        for (from, edge) in inputs.into_iter().chain(after) {
            if from.index() < id.index() {
                self.dag.add_edge(NodeIndex::new(from.index()), id, edge);
            }
        }
        NodeId::new(id.index())
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dag.node_count()
    }

    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The node of an id of this graph.
    ///
    /// # Panics
    /// When `id` is of another graph and out of this one's range.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.dag[NodeIndex::new(id.index())]
    }

    /// The node of an id, if there is one.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.dag.node_weight(NodeIndex::new(id.index()))
    }

    /// The type of a port, if there is such a port.
    #[must_use]
    pub fn ty(&self, port: Port) -> Option<&Type> {
        self.get(port.node)?.outputs.get(port.slot as usize)
    }

    /// An op with the types of its inputs, as messages name it: `mul of f32[2], f32[3]`.
    #[must_use]
    pub fn describe(&self, node: &Node) -> String {
        let types = node.inputs.iter().filter_map(|&port| Some(self.ty(port)?.to_string()));
        let types: Vec<_> = types.collect();
        let of = if types.is_empty() { "" } else { " of " };
        format!("{}{of}{}", node.op.name, types.join(", "))
    }

    /// All nodes in creation order.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.dag.node_indices().map(|i| (NodeId::new(i.index()), &self.dag[i]))
    }

    /// The nodes that read an output of `id`, in creation order, each once for each input.
    #[must_use]
    pub fn readers(&self, id: NodeId) -> Vec<NodeId> {
        let edges = self.dag.edges(NodeIndex::new(id.index()));
        let data = edges.filter(|edge| *edge.weight() == Edge::Data);
        let mut readers: Vec<_> = data.map(|edge| NodeId::new(edge.target().index())).collect();
        readers.sort_unstable();
        readers
    }

    /// A readable name for every node, unique in the graph: `private-input_1/share_2`.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        let mut taken: HashMap<(&str, &str), usize> = HashMap::new();
        self.nodes()
            .map(|(_, node)| {
                let count = taken.entry((&node.scope, node.op.name)).or_default();
                let suffix = if *count == 0 { String::new() } else { format!("_{count}") };
                *count += 1;
                let slash = if node.scope.is_empty() { "" } else { "/" };
                format!("{}{slash}{}{suffix}", node.scope, node.op.name)
            })
            .collect()
    }
}

/// Graphs are equal when they have the same head, stage and nodes; where in a program a node was
/// recorded makes no difference.
impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        let same_node = |(a, b): (&Node, &Node)| {
            a.op == b.op
                && a.attributes == b.attributes
                && a.inputs == b.inputs
                && a.after == b.after
                && a.outputs == b.outputs
                && a.place == b.place
                && a.scope == b.scope
        };
        self.name == other.name
            && self.setup == other.setup
            && self.stage == other.stage
            && self.len() == other.len()
            && self.dag.node_weights().zip(other.dag.node_weights()).all(same_node)
    }
}
