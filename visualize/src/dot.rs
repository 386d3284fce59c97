//! A view as DOT.

use graphviz_rust::dot_structures::{
    Attribute, Edge as DotEdge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Subgraph,
    Vertex,
};
use graphviz_rust::printer::{DotPrinter, PrinterContext};

use crate::legend::{banded, legend, veiled};
use crate::model::{Block, BlockKind, Edge, EdgeKind, End, View};
use crate::quote::quoted;
use crate::style::{
    CLUSTER_FILL, CLUSTER_FRAME, FONT, FRAME, INK, NEUTRAL, SOFT_INK, line, player_colour,
};

impl View {
    /// The view in the DOT language: the same text for the same view, safe for any names.
    #[must_use]
    pub fn to_dot(&self) -> String {
        let mut stmts = defaults(self);
        for cluster in 0..self.clusters.len() {
            stmts.push(Stmt::Subgraph(self.cluster(cluster)));
        }
        let outside = self.blocks.iter().filter(|block| block.cluster.is_none());
        stmts.extend(outside.map(|block| Stmt::Node(self.block(block))));
        stmts.extend(self.edges.iter().filter_map(|edge| self.edge(edge)).map(Stmt::Edge));
        let graph = Graph::DiGraph { id: text_id(&self.name), strict: false, stmts };
        graph.print(&mut PrinterContext::default()) + "\n"
    }

    fn cluster(&self, index: usize) -> Subgraph {
        let scope = &self.clusters[index].scope;
        let mut stmts: Vec<Stmt> = vec![
            Stmt::Attribute(text("label", scope)),
            Stmt::Attribute(text("style", "rounded,filled")),
            Stmt::Attribute(text("color", CLUSTER_FRAME)),
            Stmt::Attribute(text("fillcolor", CLUSTER_FILL)),
            Stmt::Attribute(text("fontsize", "17")),
            Stmt::Attribute(text("labelloc", "b")),
            Stmt::Attribute(text("labeljust", "l")),
            Stmt::Attribute(text("penwidth", "1.5")),
            Stmt::Attribute(text("margin", "14")),
        ];
        let inside = self.blocks.iter().filter(|block| block.cluster == Some(index));
        stmts.extend(inside.map(|block| Stmt::Node(self.block(block))));
        let hubs = (0..self.blocks.len()).filter(|&i| {
            self.blocks[i].kind == BlockKind::Hub && self.blocks[i].cluster == Some(index)
        });
        stmts.extend(hubs.filter_map(|hub| self.in_order(hub)));
        Subgraph { id: cluster_id(scope), stmts }
    }

    /// Keeps boxes in a row and in the program's order that nothing but one hub places.
    ///
    /// For Graphviz any order of them is as good, and it often takes the reverse. None of them
    /// depends on another: nothing but the hub, or nothing at all, is before them.
    fn in_order(&self, hub: usize) -> Option<Stmt> {
        let hub = End::Block(hub);
        let before = |end| self.edges.iter().filter(move |edge| edge.to == end);
        let branches = self.edges.iter().filter(|edge| self.is_branch(edge));
        let row = branches.filter_map(|edge| match (edge.from, edge.to) {
            (from, to) if to == hub => (before(from).count() == 0).then_some(from),
            (from, to) if from == hub => (before(to).count() == 1).then_some(to),
            _ => None,
        });
        let row: Vec<_> = row
            .filter_map(|end| self.anchor(end))
            .map(|id| Vertex::N(NodeId(text_id(id), None)))
            .collect();
        let chain = DotEdge { ty: EdgeTy::Chain(row), attributes: vec![text("style", "invis")] };
        let same = Stmt::Attribute(text("rank", "same"));
        matches!(&chain.ty, EdgeTy::Chain(row) if row.len() > 1).then(|| {
            Stmt::Subgraph(Subgraph {
                id: Id::Anonymous(String::new()),
                stmts: vec![same, Stmt::Edge(chain)],
            })
        })
    }

    fn block(&self, block: &Block) -> Node {
        let mut attributes = Vec::new();
        match (block.kind, block.portions.as_slice()) {
            (BlockKind::Hub, _) => {
                let edge = self.edges.iter().find(|edge| {
                    [edge.from, edge.to]
                        .iter()
                        .any(|&end| matches!(end, End::Block(i) if self.blocks[i].id == block.id))
                });
                let colour = edge.map_or(FRAME, |edge| line(edge.kind).colour);
                attributes.push(text("shape", "point"));
                attributes.push(text("width", "0.09"));
                attributes.push(text("color", colour));
                attributes.push(text("fillcolor", colour));
            }
            (_, []) => {
                attributes.push(text("label", &block.label));
                attributes.push(text("fillcolor", NEUTRAL));
            }
            (_, [only]) => {
                attributes.push(text("label", &block.label));
                attributes.push(text("fillcolor", &player_colour(only.player)));
            }
            (kind, _) => {
                attributes.push(Attribute(plain("label"), Id::Html(banded(block))));
                attributes.push(text("fillcolor", NEUTRAL));
                let margin = if kind == BlockKind::Folded { "0.18,0.1" } else { "0.08,0.06" };
                attributes.push(text("margin", margin));
            }
        }
        if block.kind == BlockKind::Node {
            attributes.push(text("fontsize", "14"));
            attributes.push(text("height", "0.38"));
            if block.portions.len() < 2 {
                attributes.push(text("margin", "0.1,0.04"));
            }
        }
        if block.reveals {
            attributes.push(text("peripheries", "2"));
        }
        Node::new(NodeId(text_id(&block.id), None), attributes)
    }

    /// `None` for an edge of a cluster without boxes, which there is not.
    fn edge(&self, edge: &Edge) -> Option<DotEdge> {
        let line = line(edge.kind);
        let marked = edge.kind == EdgeKind::Reveal && !self.is_branch(edge);
        let label = if marked { format!("{} · reveal", edge.label) } else { edge.label.clone() };
        let colour = if line.double {
            format!("{0}:invis:{0}", line.colour)
        } else {
            line.colour.to_owned()
        };
        let crosses = self.cluster_of(edge.from) != self.cluster_of(edge.to);
        let label = if crosses && edge.kind != EdgeKind::Update {
            Attribute(plain("label"), Id::Html(veiled(&label)))
        } else {
            text("label", &format!(" {label} "))
        };
        let mut attributes = vec![
            label,
            text("color", &colour),
            text("fontcolor", line.text),
            text("penwidth", line.width),
        ];
        let into_hub = matches!(edge.to, End::Block(i) if self.blocks[i].kind == BlockKind::Hub);
        let head = if into_hub { "none" } else { line.head };
        attributes.push(text("arrowhead", head));
        if self.is_branch(edge) {
            // Room for the labels between lines that run together.
            attributes.push(text("minlen", "2"));
        }
        if edge.kind == EdgeKind::Update {
            // It closes the circle of a step: in the layout it would turn the picture around.
            attributes.push(text("constraint", "false"));
        }
        for (end, name) in [(edge.from, "ltail"), (edge.to, "lhead")] {
            if let End::Cluster(cluster) = end {
                let id = cluster_id(&self.clusters[cluster].scope);
                attributes.push(Attribute(plain(name), id));
            }
        }
        let from = Vertex::N(NodeId(text_id(self.anchor(edge.from)?), None));
        let to = Vertex::N(NodeId(text_id(self.anchor(edge.to)?), None));
        Some(DotEdge { ty: EdgeTy::Pair(from, to), attributes })
    }

    /// The box at which an edge ends; for a cluster its last one, from where the edge is cut off
    /// at the frame.
    fn anchor(&self, end: End) -> Option<&str> {
        let block = match end {
            End::Block(block) => &self.blocks[block],
            End::Cluster(cluster) => {
                let mut inside = self.boxes().filter(|block| block.cluster == Some(cluster));
                inside.next_back()?
            }
        };
        Some(&block.id)
    }
}

/// What holds for the whole picture.
fn defaults(view: &View) -> Vec<Stmt> {
    let label = Attribute(plain("label"), Id::Html(legend(view)));
    // An opened block makes the picture wide; shown as wide as before, its text is smaller.
    let (legend_size, edge_size) =
        if view.clusters.is_empty() { ("13", "13") } else { ("16", "14") };
    vec![
        Stmt::GAttribute(GraphAttributes::Graph(vec![
            text("rankdir", "BT"),
            text("compound", "true"),
            text("fontname", FONT),
            text("fontsize", legend_size),
            text("fontcolor", INK),
            text("labelloc", "b"),
            text("bgcolor", "white"),
            text("pad", "0.15"),
            text("nodesep", "0.16"),
            text("ranksep", "0.5"),
            label,
        ])),
        Stmt::GAttribute(GraphAttributes::Node(vec![
            text("shape", "box"),
            text("style", "rounded,filled"),
            text("fontname", FONT),
            text("fontsize", "17"),
            text("fontcolor", INK),
            text("color", FRAME),
            text("penwidth", "1.6"),
            text("margin", "0.22,0.18"),
        ])),
        Stmt::GAttribute(GraphAttributes::Edge(vec![
            text("fontname", FONT),
            text("fontsize", edge_size),
            text("fontcolor", SOFT_INK),
            text("arrowsize", "0.9"),
        ])),
    ]
}

/// An attribute of which the value is quoted.
fn text(name: &str, value: &str) -> Attribute {
    Attribute(plain(name), text_id(value))
}

fn text_id(value: &str) -> Id {
    Id::Escaped(quoted(value))
}

fn cluster_id(scope: &str) -> Id {
    text_id(&format!("cluster_{scope}"))
}

/// A word of the DOT language, never a name from outside.
fn plain(word: &str) -> Id {
    Id::Plain(word.to_owned())
}
