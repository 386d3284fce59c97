//! Recording: a closure runs once, and what it does with values becomes a graph.
//!
//! Handles borrow their recording, and the lifetime is a brand: a [`Value`] that outlives its
//! recording, or meets one of another recording, does not compile.
//!
//! ```
//! use sordino_graph::{Setup, record};
//!
//! let mut seen = 0;
//! record("counts", &Setup::new([]), |g| {
//!     let again = *g;
//!     seen += again.setup().players.len();
//! }).unwrap();
//! ```
//!
//! A recording that escapes, and with it any value:
//!
//! ```compile_fail,E0521
//! use sordino_graph::{Setup, record};
//!
//! let mut seen = None;
//! record("escapes", &Setup::new([]), |g| {
//!     let again = *g;
//!     seen = Some(again);
//! }).unwrap();
//! ```
//!
//! Values of one recording meet:
//!
//! ```
//! use sordino_graph::{Recording, Value};
//!
//! fn meet<'r>(_: Value<'r>, _: Value<'r>) {}
//! fn program<'r>(g: &Recording<'r>, x: Value<'r>, y: Value<'r>) {
//!     meet(x, y);
//! }
//! ```
//!
//! Values of two recordings do not, whichever lives longer:
//!
//! ```compile_fail
//! use sordino_graph::{Recording, Value};
//!
//! fn meet<'r>(_: Value<'r>, _: Value<'r>) {}
//! fn program<'r, 's: 'r>(g: &Recording<'r>, x: Value<'r>, y: Value<'s>) {
//!     meet(x, y);
//! }
//! ```

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use crate::attribute::Attributes;
use crate::graph::{Graph, NodeId, Place, Port, SourceLine, Stage};
use crate::op::{OpSpec, Role};
use crate::setup::Setup;
use crate::types::Type;

mod builder;
mod expand;

pub use builder::OpBuilder;
pub use expand::{Expanding, expand};

/// What went wrong while recording, with the program's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFault {
    /// The op.
    pub op: String,
    /// A sentence.
    pub message: String,
    /// The program's line.
    pub source: SourceLine,
}

/// A recording failed: every fault that it met, in program order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordError {
    /// Name of the function that was recorded.
    pub function: String,
    /// At least one fault.
    pub faults: Vec<RecordFault>,
}

impl std::error::Error for RecordError {}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recording {} failed", self.function)?;
        for fault in &self.faults {
            write!(f, "\n  {}: {} {}", fault.source, fault.op, fault.message)?;
        }
        Ok(())
    }
}

/// Runs `program` once and returns the graph that it recorded.
///
/// # Errors
/// [`RecordError`] with every op whose inputs did not fit it.
pub fn record<F>(name: &str, setup: &Setup, program: F) -> Result<Graph, RecordError>
where
    F: for<'r> FnOnce(&Recording<'r>),
{
    let graph = Graph::new(name, Arc::new(setup.clone()), Stage::Recorded);
    let state = RefCell::new(State::new(graph));
    program(&Recording { state: &state, brand: PhantomData });
    state.into_inner().finish(name)
}

/// A recording in progress.
#[derive(Clone, Copy)]
pub struct Recording<'r> {
    state: &'r RefCell<State>,
    /// Invariant in `'r`: two recordings never have the same type.
    brand: PhantomData<Cell<&'r ()>>,
}

struct State {
    graph: Graph,
    scope: Arc<str>,
    /// How often a scope of that full name was opened.
    scopes: HashMap<String, usize>,
    /// Accesses of a variable since, and including, the last assignment.
    variables: HashMap<(Place, String), Accesses>,
    /// The line that all nodes get, where it is not the caller's.
    source: Option<SourceLine>,
    faults: Vec<RecordFault>,
}

#[derive(Default)]
struct Accesses {
    assigned: Option<NodeId>,
    read: Vec<NodeId>,
}

impl fmt::Debug for Recording<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recording({})", self.state.borrow().graph.name())
    }
}

impl<'r> Recording<'r> {
    /// Players, protocol and policy of the program.
    #[must_use]
    pub fn setup(&self) -> Arc<Setup> {
        Arc::clone(self.state.borrow().graph.setup())
    }

    /// Records what `body` does inside a named group. A name used before in the same group gets a
    /// number: `private-input`, `private-input_1`. It is of letters, digits, `-`, `_` and `.`.
    #[track_caller]
    pub fn scope<T>(&self, name: &str, body: impl FnOnce() -> T) -> T {
        let legal = |c| c != '/' && crate::attribute::is_word_character(c);
        if name.is_empty() || !name.chars().all(legal) {
            let message = format!("takes letters, digits, -, _ and . as a name, not {name:?}");
            self.fault("scope", message);
        }
        let outer = {
            let mut state = self.state.borrow_mut();
            let slash = if state.scope.is_empty() { "" } else { "/" };
            let full = format!("{}{slash}{name}", state.scope);
            let count = state.scopes.entry(full.clone()).or_default();
            let inner = if *count == 0 { full } else { format!("{full}_{count}") };
            *count += 1;
            std::mem::replace(&mut state.scope, inner.into())
        };
        let result = body();
        self.state.borrow_mut().scope = outer;
        result
    }

    /// Records what `body` does as of the caller's line, or of the line that an outer call of this was
    /// on: for functions that are made of many ops, so that errors name the program's line.
    #[track_caller]
    pub fn here<T>(&self, body: impl FnOnce() -> T) -> T {
        let here = SourceLine::of(Location::caller());
        let outer = {
            let mut state = self.state.borrow_mut();
            let here = state.source.clone().unwrap_or(here);
            state.source.replace(here)
        };
        let result = body();
        self.state.borrow_mut().source = outer;
        result
    }

    /// Begins a node of `op`; the caller's line becomes the node's.
    #[track_caller]
    pub fn op(&self, op: &'static OpSpec) -> OpBuilder<'r> {
        let caller = SourceLine::of(Location::caller());
        OpBuilder {
            recording: *self,
            op,
            attributes: Attributes::default(),
            inputs: Vec::new(),
            place: None,
            source: self.state.borrow().source.clone().unwrap_or(caller),
        }
    }

    /// Reports a fault of the program at the caller's line.
    #[track_caller]
    pub fn fault(&self, op: &str, message: impl Into<String>) {
        let caller = SourceLine::of(Location::caller());
        let mut state = self.state.borrow_mut();
        let source = state.source.clone().unwrap_or(caller);
        state.faults.push(RecordFault { op: op.to_owned(), message: message.into(), source });
    }

    /// As [`fault`](Self::fault); returns what stands for the missing result. What is computed from
    /// it adds no fault.
    #[track_caller]
    #[must_use]
    pub fn faulty(&self, op: &str, message: impl Into<String>) -> Value<'r> {
        self.fault(op, message);
        Value { recording: *self, port: None }
    }

    /// Sees the graph recorded so far.
    pub(crate) fn with_graph<T>(&self, see: impl FnOnce(&Graph) -> T) -> T {
        see(&self.state.borrow().graph)
    }

    /// The value of a port.
    pub(crate) fn value(self, port: Port) -> Value<'r> {
        Value { recording: self, port: Some(port) }
    }
}

/// A value of the program being recorded: one output of a node.
#[derive(Clone, Copy)]
pub struct Value<'r> {
    recording: Recording<'r>,
    /// `None` for the result of an op that did not fit its inputs. The fault is recorded; what
    /// is computed from the value adds none.
    port: Option<Port>,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => port.fmt(f),
            None => f.write_str("faulty"),
        }
    }
}

impl<'r> Value<'r> {
    /// The recording that the value belongs to.
    #[must_use]
    pub fn recording(&self) -> Recording<'r> {
        self.recording
    }

    /// Its type; `None` when the op that made it was faulty.
    #[must_use]
    pub fn ty(&self) -> Option<Type> {
        self.recording.with_graph(|graph| graph.ty(self.port?).cloned())
    }

    /// The op that made it; `None` when that was faulty.
    #[must_use]
    pub fn op(&self) -> Option<&'static OpSpec> {
        self.recording.with_graph(|graph| Some(graph.node(self.port?.node).op))
    }

    /// The attributes of the node that made it; `None` when that was faulty.
    #[must_use]
    pub fn attributes(&self) -> Option<Attributes> {
        self.recording.with_graph(|graph| Some(graph.node(self.port?.node).attributes.clone()))
    }

    /// Where it is; `None` when the op that made it was faulty.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.recording.with_graph(|graph| Some(graph.node(self.port?.node).place.clone()))
    }

    /// The port of the graph; `None` when the op that made it was faulty.
    #[must_use]
    pub fn port(&self) -> Option<Port> {
        self.port
    }
}

impl State {
    fn new(graph: Graph) -> Self {
        Self {
            graph,
            scope: "".into(),
            scopes: HashMap::new(),
            variables: HashMap::new(),
            source: None,
            faults: Vec::new(),
        }
    }

    fn finish(self, name: &str) -> Result<Graph, RecordError> {
        if self.faults.is_empty() {
            Ok(self.graph)
        } else {
            Err(RecordError { function: name.to_owned(), faults: self.faults })
        }
    }

    /// The nodes after which an access of a variable comes: a read after the last assignment, an
    /// assignment after the last assignment and every read since.
    fn order_after(&mut self, op: &OpSpec, attributes: &Attributes, place: &Place) -> Vec<NodeId> {
        let Some(name) = attributes.text("variable") else { return Vec::new() };
        let next = NodeId::new(self.graph.len());
        let accesses = self.variables.entry((place.clone(), name.to_owned())).or_default();
        match op.role {
            Role::ReadVariable => {
                accesses.read.push(next);
                accesses.assigned.into_iter().collect()
            }
            Role::AssignVariable => {
                // Also where reads stand between the two assignments: a pass may drop those.
                let assigned = accesses.assigned.replace(next).into_iter();
                assigned.chain(accesses.read.drain(..)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a gradient rule sees: a node, its values, and the gradients of its outputs.
#[derive(Debug)]
pub struct Backward<'r> {
    /// Inputs of the node.
    pub inputs: Vec<Value<'r>>,
    /// Outputs of the node.
    pub outputs: Vec<Value<'r>>,
    /// Gradients of the outputs; `None` where nothing depends on an output.
    pub gradients: Vec<Option<Value<'r>>>,
    /// Attributes of the node.
    pub attributes: Attributes,
    /// The recording.
    pub recording: Recording<'r>,
}

impl<'r> Backward<'r> {
    /// The gradient of the first output, which has one whenever the rule is called for an op of a
    /// single output.
    #[must_use]
    pub fn gradient(&self) -> Option<Value<'r>> {
        self.gradients.first().copied().flatten()
    }
}

#[cfg(test)]
mod tests;
