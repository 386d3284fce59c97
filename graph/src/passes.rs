//! Passes that need to know nothing of single ops, and what all passes are written with.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::attribute::Attributes;
use crate::graph::{Graph, Node, NodeId, Place, Port, SourceLine, Stage};
use crate::op::{OpSpec, TypeError};
use crate::types::Type;

/// Copies a graph node by node, with changes: what every pass is written with.
#[derive(Debug)]
pub struct Rewriter<'a> {
    from: &'a Graph,
    to: Graph,
    ports: HashMap<Port, Port>,
    nodes: BTreeMap<NodeId, NodeId>,
}

impl<'a> Rewriter<'a> {
    /// Begins a rewrite of `from` into a graph at `stage`.
    #[must_use]
    pub fn new(from: &'a Graph, stage: Stage) -> Self {
        let to = from.empty_like(stage);
        Self { from, to, ports: HashMap::new(), nodes: BTreeMap::new() }
    }

    /// The graph so far.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.to
    }

    /// Where a port of the old graph went.
    #[must_use]
    pub fn port(&self, old: Port) -> Option<Port> {
        self.ports.get(&old).copied()
    }

    /// Says that what was `old` is now `new`.
    pub fn map(&mut self, old: Port, new: Port) {
        self.ports.insert(old, new);
    }

    /// Copies a node with its inputs, edges and outputs mapped.
    pub fn copy(&mut self, id: NodeId) -> NodeId {
        let node = self.mapped(id);
        self.replace(id, node)
    }

    /// The node with its inputs and control edges mapped.
    #[must_use]
    pub fn mapped(&self, id: NodeId) -> Node {
        let mut node = self.from.node(id).clone();
        for port in &mut node.inputs {
            *port = self.port(*port).unwrap_or(*port);
        }
        node.after = node.after.iter().filter_map(|old| self.nodes.get(old).copied()).collect();
        node
    }

    /// Appends `node` in the place of the old node `id`.
    pub fn replace(&mut self, id: NodeId, node: Node) -> NodeId {
        let slots = node.outputs.len();
        let new = self.to.push(node);
        self.nodes.insert(id, new);
        for slot in (0..slots).map(|slot| u32::try_from(slot).unwrap_or(u32::MAX)) {
            self.ports.insert(Port { node: id, slot }, Port { node: new, slot });
        }
        new
    }

    /// Appends a node that has no counterpart in the old graph.
    pub fn push(&mut self, node: Node) -> NodeId {
        self.to.push(node)
    }

    /// The new graph.
    #[must_use]
    pub fn finish(self) -> Graph {
        self.to
    }
}

/// Drops nodes that nothing with an effect depends on.
#[must_use]
pub fn drop_unused(graph: &Graph) -> Graph {
    let mut used = vec![false; graph.len()];
    for (id, node) in graph.nodes().rev() {
        used[id.index()] |= node.op.role.has_effect();
        if used[id.index()] {
            for input in &node.inputs {
                used[input.node.index()] = true;
            }
        }
    }
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    for (id, _) in graph.nodes().filter(|(id, _)| used[id.index()]) {
        rewriter.copy(id);
    }
    rewriter.finish()
}

/// Merges nodes of pure ops that have equal attributes, inputs, place and type into the first.
#[must_use]
pub fn merge_equal(graph: &Graph) -> Graph {
    type Key = (&'static str, String, Vec<Port>, Place, Vec<Type>);
    let mut seen: HashMap<Key, NodeId> = HashMap::new();
    let mut rewriter = Rewriter::new(graph, graph.stage().clone());
    for (id, node) in graph.nodes() {
        let mapped = rewriter.mapped(id);
        if !node.op.role.is_pure() || !node.after.is_empty() {
            rewriter.replace(id, mapped);
            continue;
        }
        let attributes = format!("{:?}", mapped.attributes);
        let key = (
            node.op.name,
            attributes,
            mapped.inputs.clone(),
            node.place.clone(),
            node.outputs.clone(),
        );
        match seen.get(&key) {
            Some(&first) => {
                for slot in (0..node.outputs.len()).map(|s| u32::try_from(s).unwrap_or(u32::MAX)) {
                    rewriter.map(Port { node: id, slot }, Port { node: first, slot });
                }
                rewriter.nodes.insert(id, first);
            }
            None => {
                seen.insert(key, rewriter.replace(id, mapped));
            }
        }
    }
    rewriter.finish()
}

/// Appends nodes of a pass or of a lowering rule: the recorder's counterpart for graphs that are
/// already typed. All nodes get the scope and source line set last.
#[derive(Debug)]
pub struct Emitter {
    graph: Graph,
    scope: Arc<str>,
    source: Option<SourceLine>,
}

impl Emitter {
    /// Appends to `graph`.
    #[must_use]
    pub fn new(graph: Graph) -> Self {
        Self { graph, scope: "".into(), source: None }
    }

    /// Sets scope and source line of the nodes to come.
    pub fn locate(&mut self, scope: Arc<str>, source: Option<SourceLine>) {
        self.scope = scope;
        self.source = source;
    }

    /// Appends a node of one output.
    ///
    /// # Errors
    /// [`TypeError`] when attributes or inputs do not fit the op, as when its output would be too large.
    pub fn emit(
        &mut self,
        op: &'static OpSpec,
        attributes: Attributes,
        inputs: &[Port],
        place: &Place,
    ) -> Result<Port, TypeError> {
        let outputs = crate::check::infer(&self.graph, op, &attributes, inputs)?;
        let node = Node {
            op,
            attributes,
            inputs: inputs.to_vec(),
            after: Vec::new(),
            outputs,
            place: place.clone(),
            scope: Arc::clone(&self.scope),
            source: self.source.clone(),
        };
        Ok(Port { node: self.graph.push(node), slot: 0 })
    }

    /// Appends a finished node.
    pub fn push(&mut self, node: Node) -> NodeId {
        self.graph.push(node)
    }

    /// The graph so far.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The finished graph.
    #[must_use]
    pub fn finish(self) -> Graph {
        self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::graph_of;
    use crate::{print, verify};

    fn check(pass: fn(&Graph) -> Graph, nodes: &str, expect: &str) {
        let after = pass(&graph_of("graph", nodes));
        verify(&after).unwrap();
        assert_eq!(print(&after), print(&graph_of("graph", expect)), "{nodes}");
        assert_eq!(pass(&after), after, "a second time changes nothing");
    }

    #[test]
    fn equal_nodes_merge_into_the_first() {
        let check = |nodes, expect| check(merge_equal, nodes, expect);
        check(
            "  %0 = zeros[shape=[2]]() : f32[2] @a in s
  %1 = zeros[shape=[2]]() : f32[2] @a in t
  %2 = halves(%0) : f32[2], f32[2] @a
  %3 = halves(%1) : f32[2], f32[2] @a
  %4 = add_n(%2.1, %3) : f32[2] @a
  %5 = add_n(%3.1, %2) : f32[2] @a
  %6 = publish(%4) @a
  %7 = publish(%5) @a",
            "  %0 = zeros[shape=[2]]() : f32[2] @a in s
  %1 = halves(%0) : f32[2], f32[2] @a
  %2 = add_n(%1.1, %1) : f32[2] @a
  %3 = publish(%2) @a
  %4 = publish(%2) @a",
        );
        let different = "  %0 = zeros[shape=[2]]() : f32[2] @a
  %1 = zeros[shape=[3]]() : f32[3] @a
  %2 = zeros[shape=[2]]() : f32[2] @b
  %3 = halves(%0) : f32[2], f32[2] @a
  %4 = add_n(%3, %3.1) : f32[2] @a
  %5 = add_n(%3.1, %3) : f32[2] @a
  %6 = scale[factor=0.0](%0) : f32[2] @a
  %7 = scale[factor=-0.0](%0) : f32[2] @a
  %8 = transfer(%0) : f32[2] @c
  %9 = transfer(%0) : f32[2] @d";
        check(different, different);
        let impure = "  %0 = input[shape=[2]]() : f32[2] @a
  %1 = input[shape=[2]]() : f32[2] @a
  %2 = encode(%0) : fix64.16[2] @a
  %3 = share(%2) : secret fix64.16[2] @secure
  %4 = share(%2) : secret fix64.16[2] @secure
  %5 = read[type=<f32[]>, variable=\"v\"]() : f32[] @a
  %6 = assign[variable=\"v\"](%5) @a after %5
  %7 = read[type=<f32[]>, variable=\"v\"]() : f32[] @a after %6
  %8 = assign[variable=\"v\"](%5) @a after %6, %7";
        check(impure, impure);
    }

    #[test]
    fn what_nothing_uses_goes() {
        let check = |nodes, expect| check(drop_unused, nodes, expect);
        check(
            "  %0 = zeros[shape=[2]]() : f32[2] @a
  %1 = input[shape=[2]]() : f32[2] @a
  %2 = halves(%0) : f32[2], f32[2] @a
  %3 = negate(%2.1) : f32[2] @a
  %4 = negate(%2) : f32[2] @a
  %5 = transfer(%0) : f32[2] @b
  %6 = publish(%3) @a",
            "  %0 = zeros[shape=[2]]() : f32[2] @a
  %1 = halves(%0) : f32[2], f32[2] @a
  %2 = negate(%1.1) : f32[2] @a
  %3 = publish(%2) @a",
        );
        check("  %0 = zeros[shape=[2]]() : f32[2] @a", "");
    }

    /// The assignments around a read that goes stay in order.
    #[test]
    fn order_outlives_an_unused_read() {
        let read = "read[type=<f32[2]>, variable=\"v\"]() : f32[2] @a after %1";
        check(
            drop_unused,
            &format!(
                "  %0 = zeros[shape=[2]]() : f32[2] @a
  %1 = assign[variable=\"v\"](%0) @a
  %2 = {read}
  %3 = assign[variable=\"v\"](%0) @a after %1, %2"
            ),
            "  %0 = zeros[shape=[2]]() : f32[2] @a
  %1 = assign[variable=\"v\"](%0) @a
  %2 = assign[variable=\"v\"](%0) @a after %1",
        );
    }
}
