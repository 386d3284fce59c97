//! Protocols: how the placement `secure` is realised.
//!
//! A protocol is a table of rules, one an op, each with its cost. A rule appends nodes on single
//! players, with the ops of this crate. One folder a protocol; to add one, write its table and
//! name it in [`ALL`].

pub mod aby3;
mod lowering;
pub mod pads;
pub mod plain;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod words;

use std::fmt;

use sordino_graph::passes::merge_equal;
use sordino_graph::{Graph, Node, OpSpec, Place, RecordError, SourceLine, Type, expand};

use crate::op::op;

/// A protocol.
#[derive(Clone, Copy)]
pub struct Protocol {
    /// Its name in graphs and on the command line.
    pub name: &'static str,
    /// How many servers it has.
    pub servers: usize,
    /// What it protects against, in a sentence.
    pub security: &'static str,
    /// Whether it protects nothing at all.
    pub insecure: bool,
    /// Whether it has a rule for an op, or none and needs the op's expansion.
    has_rule: fn(&OpSpec) -> bool,
    lower: fn(&Graph) -> Result<Graph, LowerError>,
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every protocol there is.
pub static ALL: &[Protocol] = &[aby3::PROTOCOL, plain::PROTOCOL];

/// The protocol of that name.
///
/// # Errors
/// [`LowerError::UnknownProtocol`], which lists those there are.
pub fn protocol(name: &str) -> Result<Protocol, LowerError> {
    let found = ALL.iter().copied().find(|protocol| protocol.name == name);
    found.ok_or_else(|| LowerError::UnknownProtocol { name: name.chars().take(40).collect() })
}

/// Why a graph cannot be lowered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LowerError {
    /// There is no such protocol.
    #[error("there is no protocol {name}; there are {}", names())]
    UnknownProtocol {
        /// What was asked for.
        name: String,
    },
    /// The protocol runs on another number of servers.
    #[error("{protocol} runs on {needed} servers, not on {given}")]
    Servers {
        /// The protocol.
        protocol: &'static str,
        /// Servers that it runs on.
        needed: usize,
        /// Servers that the graph lists.
        given: usize,
    },
    /// The protocol has no rule for an op.
    #[error(
        "{protocol} cannot compute {node}{}: compute it before sharing, or of other ops",
        at(.source_line)
    )]
    NoRule {
        /// The protocol.
        protocol: &'static str,
        /// The op and the types of its inputs.
        node: String,
        /// The program's line.
        source_line: Option<SourceLine>,
    },
    /// What a rule makes of an op does not fit a tensor.
    #[error(
        "{protocol} cannot compute {node}{}: it is made of {part}, which {error}. Compute it in \
         parts; if it is not large, please report this as a bug", at(.source_line)
    )]
    Part {
        /// The protocol.
        protocol: &'static str,
        /// The op and the types of its inputs.
        node: String,
        /// The program's line.
        source_line: Option<SourceLine>,
        /// The op of a single player.
        part: &'static str,
        /// What is wrong with that.
        error: String,
    },
    /// What an op stands for cannot be recorded.
    #[error("{0}\nCompute it in parts; if it is not large, please report this as a bug")]
    Expansion(#[from] RecordError),
}

/// The program's line, in parentheses.
fn at(line: &Option<SourceLine>) -> String {
    line.as_ref().map(|line| format!(" ({line})")).unwrap_or_default()
}

fn names() -> String {
    let names = ALL.iter().map(|protocol| format!("{} ({})", protocol.name, protocol.security));
    names.collect::<Vec<_>>().join(", ")
}

/// What a rule costs, beside local work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Messages one after the other.
    pub rounds: u64,
    /// Bytes of shares that cross the wire in all, without framing.
    pub bytes: u64,
}

impl Cost {
    /// Nothing but local work.
    pub(crate) const FREE: Self = Self { rounds: 0, bytes: 0 };

    /// Messages that hold, in all, `times` times the bytes of `ty`.
    pub(crate) fn of(rounds: u64, times: usize, ty: &Type) -> Self {
        Self { rounds, bytes: times as u64 * ty.bytes() as u64 }
    }
}

impl std::ops::Add for Cost {
    type Output = Self;

    /// One after the other.
    fn add(self, next: Self) -> Self {
        Self { rounds: self.rounds + next.rounds, bytes: self.bytes + next.bytes }
    }
}

/// Replaces what is on `secure` by what its protocol does on single players. A graph without
/// secrets only changes its stage.
///
/// # Errors
/// [`LowerError`] when the protocol is unknown, lacks a rule, or runs on another number of servers.
pub fn lower(graph: &Graph) -> Result<Graph, LowerError> {
    let Some(secure) = &graph.setup().secure else { return (plain::PROTOCOL.lower)(graph) };
    let protocol = protocol(&secure.protocol)?;
    if secure.servers.len() != protocol.servers {
        let (needed, given) = (protocol.servers, secure.servers.len());
        return Err(LowerError::Servers { protocol: protocol.name, needed, given });
    }
    (protocol.lower)(&expanded(protocol, graph)?)
}

/// Replaces ops of secrets that the protocol has no rule for by what they stand for, until none
/// is left that stands for something.
///
/// # Errors
/// [`LowerError::Expansion`] for an expansion that is faulty, which is a bug.
pub fn expanded(protocol: Protocol, graph: &Graph) -> Result<Graph, LowerError> {
    let expansion = |node: &Node| {
        let secret = node.place == Place::Secure && !(protocol.has_rule)(node.op);
        if secret { op(node.op.name).and_then(|op| op.expand) } else { None }
    };
    let mut graph = graph.clone();
    while graph.nodes().any(|(_, node)| expansion(node).is_some()) {
        graph = expand(&graph, |node| expansion(node.node).map(|expand| expand(node)))?;
        // What two expansions have in common, such as the signs that an op and its gradient need.
        graph = merge_equal(&graph);
    }
    Ok(graph)
}
