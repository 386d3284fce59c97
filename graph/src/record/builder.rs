//! A node being put together.

use std::sync::Arc;

use super::{RecordFault, Recording, Value};
use crate::attribute::{Attribute, Attributes};
use crate::check;
use crate::graph::{Node, Place, Port, SourceLine};
use crate::op::OpSpec;

/// A node being put together. [`build`](Self::build) appends it.
#[must_use = "a node is recorded by build, build_all or finish"]
pub struct OpBuilder<'r> {
    pub(super) recording: Recording<'r>,
    pub(super) op: &'static OpSpec,
    pub(super) attributes: Attributes,
    pub(super) inputs: Vec<Value<'r>>,
    pub(super) place: Option<Place>,
    pub(super) source: SourceLine,
}

impl<'r> OpBuilder<'r> {
    /// Sets an attribute.
    pub fn attr(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.attributes.set(name, value);
        self
    }

    /// Adds an input.
    pub fn input(mut self, value: Value<'r>) -> Self {
        self.inputs.push(value);
        self
    }

    /// Adds inputs.
    pub fn inputs(mut self, values: impl IntoIterator<Item = Value<'r>>) -> Self {
        self.inputs.extend(values);
        self
    }

    /// Says where the node computes. Without it, where its first input is.
    pub fn at(mut self, place: impl Into<Place>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Appends a node of one output.
    pub fn build(self) -> Value<'r> {
        let recording = self.recording;
        self.build_all().into_iter().next().unwrap_or(Value { recording, port: None })
    }

    /// Appends a node without outputs.
    pub fn finish(self) {
        self.build_all();
    }

    /// Appends a node and returns its outputs; none when it is faulty.
    pub fn build_all(self) -> Vec<Value<'r>> {
        let Self { recording, op, attributes, inputs, place, source } = self;
        let Some(ports) = inputs.iter().map(|value| value.port).collect::<Option<Vec<_>>>() else {
            return Vec::new();
        };
        let state = &mut *recording.state.borrow_mut();
        let first = ports.first().map(|port| state.graph.node(port.node).place.clone());
        let outputs = match check::infer(&state.graph, op, &attributes, &ports) {
            Ok(outputs) => outputs,
            Err(error) => {
                let message = error.to_string();
                state.faults.push(RecordFault { op: op.name.to_owned(), message, source });
                return Vec::new();
            }
        };
        let Some(place) = place.or(first) else {
            let message = "has no inputs: say where it computes with `at`".to_owned();
            state.faults.push(RecordFault { op: op.name.to_owned(), message, source });
            return Vec::new();
        };
        let after = state.order_after(op, &attributes, &place);
        let slots = outputs.len();
        let scope = Arc::clone(&state.scope);
        let source = Some(source);
        let node = Node { op, attributes, inputs: ports, after, outputs, place, scope, source };
        let id = state.graph.push(node);
        let port = |slot| Port { node: id, slot: u32::try_from(slot).unwrap_or(u32::MAX) };
        (0..slots).map(|slot| Value { recording, port: Some(port(slot)) }).collect()
    }
}
