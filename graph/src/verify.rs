//! The verifier: always on, at every stage, in release builds too.
//!
//! One file a family of rules, each rule named at the top of its file. All faults are collected;
//! each names rule, node, source line and the text around it.

mod placement;
mod secrecy;
mod split;
mod structure;
mod types;

pub use split::verify_parts;
pub use structure::MOST_PLAYERS;

use std::fmt;

use crate::graph::{Graph, NodeId, SourceLine};
use crate::text;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// `family/rule`, as at the top of the family's file.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub message: String,
    /// The node, when it is about one.
    pub node: Option<NodeId>,
    /// The program's line that made the node.
    pub source: Option<SourceLine>,
    /// The node's line with two lines before it and one behind, each cut at 200 characters.
    pub context: String,
}

/// Violations collected before the rest counts as more of the same.
const MOST_VIOLATIONS: usize = 100;

/// A graph breaks rules: all of them, up to a hundred.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyError {
    /// Name of the graph.
    pub graph: String,
    /// At least one.
    pub violations: Vec<Violation>,
}

impl std::error::Error for VerifyError {}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "graph {} breaks {} rule(s)", self.graph, self.violations.len())?;
        for Violation { rule, message, source, context, .. } in &self.violations {
            let at = source.as_ref().map(|line| format!(" ({line})")).unwrap_or_default();
            write!(f, "\n{rule}: {message}{at}\n{context}")?;
        }
        Ok(())
    }
}

/// Checks every rule of the graph's stage.
///
/// # Errors
/// [`VerifyError`] with every broken rule. Later families are only checked when the earlier ones
/// hold: structure, types, placement, secrecy.
pub fn verify(graph: &Graph) -> Result<(), VerifyError> {
    for family in [structure::check, types::check, placement::check, secrecy::check] {
        let mut faults = Faults { graph, violations: Vec::new() };
        family(graph, &mut faults);
        faults.finish()?;
    }
    Ok(())
}

/// Collects what a family of rules finds.
struct Faults<'a> {
    graph: &'a Graph,
    violations: Vec<Violation>,
}

impl Faults<'_> {
    fn node(&mut self, rule: &'static str, node: NodeId, message: impl Into<String>) {
        if self.violations.len() == MOST_VIOLATIONS {
            return;
        }
        self.violations.push(Violation {
            rule,
            message: message.into(),
            node: Some(node),
            source: self.graph.node(node).source.clone(),
            context: context(self.graph, node),
        });
    }

    fn graph(&mut self, rule: &'static str, message: impl Into<String>) {
        if self.violations.len() == MOST_VIOLATIONS {
            return;
        }
        let message = message.into();
        let context = String::new();
        self.violations.push(Violation { rule, message, node: None, source: None, context });
    }

    fn finish(self) -> Result<(), VerifyError> {
        if self.violations.is_empty() {
            return Ok(());
        }
        let graph = self.graph.name().to_owned();
        Err(VerifyError { graph, violations: self.violations })
    }
}

fn context(graph: &Graph, around: NodeId) -> String {
    let first = around.index().saturating_sub(2);
    let lines = (first..=around.index() + 1).map(NodeId::new).filter_map(|id| {
        let mark = if id == around { '>' } else { ' ' };
        let line = text::print_node(id, graph.get(id)?);
        Some(format!("  {mark} {}", text::cut(&line)))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
