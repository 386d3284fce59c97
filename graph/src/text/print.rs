//! Printing a graph as text.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};

use super::Digest;
use crate::graph::{Graph, Node, NodeId, Stage};

/// The text of a graph: its identity, without the program's lines.
#[must_use]
pub fn print(graph: &Graph) -> String {
    print_graph(graph, false)
}

/// The text of a graph with the program's line behind each node.
#[must_use]
pub fn print_with_sources(graph: &Graph) -> String {
    print_graph(graph, true)
}

/// SHA-256 of [`print()`](print()).
#[must_use]
pub fn digest(graph: &Graph) -> Digest {
    Digest(Sha256::digest(print(graph).as_bytes()).into())
}

fn print_graph(graph: &Graph, sources: bool) -> String {
    let mut text = match graph.stage() {
        Stage::Recorded => String::new(),
        Stage::Lowered => "lowered ".to_owned(),
        Stage::Local(player) => format!("local @{player} "),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "graph {} {{", graph.name());
    let _ = write!(text, "{}", graph.setup());
    for (id, node) in graph.nodes() {
        let source = node.source.as_ref().filter(|_| sources);
        let comment = source.map(|line| format!(" # {line}")).unwrap_or_default();
        let _ = writeln!(text, "  {}{comment}", print_node(id, node));
    }
    text.push_str("}\n");
    text
}

/// One node as a line, without its source line.
pub(crate) fn print_node(id: NodeId, node: &Node) -> String {
    let mut line = format!("{id} = {}", node.op.name);
    if node.attributes.iter().len() > 0 {
        let pairs = node.attributes.iter().map(|(name, value)| format!("{name}={value}"));
        let _ = write!(line, "[{}]", join(pairs));
    }
    let _ = write!(line, "({})", join(node.inputs.iter().map(ToString::to_string)));
    if !node.outputs.is_empty() {
        let _ = write!(line, " : {}", join(node.outputs.iter().map(ToString::to_string)));
    }
    let _ = write!(line, " {}", node.place);
    if !node.scope.is_empty() {
        let _ = write!(line, " in {}", node.scope);
    }
    if !node.after.is_empty() {
        let _ = write!(line, " after {}", join(node.after.iter().map(ToString::to_string)));
    }
    line
}

fn join(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
