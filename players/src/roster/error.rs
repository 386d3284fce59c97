//! What can be wrong with a roster. Every message names the file and says what to do.

use std::io;
use std::path::PathBuf;

use sordino_graph::{InvalidPlayerName, PlayerName};

use crate::{Address, AddressError, CertificateError, Fingerprint};

/// Why there is no roster, or not the one that a program needs. The operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum RosterError {
    /// There is no such file.
    #[error(
        "there is no roster at {}: write a JSON object of player name to \"host:port\", such as \
         {{\"server0\": \"127.0.0.1:4440\"}}, or name another file", .config.display()
    )]
    ConfigMissing { config: PathBuf },

    /// The file is there and cannot be read.
    #[error("cannot read the roster {}: {source}; check its permissions", .config.display())]
    ConfigUnreadable { config: PathBuf, source: io::Error },

    /// The file is not JSON.
    #[error(
        "the roster {} is not JSON at line {line}, column {column}: {source}; write an object \
         such as {{\"server0\": \"127.0.0.1:4440\"}}", .config.display()
    )]
    NotJson { config: PathBuf, line: usize, column: usize, source: serde_json::Error },

    /// The file is JSON, but no object of texts.
    #[error(
        "the roster {} has something else than a player at line {line}, column {column}: \
         {source}; write an object such as {{\"server0\": \"127.0.0.1:4440\"}}",
        .config.display()
    )]
    NotARoster { config: PathBuf, line: usize, column: usize, source: serde_json::Error },

    /// The file lists nobody.
    #[error(
        "the roster {} lists no player: add one such as \"server0\": \"127.0.0.1:4440\"",
        .config.display()
    )]
    NoPlayers { config: PathBuf },

    /// One name has two entries.
    #[error(
        "the roster {} lists {name} twice: keep one entry, or give the other player another name",
        .config.display()
    )]
    NameTwice { config: PathBuf, name: PlayerName },

    /// A key of the object is no player name.
    #[error("in the roster {}: {source}", .config.display())]
    BadName { config: PathBuf, source: InvalidPlayerName },

    /// The driver is listed among the players.
    #[error(
        "the roster {} lists `driver`, or `driver-` and something, which is the program that asks \
         for runs and no player: remove the entry, its certificate in certificates/ is found \
         without; a player of that name needs another", .config.display()
    )]
    DriverIsNoPlayer { config: PathBuf },

    /// A driver has the name of a player.
    #[error(
        "the roster {} takes {name} for a driver: drivers are called `driver`, or `driver-` and \
         something", .config.display()
    )]
    NoDriver { config: PathBuf, name: PlayerName },

    /// An address is not `host:port`.
    #[error("the address of {player} in the roster {}: {source}", .config.display())]
    BadAddress { config: PathBuf, player: PlayerName, source: AddressError },

    /// Two players would listen at one place.
    #[error(
        "the roster {} has {first} and {second} both at {address}: give each its own port or host",
        .config.display()
    )]
    SameAddress { config: PathBuf, first: PlayerName, second: PlayerName, address: Address },

    /// A listed player has no certificate here.
    #[error(
        "the certificate of {player} is missing: expected it at {}; copy it from the party that \
         is {player}, or, if that is you, make it with `sordino keygen {player}`", .path.display()
    )]
    CertificateMissing { player: PlayerName, path: PathBuf },

    /// A certificate's file cannot be read.
    #[error(
        "cannot read the certificate of {player} at {}: {source}; check its permissions",
        .path.display()
    )]
    CertificateUnreadable { player: PlayerName, path: PathBuf, source: io::Error },

    /// A certificate's file holds something else.
    #[error(
        "the certificate of {player} at {} is unusable: {source}; copy it again from the party \
         that is {player}, or, if that is you, make a new one with `sordino keygen {player} \
         --force`", .path.display()
    )]
    CertificateInvalid { player: PlayerName, path: PathBuf, source: CertificateError },

    /// A certificate lies under the name of a player that it does not name.
    #[error(
        "the certificate at {} does not name {player}: it names {found:?}; put the certificate \
         of {player} there, made with `sordino keygen {player}`", .path.display()
    )]
    CertificateNamesAnother { player: PlayerName, path: PathBuf, found: Vec<String> },

    /// Two players could not be told apart.
    #[error(
        "{first} and {second} of the roster {} have the same certificate {fingerprint}: compare \
         certificates/{first}.pem and certificates/{second}.pem beside it with those of the two \
         parties; each needs its own, made with `sordino keygen NAME`", .config.display()
    )]
    SameCertificate {
        config: PathBuf,
        first: PlayerName,
        second: PlayerName,
        fingerprint: Fingerprint,
    },

    /// A program uses players that are not listed.
    #[error(
        "the program uses {}, and the roster {} lists only {}: add {} to that file, and {} beside \
         it", join(.missing, "", ""), .config.display(), join(.listed, "", ""),
        join(.missing, "\"", "\": \"host:port\""), join(.missing, "certificates/", ".pem")
    )]
    PlayersMissing { config: PathBuf, missing: Vec<PlayerName>, listed: Vec<PlayerName> },
}

fn join(names: &[PlayerName], before: &str, after: &str) -> String {
    let each: Vec<_> = names.iter().map(|name| format!("{before}{name}{after}")).collect();
    each.join(", ")
}
