//! The head of a graph: who takes part, what `secure` means, and who may learn what.

use std::fmt;
use std::sync::Arc;

use crate::PlayerName;
use crate::types::Fixed;

/// Players, protocol and policy of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Everyone who takes part, in the order in which they are listed and coloured.
    pub players: Vec<PlayerName>,
    /// What the placement `secure` stands for; `None` when the program has no secrets.
    pub secure: Option<Secure>,
    /// Who may learn what.
    pub policy: Policy,
}

/// How the placement `secure` is realised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secure {
    /// Name of the protocol, as on the command line: `ABY3`.
    pub protocol: Arc<str>,
    /// Its servers, in the protocol's order.
    pub servers: Vec<PlayerName>,
    /// Fixed-point format of the secrets.
    pub fixed: Fixed,
}

/// What a program lets players learn. All else is refused by the verifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Players to which secrets may be revealed.
    pub reveals: Vec<RevealRule>,
    /// Players that may hand their own data openly to other players and to the driver.
    pub releases: Vec<PlayerName>,
}

/// Permission to reveal secrets to a player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevealRule {
    /// The player that learns the value.
    pub to: PlayerName,
    /// The least number of other players whose data a revealed value, and every combination of
    /// revealed values, mixes. 1 permits to reveal the data of a single player.
    pub over: usize,
}

impl Setup {
    /// A setup of these players without secrets.
    #[must_use]
    pub fn new(players: impl IntoIterator<Item = PlayerName>) -> Self {
        let players = players.into_iter().collect();
        Self { players, secure: None, policy: Policy::default() }
    }

    /// Sets what `secure` stands for.
    #[must_use]
    pub fn secure(
        mut self,
        protocol: &str,
        servers: impl IntoIterator<Item = PlayerName>,
        fixed: Fixed,
    ) -> Self {
        let servers = servers.into_iter().collect();
        self.secure = Some(Secure { protocol: protocol.into(), servers, fixed });
        self
    }

    /// Permits to reveal to `to` what mixes the data of at least `over` other players.
    #[must_use]
    pub fn reveal(mut self, to: &PlayerName, over: usize) -> Self {
        self.policy.reveals.push(RevealRule { to: to.clone(), over });
        self
    }

    /// Permits `from` to hand its own data openly to players and to the driver.
    #[must_use]
    pub fn release(mut self, from: &PlayerName) -> Self {
        self.policy.releases.push(from.clone());
        self
    }
}

impl fmt::Display for Setup {
    /// The head of the text form, a line a fact, each indented by two spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  players {}", names(&self.players))?;
        if let Some(secure) = &self.secure {
            let servers = names(&secure.servers);
            writeln!(f, "  secure = {}({servers}) {}", secure.protocol, secure.fixed)?;
        }
        for rule in &self.policy.reveals {
            writeln!(f, "  policy reveal(to={}, over={})", rule.to, rule.over)?;
        }
        for from in &self.policy.releases {
            writeln!(f, "  policy release(from={from})")?;
        }
        Ok(())
    }
}

fn names(players: &[PlayerName]) -> String {
    players.iter().map(PlayerName::as_str).collect::<Vec<_>>().join(", ")
}
