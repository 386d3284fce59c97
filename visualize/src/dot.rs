//! A view as DOT.

use graphviz_rust::dot_structures::{
    Attribute, Edge as DotEdge, EdgeTy, Graph, GraphAttributes, Id, Node, NodeId, Stmt, Subgraph,
    Vertex,
};
use graphviz_rust::printer::{DotPrinter, PrinterContext};

use crate::legend::{banded, legend, veiled};
use crate::model::{BlockKind, Edge, EdgeKind, End, View};
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
        stmts.extend(self.inside(None).map(|block| Stmt::Node(self.block(block))));
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
        stmts.extend(self.inside(Some(index)).map(|block| Stmt::Node(self.block(block))));
        let hubs = self.inside(Some(index)).filter(|&i| self.blocks[i].kind == BlockKind::Hub);
        stmts.extend(hubs.filter_map(|hub| self.in_order(hub)));
        Subgraph { id: cluster_id(scope), stmts }
    }

    fn inside(&self, cluster: Option<usize>) -> impl Iterator<Item = usize> {
        (0..self.blocks.len()).filter(move |&block| self.blocks[block].cluster == cluster)
    }

    /// Keeps boxes in a row and in the program's order that nothing but one hub places.
    ///
    /// For Graphviz any order of them is as good, and it often takes the reverse. None of them
    /// depends on another: nothing but the hub, or nothing at all, is before them.
    fn in_order(&self, hub: usize) -> Option<Stmt> {
        let hub = End::Block(hub);
        let places = |edge: &&Edge| edge.kind != EdgeKind::Update;
        let before = |end| self.edges.iter().filter(places).filter(move |edge| edge.to == end);
        let branches = self.edges.iter().filter(|edge| self.is_branch(edge));
        let row = branches.filter_map(|edge| match (edge.from, edge.to) {
            (from, to) if to == hub => (before(from).count() == 0).then_some(from),
            (from, to) if from == hub => (before(to).count() == 1).then_some(to),
            _ => None,
        });
        let row = row.filter_map(|end| self.anchor(end)).map(vertex).collect::<Vec<_>>();
        if row.len() < 2 {
            return None;
        }
        let chain = DotEdge { ty: EdgeTy::Chain(row), attributes: vec![text("style", "invis")] };
        let stmts = vec![Stmt::Attribute(text("rank", "same")), Stmt::Edge(chain)];
        Some(Stmt::Subgraph(Subgraph { id: Id::Anonymous(String::new()), stmts }))
    }

    fn block(&self, index: usize) -> Node {
        let block = &self.blocks[index];
        let mut attributes = Vec::new();
        match (block.kind, block.portions.as_slice()) {
            (BlockKind::Hub, _) => {
                // All edges of a hub are of one kind.
                let edge = self.edges.iter().find(|edge| edge.from == End::Block(index));
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
            text("label", &format!("  {label} "))
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
        let (from, to) = (vertex(self.anchor(edge.from)?), vertex(self.anchor(edge.to)?));
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

fn vertex(id: &str) -> Vertex {
    Vertex::N(NodeId(text_id(id), None))
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

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use sordino_graph::{Graph as Program, Setup, Stage};

    use crate::testing::{NORMAL, SHARE, lowered, player, push, simple, training};
    use crate::{local, overall};

    /// What `dot` makes of a text; `None` where Graphviz is not installed.
    fn drawn(dot: &str) -> Option<(String, String)> {
        let mut command = Command::new("dot");
        command.arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().ok()?;
        std::io::Write::write_all(&mut child.stdin.take()?, dot.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Some((text(output.stdout), text(output.stderr)))
    }

    fn lines<'a>(dot: &'a str, part: &str) -> Vec<&'a str> {
        dot.lines().filter(|line| line.contains(part)).map(str::trim).collect()
    }

    #[test]
    fn the_overall_view_is_drawn_as_agreed() {
        let dot = overall(&training(), Some(&lowered([6, 3, 3]))).to_dot();
        let edge = |from: &str, to: &str| {
            let found = lines(&dot, &format!("\"{from}/\" -> \"{to}/\""));
            assert_eq!(found.len(), 1, "{from} -> {to}");
            found[0].to_owned()
        };
        assert_eq!(lines(&dot, " -> ").len(), 8);
        let plain = edge("parameters", "private-input_2");
        assert!(plain.contains("label=\"  6 tensors \""), "{plain}");
        assert!(plain.contains("color=\"#7d8287\""), "{plain}");
        let secret = edge("private-input_1", "secure_aggregation");
        assert!(secret.contains("color=\"#6f42c1:invis:#6f42c1\""), "{secret}");
        let reveal = edge("secure_aggregation", "output");
        assert!(reveal.contains("label=\"  6 tensors · reveal \""), "{reveal}");
        assert!(reveal.contains("arrowhead=\"normalodot\""), "{reveal}");
        let update = edge("output", "parameters");
        assert!(update.contains("color=\"#e8850c\""), "{update}");
        assert!(update.contains("constraint=\"false\""), "{update}");
        assert_eq!(lines(&dot, "peripheries"), lines(&dot, "\"output/\"["));
        // The band of the servers: half of it is the first one's.
        let band = lines(&dot, "\"secure_aggregation/\"[")[0];
        let wide = |width: u32, colour: &str| {
            format!(
                "WIDTH=\"{width}\" HEIGHT=\"15\" FIXEDSIZE=\"TRUE\" BORDER=\"1\" \
                     COLOR=\"#5c6166\" BGCOLOR=\"{colour}\""
            )
        };
        for (width, server) in [(81, 4), (40, 5), (40, 6)] {
            assert!(band.contains(&wide(width, &crate::player_colour(server))), "{band}");
        }
        // The legend names every player.
        for player in &training().setup().players {
            assert_eq!(dot.matches(&format!("<TD>{player}</TD>")).count(), 1, "{player}");
        }
    }

    #[test]
    fn graphviz_takes_every_view_without_a_warning() {
        for graph in [training(), simple()] {
            let players = &graph.setup().players;
            let locals = players.iter().map(|player| local(&graph, None, player));
            for view in std::iter::once(overall(&graph, None)).chain(locals) {
                let dot = view.to_dot();
                graphviz_rust::parse(&dot).unwrap();
                assert_eq!(dot, view.to_dot());
                if let Some((svg, warnings)) = drawn(&dot) {
                    assert_eq!(warnings, "", "{dot}");
                    assert!(svg.contains("</svg>"), "{dot}");
                }
            }
        }
    }

    #[test]
    fn names_cannot_become_dot() {
        let names = ["model-owner", "server0"].map(player);
        let name = "a\"];evil[x=\"";
        let mut graph = Program::new(name, Arc::new(Setup::new(names)), Stage::Recorded);
        let scopes = [
            "x\"];evil->worse;[\"",
            "back\\",
            "<b>&lt;\\N\n",
            "} evil {",
            "//",
            "x\"];evil->worse;[\"/in",
        ];
        for scope in scopes {
            push(&mut graph, &NORMAL, scope, "model-owner");
            push(&mut graph, &SHARE, scope, "server0");
        }
        for view in [overall(&graph, None), local(&graph, None, &player("model-owner"))] {
            let dot = view.to_dot();
            let Some((svg, warnings)) = drawn(&dot) else { return };
            assert_eq!(warnings, "", "{dot}");
            assert_eq!(svg.matches("class=\"node\"").count(), view.blocks.len(), "{svg}");
            assert_eq!(svg.matches("class=\"edge\"").count(), 0, "{svg}");
            assert!(svg.contains("x&quot;];evil&#45;&gt;worse;[&quot;</text>"), "{svg}");
            assert!(svg.contains("&lt;b&gt;&amp;lt;\\N\u{fffd}</text>"), "{svg}");
        }
    }
}
