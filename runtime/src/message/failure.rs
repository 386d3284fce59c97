//! Why a session failed.

use serde::{Deserialize, Serialize};
use sordino_graph::PlayerName;

use super::short;

/// Why a session failed, as it is told to others: never with a value of anyone's.
///
/// Crosses the wire without control characters but line ends, and cut to 2000 characters a field:
/// it is shown on terminals, and comes from anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{player}: {reason}")]
pub struct Failure {
    /// Who is at fault, or cannot be reached.
    #[serde(serialize_with = "short::write", deserialize_with = "short::read")]
    pub player: String,
    /// What happened and what to do.
    #[serde(serialize_with = "short::write", deserialize_with = "short::read")]
    pub reason: String,
}

impl Failure {
    /// The same failure as `teller` reports it, who is named unless it accuses itself.
    #[must_use]
    pub fn told_by(mut self, teller: &PlayerName) -> Self {
        if self.player != teller.as_str() {
            self.reason = format!("(as {teller} says) {}", self.reason);
        }
        self
    }
}
