//! Why a session failed.

use serde::{Deserialize, Serialize};
use sordino_graph::PlayerName;

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

/// Text that others wrote, for the wire.
mod short {
    use serde::{Deserialize, Deserializer, Serializer};

    const MOST: usize = 2000;

    fn short(text: &str) -> String {
        text.chars()
            .take(MOST)
            .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
            .collect()
    }

    pub(super) fn write<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&short(text))
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        String::deserialize(from).map(|text| short(&text))
    }
}
