//! Why a session failed.

use serde::{Deserialize, Serialize};
use sordino_graph::PlayerName;

use super::short;

/// Why a session failed, as it is told to others: never with a value of anyone's.
///
/// Crosses the wire without control characters but line ends, and cut to 2000 characters a field:
/// it is shown on terminals, and comes from anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{player}: {}", self.account())]
pub struct Failure {
    /// Who is at fault, or cannot be reached.
    #[serde(serialize_with = "short::write", deserialize_with = "short::read")]
    pub player: String,
    /// What happened and what to do.
    #[serde(serialize_with = "short::write", deserialize_with = "short::read")]
    pub reason: String,
    /// Of whom it was heard; `None` for what who tells it has noticed itself.
    #[serde(deserialize_with = "short::read_option")]
    pub heard_from: Option<String>,
}

impl Failure {
    /// A failure that one has noticed oneself.
    pub fn new(player: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { player: player.into(), reason: reason.into(), heard_from: None }
    }

    /// The same failure as heard from `teller`, who is named unless it accuses itself. Of whom that
    /// one has heard it, it alone can know, and may lie.
    #[must_use]
    pub fn told_by(mut self, teller: &PlayerName) -> Self {
        let teller = teller.as_str();
        self.heard_from = (self.player != teller).then(|| teller.to_owned());
        self
    }

    /// What happened, and who says so.
    #[must_use]
    pub fn account(&self) -> String {
        match &self.heard_from {
            Some(teller) => format!("(as {teller} says) {}", self.reason),
            None => self.reason.clone(),
        }
    }
}
