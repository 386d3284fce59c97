//! What a picture shows, before anything is said about how it looks.

use sordino_graph::PlayerName;

/// A picture of a graph: boxes, the clusters that group them, and edges between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Name of the graph.
    pub name: String,
    /// Whose local view this is; `None` for the overall view.
    pub player: Option<PlayerName>,
    /// All players in the order of the graph, which is the order of their colours.
    pub players: Vec<PlayerName>,
    /// Opened blocks.
    pub clusters: Vec<Cluster>,
    /// Boxes, in the order in which the program recorded their first nodes; hubs last.
    pub blocks: Vec<Block>,
    /// Edges, ordered by the boxes that they join.
    pub edges: Vec<Edge>,
}

/// An opened block: its boxes are drawn inside one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The scope: `private-input`.
    pub scope: String,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What tells it from every other box of the view.
    pub id: String,
    /// What is written into it, never shortened.
    pub label: String,
    /// What it stands for.
    pub kind: BlockKind,
    /// The cluster that holds it, an index into [`View::clusters`].
    pub cluster: Option<usize>,
    /// Who computes it, with how many nodes; empty when no player of the graph does.
    pub portions: Vec<Portion>,
    /// Whether a secret becomes plaintext in it.
    pub reveals: bool,
}

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// A scope with all that is in it.
    Folded,
    /// One node.
    Node,
    /// A point where edges that cross the frame of a cluster meet, so that `n` boxes inside that
    /// all feed the same `m` boxes outside need `n + m` edges and not `n · m`.
    Hub,
}

/// The part of a box that one player computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Index into [`View::players`].
    pub player: usize,
    /// Its weight, more than zero: nodes of the player in the box.
    pub nodes: usize,
}

/// Where an edge ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// At a box, an index into [`View::blocks`].
    Block(usize),
    /// At the frame of a cluster, an index into [`View::clusters`].
    Cluster(usize),
}

/// Tensors that go from one box to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Where they come from.
    pub from: End,
    /// Where they go.
    pub to: End,
    /// Who can read them.
    pub kind: EdgeKind,
    /// The shape of one tensor, `784×128`; the number of several, `6 tensors`.
    pub label: String,
}

/// What an edge carries. Two boxes have one edge of each kind at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// Plaintext.
    Plain,
    /// Secrets, which nobody can read.
    Secret,
    /// Secrets on their way into the node that makes them plaintext.
    Reveal,
    /// New values of variables, to where the next run reads them.
    Update,
}

impl View {
    /// The boxes that stand for nodes or scopes: all but the hubs.
    pub fn boxes(&self) -> impl DoubleEndedIterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.kind != BlockKind::Hub)
    }

    /// The cluster in which an end of an edge is, if it is a box in one.
    #[must_use]
    pub fn cluster_of(&self, end: End) -> Option<usize> {
        match end {
            End::Block(block) => self.blocks[block].cluster,
            End::Cluster(_) => None,
        }
    }

    /// Whether the edge is one of those that a hub gathers or spreads within its cluster.
    #[must_use]
    pub fn is_branch(&self, edge: &Edge) -> bool {
        let is_hub = |end| matches!(end, End::Block(i) if self.blocks[i].kind == BlockKind::Hub);
        let cluster = self.cluster_of(edge.from);
        cluster.is_some()
            && cluster == self.cluster_of(edge.to)
            && (is_hub(edge.from) || is_hub(edge.to))
    }
}
