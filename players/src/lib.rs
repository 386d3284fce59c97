//! Who takes part: names with addresses and certificates, and how two of them prove to each
//! other who they are.
//!
//! Read [`roster`] first: the players, from one file that every party holds. Then [`identity`],
//! the certificate and private key of one player, and [`tls`], which makes of both a connection
//! that exists only if each end holds the key that the other end's roster pins.
//!
//! There is no certificate authority. A roster pins the SHA-256 [`fingerprint`] of each player's
//! self-signed certificate, so whoever cannot alter a party's disk cannot pose as a player to it.
//!
//! ```
//! use sordino_players::{Identity, Player, PlayerName, Roster, tls};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let alice = Identity::generate(&PlayerName::new("alice")?, 365)?;
//! let bob = Identity::generate(&PlayerName::new("bob")?, 365)?;
//! let roster = Roster::new(
//!     vec![
//!         Player::new(alice.name().clone(), "127.0.0.1:4440".parse()?, alice.fingerprint()),
//!         Player::new(bob.name().clone(), "127.0.0.1:4441".parse()?, bob.fingerprint()),
//!     ],
//!     None,
//! )?;
//! let listening = tls::server_config(&alice, &roster)?;
//! let calling = tls::Caller::new(&bob, &roster)?.config(alice.name())?;
//! # let _ = (listening, calling);
//! # Ok(())
//! # }
//! ```

pub mod address;
mod atomic;
pub mod certificate;
pub mod fingerprint;
pub mod identity;
pub mod roster;
pub mod sealed;
pub mod signed;
pub mod tls;

pub use address::{Address, AddressError};
pub use certificate::{Certificate, CertificateError};
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use identity::{Identity, IdentityError};
pub use roster::{DRIVER, Player, Roster, RosterError};
pub use sealed::{Seal, SealError};
pub use signed::{SignedError, SignedPlans};
pub use sordino_graph::{InvalidPlayerName, PlayerName};
pub use tls::{Refusal, TlsError};
