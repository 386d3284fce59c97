//! The roster: who takes part, where each listens, and the certificate that each must prove.
//!
//! A roster is a folder that every party keeps for itself:
//!
//! ```text
//! config.json               {"server0": "10.0.0.1:4440", "server1": "10.0.0.2:4440"}
//! certificates/server0.pem  the certificate of each player, handed around openly
//! certificates/server1.pem
//! certificates/driver.pem   the driver's, if one from elsewhere may ask for runs; of several, each
//!                           has a name of its own, like driver-2
//! keys/server0.pem          the private key of the party whose folder it is, and no other
//! ```
//!
//! Read [`Roster`], then [`RosterError`] for all that can be wrong with such a folder.

mod config;
mod error;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use sordino_graph::PlayerName;

pub use self::error::RosterError;
use crate::{Address, Fingerprint};

/// The name that the driver's certificate bears; others are called `driver-` and something. No player
/// may have such a name.
pub const DRIVER: &str = "driver";

/// The players in the order of the file, their addresses and their pinned certificates. A clone
/// shares the players.
#[derive(Debug, Clone)]
pub struct Roster {
    config: PathBuf,
    players: Arc<[Player]>,
    drivers: Vec<(PlayerName, Fingerprint)>,
}

/// One player of a roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    name: PlayerName,
    address: Address,
    fingerprint: Fingerprint,
}

impl Roster {
    /// Reads `config` and the certificates in the folder `certificates` beside it.
    ///
    /// # Errors
    /// [`RosterError`]: the first thing that is wrong, in the order of the file.
    pub fn load(config: &Path) -> Result<Self, RosterError> {
        config::load(config)
    }

    /// A roster that is on no disk, with the driver's pin if one may ask for runs.
    ///
    /// # Errors
    /// [`RosterError`], with `(roster in memory)` as the file: no player, or a name, an address
    /// or a certificate twice.
    pub fn new(players: Vec<Player>, driver: Option<Fingerprint>) -> Result<Self, RosterError> {
        let drivers = driver.map(|pin| (driver_name(), pin)).into_iter().collect();
        Self::checked("(roster in memory)".into(), players.into(), drivers)
    }

    /// The same roster, and another driver that may ask for runs.
    ///
    /// # Errors
    /// [`RosterError`]: the name is none of a driver, or name or certificate are there already.
    pub fn with_driver(mut self, name: PlayerName, pin: Fingerprint) -> Result<Self, RosterError> {
        self.drivers.push((name, pin));
        Self::checked(self.config, self.players, self.drivers)
    }

    fn checked(
        config: PathBuf,
        players: Arc<[Player]>,
        drivers: Vec<(PlayerName, Fingerprint)>,
    ) -> Result<Self, RosterError> {
        if players.is_empty() {
            return Err(RosterError::NoPlayers { config });
        }
        for (index, player) in players.iter().enumerate() {
            if is_driver(&player.name) {
                return Err(RosterError::DriverIsNoPlayer { config });
            }
            let Player { name, address, fingerprint } = player.clone();
            for earlier in &players[..index] {
                let first = earlier.name.clone();
                if first == name {
                    return Err(RosterError::NameTwice { config, name });
                }
                if earlier.address == address {
                    return Err(RosterError::SameAddress { config, first, second: name, address });
                }
                if earlier.fingerprint == fingerprint {
                    return Err(RosterError::SameCertificate {
                        config,
                        first,
                        second: name,
                        fingerprint,
                    });
                }
            }
            if let Some((second, _)) = drivers.iter().find(|(_, pin)| *pin == fingerprint) {
                let second = second.clone();
                return Err(RosterError::SameCertificate {
                    config,
                    first: name,
                    second,
                    fingerprint,
                });
            }
        }
        for (index, (name, fingerprint)) in drivers.iter().enumerate() {
            let (name, fingerprint) = (name.clone(), *fingerprint);
            if !is_driver(&name) {
                return Err(RosterError::NoDriver { config, name });
            }
            for (first, pin) in &drivers[..index] {
                if *first == name {
                    return Err(RosterError::NameTwice { config, name });
                }
                if *pin == fingerprint {
                    let (first, second) = (first.clone(), name);
                    return Err(RosterError::SameCertificate {
                        config,
                        first,
                        second,
                        fingerprint,
                    });
                }
            }
        }
        Ok(Self { config, players, drivers })
    }

    /// The players, in the order of the file.
    #[must_use]
    pub fn players(&self) -> &[Player] {
        &self.players
    }

    /// The player with this name. The driver is none.
    #[must_use]
    pub fn get(&self, name: &PlayerName) -> Option<&Player> {
        self.players.iter().find(|player| player.name == *name)
    }

    /// The pinned certificate of the driver called [`DRIVER`], if there is one.
    #[must_use]
    pub fn driver(&self) -> Option<Fingerprint> {
        self.pin(&driver_name())
    }

    /// The drivers that may ask for runs, with their pinned certificates.
    #[must_use]
    pub fn drivers(&self) -> &[(PlayerName, Fingerprint)] {
        &self.drivers
    }

    /// The pinned certificate of a player or of a driver.
    #[must_use]
    pub fn pin(&self, name: &PlayerName) -> Option<Fingerprint> {
        self.pins().find(|(known, _)| *known == name).map(|(_, pin)| pin)
    }

    /// The player, or driver, to whom this certificate belongs.
    #[must_use]
    pub fn by_fingerprint(&self, fingerprint: &Fingerprint) -> Option<&PlayerName> {
        self.pins().find(|(_, pin)| pin == fingerprint).map(|(name, _)| name)
    }

    /// The file that the roster was read from, for messages.
    #[must_use]
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Checks that every player that a program uses is listed.
    ///
    /// # Errors
    /// [`RosterError::PlayersMissing`], with all that are missing.
    pub fn require(&self, used: &[PlayerName]) -> Result<(), RosterError> {
        let mut missing: Vec<PlayerName> = Vec::new();
        for name in used {
            if self.get(name).is_none() && !missing.contains(name) {
                missing.push(name.clone());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let listed = self.players.iter().map(|player| player.name.clone()).collect();
        Err(RosterError::PlayersMissing { config: self.config.clone(), missing, listed })
    }

    /// What parties compare to know that they mean the same players: SHA-256 over the names and
    /// pins in order, and those of drivers.
    ///
    /// Addresses are left out. They only say where to knock, the pin says who answers; and one
    /// player may rightly have another address inside its own network than outside.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"sordino roster 1\0");
        for (name, pin) in self.pins() {
            // A name holds no NUL and a pin has a fixed length: no two rosters run together.
            hash.update(name.as_str());
            hash.update(b"\0");
            hash.update(pin.as_bytes());
        }
        hash.finalize().into()
    }

    /// Players first, then drivers.
    fn pins(&self) -> impl Iterator<Item = (&PlayerName, Fingerprint)> {
        let players = self.players.iter().map(|player| (&player.name, player.fingerprint));
        players.chain(self.drivers.iter().map(|(name, pin)| (name, *pin)))
    }
}

impl Player {
    /// A player at an address, who proves the certificate with this fingerprint.
    #[must_use]
    pub fn new(name: PlayerName, address: Address, fingerprint: Fingerprint) -> Self {
        Self { name, address, fingerprint }
    }

    /// Who it is.
    #[must_use]
    pub fn name(&self) -> &PlayerName {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The only certificate that it may prove.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

/// [`DRIVER`] as a name, for its identity.
///
/// # Panics
/// Never: the text is a legal name.
#[must_use]
pub fn driver_name() -> PlayerName {
    PlayerName::new(DRIVER).expect("`driver` is a legal name")
}

/// Whether this is the name of a driver: [`DRIVER`], alone or before a hyphen and more.
#[must_use]
pub fn is_driver(name: &PlayerName) -> bool {
    let rest = name.as_str().strip_prefix(DRIVER);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests;
