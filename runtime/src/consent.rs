//! What a player lets happen to its own data, whatever a driver asks for.
//!
//! A graph carries its policy in its own text, and the text comes from the driver. So each player
//! compares that policy with its consent before it greets anyone.

use sordino_graph::{PlayerName, Setup};
use sordino_ops::protocol;

/// The consent of one player. The default is what a data owner wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Its own data may leave it in plaintext: to other players, and to the driver.
    pub release: bool,
    /// The least number of players whose data a revealed value must mix.
    pub over: usize,
    /// Protocols that protect nothing may be used.
    pub insecure: bool,
}

impl Default for Consent {
    fn default() -> Self {
        Self { release: false, over: 2, insecure: false }
    }
}

impl Consent {
    /// Consent to everything that a program's policy says: for players of one process.
    pub const ALL: Self = Self { release: true, over: 1, insecure: true };

    /// Whether `player`, with this consent, takes part in a program of this setup.
    ///
    /// # Errors
    /// A sentence that says what the player does not consent to, and how it would.
    pub fn check(&self, player: &PlayerName, setup: &Setup) -> Result<(), String> {
        if !self.release && setup.policy.releases.contains(player) {
            return Err(format!(
                "refuses the program: it may hand out data of {player} in plaintext. An operator who \
                 wants that starts the player with --release"
            ));
        }
        let thin = setup.policy.reveals.iter().find(|rule| rule.over < self.over);
        if let Some(rule) = thin {
            return Err(format!(
                "refuses the program: it may reveal to {} what mixes the data of only {} player(s). \
                 An operator who wants that starts the player with --over {}",
                rule.to, rule.over, rule.over
            ));
        }
        let secure = setup.secure.as_ref();
        let insecure = |name| protocol::protocol(name).is_ok_and(|protocol| protocol.insecure);
        if !self.insecure && secure.is_some_and(|secure| insecure(&secure.protocol)) {
            return Err(
                "refuses the program: its protocol protects nothing. An operator who wants that \
                 starts the player with --insecure"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sordino_graph::Fixed;

    #[test]
    fn a_player_refuses_what_its_operator_did_not_consent_to() {
        let name = |name: &str| name.parse::<PlayerName>().unwrap();
        let (owner, receiver) = (name("owner"), name("receiver"));
        let setup = |protocol| {
            Setup::new([owner.clone(), receiver.clone()]).secure(protocol, [], Fixed::LOW)
        };
        let default = Consent::default();
        assert_eq!(default.check(&owner, &setup("ABY3").reveal(&receiver, 2)), Ok(()));
        // What others release is theirs to decide.
        assert_eq!(default.check(&owner, &setup("ABY3").release(&receiver)), Ok(()));
        for (setup, consent, word) in [
            (setup("ABY3").release(&owner), Consent { release: true, ..default }, "--release"),
            (setup("ABY3").reveal(&receiver, 1), Consent { over: 1, ..default }, "--over 1"),
            (setup("Plain"), Consent { insecure: true, ..default }, "--insecure"),
        ] {
            let refused = default.check(&owner, &setup).unwrap_err();
            assert!(refused.contains(word), "{refused}");
            assert_eq!(consent.check(&owner, &setup), Ok(()));
            assert_eq!(Consent::ALL.check(&owner, &setup), Ok(()));
        }
    }
}
