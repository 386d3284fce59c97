//! What can be wrong with an identity. No message quotes a key.

use std::io;
use std::path::PathBuf;

use sordino_graph::PlayerName;

use crate::CertificateError;
use crate::certificate::Moment;

/// Why there is no identity. The operator's to mend, but for `Crypto`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum IdentityError {
    /// The certificate's file is missing.
    #[error(
        "there is no certificate of {name} at {}: make it and its key with `sordino keygen \
         {name}`", .path.display()
    )]
    CertificateMissing { name: PlayerName, path: PathBuf },

    /// The private key's file is missing.
    #[error(
        "there is no private key of {name} at {}: if this machine is to be {name}, copy the key \
         from where it was made, or make a new pair with `sordino keygen {name} --force` and \
         hand certificates/{name}.pem to the other parties", .path.display()
    )]
    KeyMissing { name: PlayerName, path: PathBuf },

    /// A file is there and cannot be read.
    #[error("cannot read {} of {name}: {source}; check its owner and permissions", .path.display())]
    Unreadable { name: PlayerName, path: PathBuf, source: io::Error },

    /// Others than the owner may read or write the private key.
    #[error(
        "the private key of {name} at {} is open to others (mode {mode:03o}): run `chmod 600 \
         {0}`; if others use this machine, make a new pair with `sordino keygen {name} --force`",
        .path.display()
    )]
    KeyOpenToOthers { name: PlayerName, path: PathBuf, mode: u32 },

    /// The certificate's file holds something else.
    #[error(
        "the certificate of {name} at {} is unusable: {source}; make a new pair with `sordino \
         keygen {name} --force`", .path.display()
    )]
    CertificateInvalid { name: PlayerName, path: PathBuf, source: CertificateError },

    /// The certificate names another player.
    #[error(
        "the certificate at {} does not name {name}: it names {found:?}; put the one of {name} \
         there, or make a new pair with `sordino keygen {name} --force`", .path.display()
    )]
    CertificateNamesAnother { name: PlayerName, path: PathBuf, found: Vec<String> },

    /// The key's file holds no private key that TLS can use.
    #[error(
        "the file {} holds no private key that Sordino can use (ECDSA, Ed25519 or RSA in PEM, \
         without password): make a new pair with `sordino keygen {name} --force`",
        .path.display()
    )]
    KeyInvalid { name: PlayerName, path: PathBuf },

    /// The private key is not that of the certificate.
    #[error(
        "the private key {} is not that of the certificate {}: restore the one that was made \
         with the other, or make a new pair with `sordino keygen {name} --force` and hand the \
         new certificate to the other parties", .key.display(), .certificate.display()
    )]
    NoPair { name: PlayerName, certificate: PathBuf, key: PathBuf },

    /// The validity period is over.
    #[error(
        "the certificate of {name} at {} expired at {until}: make a new pair with `sordino \
         keygen {name} --force` and hand the new certificate to the other parties",
        .path.display()
    )]
    Expired { name: PlayerName, path: PathBuf, until: Moment },

    /// The validity period has not begun.
    #[error(
        "the certificate of {name} at {} is valid only from {from}, and this machine's clock \
         says {now}: set the clock, or make a new pair with `sordino keygen {name} --force`",
        .path.display()
    )]
    NotYetValid { name: PlayerName, path: PathBuf, from: Moment, now: Moment },

    /// A certificate was asked for with an impossible validity period.
    #[error("no certificate of {name} can be made: {reason}")]
    BadPeriod { name: PlayerName, reason: String },

    /// A file that must not be overwritten is there.
    #[error(
        "{} is already there: the other parties may rely on this identity of {name}; to replace \
         it, add `--force`, and hand the new certificate to every other party", .path.display()
    )]
    Exists { name: PlayerName, path: PathBuf },

    /// A file cannot be written.
    #[error("cannot write {} of {name}: {source}; check the folder and its permissions", .path.display())]
    Unwritable { name: PlayerName, path: PathBuf, source: io::Error },

    /// The cryptographic library failed, which it does without randomness or by our bug.
    #[error("could not make a key and certificate for {name}: {reason}")]
    Crypto { name: PlayerName, reason: String },
}
