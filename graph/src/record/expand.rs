//! Expansion: nodes are replaced by what a rule records in their place.

use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;

use super::{RecordError, Recording, State, Value};
use crate::attribute::Attributes;
use crate::graph::{Graph, Node, NodeId, Port};
use crate::types::Type;

/// A node that is being replaced.
#[derive(Debug)]
pub struct Expanding<'a, 'r> {
    /// The node as it stood in the old graph.
    pub node: &'a Node,
    /// Its inputs in the new graph.
    pub inputs: Vec<Value<'r>>,
    /// The recording of the new graph.
    pub recording: Recording<'r>,
}

impl Expanding<'_, '_> {
    /// Attributes of the node.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.node.attributes
    }

    /// Type of its first output.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn ty(&self) -> &Type {
        &self.node.outputs[0]
    }
}

/// Copies a recorded graph; where `rule` returns values, they take the place of the outputs of its
/// node. What the rule records is in a scope of the node's name, with the node's source line.
///
/// # Errors
/// [`RecordError`] when what a rule records does not fit: a fault of the rule.
pub fn expand<F>(graph: &Graph, rule: F) -> Result<Graph, RecordError>
where
    F: for<'r> Fn(&Expanding<'_, 'r>) -> Option<Vec<Value<'r>>>,
{
    let names = graph.node_names();
    let state = RefCell::new(State::new(graph.empty_like(graph.stage().clone())));
    let recording = Recording { state: &state, brand: PhantomData };
    let mut ports: HashMap<Port, Value<'_>> = HashMap::new();
    let mut nodes: HashMap<NodeId, NodeId> = HashMap::new();
    for (id, node) in graph.nodes() {
        let Some(inputs) = node.inputs.iter().map(|port| ports.get(port).copied()).collect() else {
            // An input is missing only where a rule failed, whose fault is recorded.
            continue;
        };
        let expanding = Expanding { node, inputs, recording };
        let faults = {
            let mut state = state.borrow_mut();
            state.scope = names[id.index()].as_str().into();
            state.source.clone_from(&node.source);
            state.faults.len()
        };
        let outputs = rule(&expanding);
        for fault in &mut state.borrow_mut().faults[faults..] {
            let part = std::mem::replace(&mut fault.op, graph.describe(node));
            fault.message = format!("is made of {part}, which {}", fault.message);
        }
        let outputs = outputs.unwrap_or_else(|| {
            let mut copy = node.clone();
            copy.inputs = expanding.inputs.iter().filter_map(Value::port).collect();
            copy.after =
                copy.after.iter().filter_map(|before| nodes.get(before).copied()).collect();
            let new = state.borrow_mut().graph.push(copy);
            nodes.insert(id, new);
            let port = |slot| Port { node: new, slot: u32::try_from(slot).unwrap_or(u32::MAX) };
            (0..node.outputs.len()).map(|slot| recording.value(port(slot))).collect()
        });
        for (slot, value) in (0..).zip(outputs) {
            ports.insert(Port { node: id, slot }, value);
        }
    }
    state.into_inner().finish(graph.name())
}
