//! Names of players.

use std::fmt;
use std::sync::Arc;

/// The name of a player: `model-owner`, `data-owner-0`, `server0`.
///
/// 1 to 63 of the characters `a–z`, `0–9`, `-` and `_`, beginning with a letter, and not `secure`,
/// which is the servers together. A name says who, never where: addresses belong to the roster.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerName(Arc<str>);

/// Why a text is no player name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is not a player name: write 1 to 63 of the characters a-z, 0-9, - and _, \
     beginning with a letter, and not the word secure"
)]
pub struct InvalidPlayerName {
    name: String,
}

impl PlayerName {
    /// Checks `name` and makes a player name of it.
    ///
    /// # Errors
    /// [`InvalidPlayerName`] when the text breaks the rule above.
    pub fn new(name: &str) -> Result<Self, InvalidPlayerName> {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if begins && name.len() <= 63 && name.chars().all(legal) && name != "secure" {
            Ok(Self(name.into()))
        } else {
            Err(InvalidPlayerName { name: name.chars().take(80).collect() })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<PlayerName> for PlayerName {
    fn as_ref(&self) -> &PlayerName {
        self
    }
}

impl fmt::Display for PlayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PlayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PlayerName {
    type Err = InvalidPlayerName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["model-owner", "a", "server0", "train-data-owner-2", "x_1"] {
            assert_eq!(PlayerName::new(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(64);
        for bad in ["", "0a", "-a", "Server", "a b", "a\n", "é", "secure", long.as_str()] {
            assert!(PlayerName::new(bad).is_err(), "{bad:?}");
        }
    }
}
