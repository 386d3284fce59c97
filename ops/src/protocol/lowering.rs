//! What every protocol's rules are written with.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sordino_graph::{
    Attributes, Element, Emitter, Graph, Node, NodeId, OpSpec, Place, PlayerName, Port, Secrecy,
    Shape, Stage, TRANSFER, Type, TypeError,
};

use super::{Cost, LowerError};

/// A rule: lowers one node whose inputs or outputs are secret.
pub(super) struct Rule<V> {
    /// The op.
    pub(super) op: &'static str,
    /// Appends what realises the node.
    pub(super) lower: fn(&mut Lowering<'_, V>, NodeId, &Node),
    /// What it costs.
    pub(super) cost: fn(&Lowering<'_, V>, NodeId, &Node) -> Cost,
}

/// A lowering in progress: `V` is what a secret is made of.
pub(super) struct Lowering<'a, V> {
    /// The recorded graph.
    pub(super) from: &'a Graph,
    /// Nodes of it whose value the protocol found to need its stronger form of sharing.
    pub(super) replicated: &'a HashSet<NodeId>,
    /// Names of the recorded nodes.
    names: Vec<String>,
    out: Emitter,
    plain: HashMap<Port, Port>,
    secrets: HashMap<Port, V>,
    /// What became of each node: those that its successors in order come after.
    nodes: HashMap<NodeId, Vec<NodeId>>,
    pads: u32,
    /// The first node that a rule could not append: its op, and what does not fit.
    misfit: Option<(&'static str, TypeError)>,
    /// What the rules cost so far.
    pub(super) cost: Vec<(NodeId, Cost)>,
}

impl<'a, V: 'static> Lowering<'a, V> {
    pub(super) fn new(from: &'a Graph, replicated: &'a HashSet<NodeId>) -> Self {
        Self {
            from,
            replicated,
            names: from.node_names(),
            out: Emitter::new(from.empty_like(Stage::Lowered)),
            plain: HashMap::new(),
            secrets: HashMap::new(),
            nodes: HashMap::new(),
            pads: 0,
            misfit: None,
            cost: Vec::new(),
        }
    }

    /// Lowers every node: by a rule where secrets are, by copying elsewhere.
    pub(super) fn run(
        mut self,
        protocol: &'static str,
        rule_of: impl Fn(&OpSpec) -> Option<&'static Rule<V>>,
    ) -> Result<(Graph, Vec<(NodeId, Cost)>), LowerError> {
        for (id, node) in self.from.nodes() {
            let secret =
                |port: &Port| self.from.ty(*port).is_some_and(|ty| ty.secrecy == Secrecy::Secret);
            if node.place != Place::Secure && !node.inputs.iter().any(secret) {
                self.copy(id, node);
                continue;
            }
            let Some(rule) = rule_of(node.op) else {
                let (node, source_line) = (self.from.describe(node), node.source.clone());
                return Err(LowerError::NoRule { protocol, node, source_line });
            };
            let scope: Arc<str> = self.names[id.index()].as_str().into();
            self.out.locate(scope, node.source.clone());
            let cost = (rule.cost)(&self, id, node);
            self.cost.push((id, cost));
            (rule.lower)(&mut self, id, node);
            if let Some((part, error)) = self.misfit.take() {
                let (node, source_line) = (self.from.describe(node), node.source.clone());
                let error = error.to_string();
                return Err(LowerError::Part { protocol, node, source_line, part, error });
            }
        }
        Ok((self.out.finish(), self.cost))
    }

    fn copy(&mut self, id: NodeId, node: &Node) {
        let mut copy = node.clone();
        copy.inputs = node.inputs.iter().map(|port| self.plain[port]).collect();
        copy.after = node.after.iter().flat_map(|before| &self.nodes[before]).copied().collect();
        let slots = copy.outputs.len();
        let new = self.out.push(copy);
        self.nodes.insert(id, vec![new]);
        for slot in (0..slots).map(|slot| u32::try_from(slot).unwrap_or(u32::MAX)) {
            self.plain.insert(Port { node: id, slot }, Port { node: new, slot });
        }
    }

    /// Notes that a rule has no node of `op` to append: lowering ends with the rule.
    pub(super) fn misfit(&mut self, op: &'static OpSpec, error: TypeError) {
        self.misfit.get_or_insert((op.name, error));
    }

    /// Appends a node of one output on `player`. Where it does not fit, the port stands for no
    /// value, and lowering ends with the rule.
    pub(super) fn emit(
        &mut self,
        op: &'static OpSpec,
        attributes: Attributes,
        inputs: &[Port],
        player: &PlayerName,
    ) -> Port {
        self.out.emit(op, attributes, inputs, &player.into()).unwrap_or_else(|error| {
            self.misfit(op, error);
            Port { node: NodeId::new(self.out.graph().len()), slot: 0 }
        })
    }

    /// Appends a node of `N` outputs on `player`.
    pub(super) fn emit_all<const N: usize>(
        &mut self,
        op: &'static OpSpec,
        attributes: Attributes,
        inputs: &[Port],
        player: &PlayerName,
    ) -> [Port; N] {
        let first = self.emit(op, attributes, inputs, player);
        std::array::from_fn(|slot| Port { slot: slot as u32, ..first })
    }

    /// The value on `to`: where it is already, or by a transfer.
    pub(super) fn transfer(&mut self, value: Port, to: &PlayerName) -> Port {
        if self.out.graph().get(value.node).is_some_and(|node| node.place.player() == Some(to)) {
            return value;
        }
        self.emit(&TRANSFER, Attributes::default(), &[value], to)
    }

    /// The servers, in the protocol's order.
    pub(super) fn servers(&self) -> Vec<PlayerName> {
        self.from.setup().secure.as_ref().map(|secure| secure.servers.clone()).unwrap_or_default()
    }

    /// A number that no other pad of the graph has.
    pub(super) fn next_pad(&mut self) -> u32 {
        self.pads += 1;
        self.pads - 1
    }

    /// What a secret of the recorded graph is made of.
    pub(super) fn secret(&self, port: Port) -> &V {
        &self.secrets[&port]
    }

    pub(super) fn set_secret(&mut self, node: NodeId, value: V) {
        self.secrets.insert(Port { node, slot: 0 }, value);
    }

    /// Where a plaintext value of the recorded graph went.
    pub(super) fn plain(&self, port: Port) -> Port {
        self.plain[&port]
    }

    pub(super) fn set_plain(&mut self, node: NodeId, value: Port) {
        self.plain.insert(Port { node, slot: 0 }, value);
        self.nodes.insert(node, vec![value.node]);
    }

    /// Appends an access of a variable, one of those that `node` becomes: after the accesses of
    /// the same variable that the node comes after.
    pub(super) fn access(&mut self, node: NodeId, access: Node) -> NodeId {
        let variable =
            |node: &Node| (node.place.clone(), node.attributes.text("variable").map(str::to_owned));
        let same = |before: &NodeId| variable(self.out.graph().node(*before)) == variable(&access);
        let before = self.from.node(node).after.iter().flat_map(|before| &self.nodes[before]);
        let after = before.copied().filter(same).collect();
        let new = self.out.push(Node { after, ..access });
        self.nodes.entry(node).or_default().push(new);
        new
    }

    /// The type of a port of the lowered graph; that of a scalar where the port stands for no value.
    pub(super) fn type_of(&self, port: Port) -> Type {
        let ty = self.out.graph().ty(port).cloned();
        ty.unwrap_or_else(|| Type::plain(Element::F32, Shape::scalar()))
    }

    /// The lowered graph so far.
    pub(super) fn lowered(&self) -> &Graph {
        self.out.graph()
    }
}
