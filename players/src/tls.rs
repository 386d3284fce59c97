//! TLS for one connection: configurations for rustls in which each side proves its identity.
//!
//! Read [`Caller`] and [`server_config`], then [`Refusal`] for what a failed handshake
//! says. The caller makes a QUIC configuration of them (`QuicClientConfig::try_from` and its
//! server counterpart) and, once connected, asks [`peer_name`] who the peer has proved to be.
//!
//! Only TLS 1.3 is spoken. Nothing is resumed and nothing is sent before the handshake is over,
//! so that each connection has fresh keys and a fresh proof of who is there.

mod refusal;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, ServerConfig};
use sordino_graph::PlayerName;

pub use self::refusal::{Refusal, refusal_text};
use self::verify::{PinnedClients, PinnedServer};
use crate::{Fingerprint, Identity, Roster};

/// The protocol that both sides must name (ALPN). Its number changes with the wire format.
pub const ALPN: &[u8] = b"sordino/1";

/// The server name to give to rustls or quinn, which ask for one. It is neither sent nor looked
/// at: the pin says who must answer, and not every player name is a legal DNS name.
pub const SERVER_NAME: &str = "player.sordino";

/// Makes configurations for the connections that one side begins.
pub struct Caller {
    certificate: Arc<SingleCertAndKey>,
    roster: Roster,
}

impl Caller {
    /// For connections from `identity` to players of `roster`.
    ///
    /// # Errors
    /// [`TlsError`]: the roster pins another certificate for `identity` than it has, so that every
    /// peer would refuse it.
    pub fn new(identity: &Identity, roster: &Roster) -> Result<Self, TlsError> {
        own_pin(identity, roster)?;
        let certificate = Arc::new(SingleCertAndKey::from(identity.signer()));
        Ok(Self { certificate, roster: roster.clone() })
    }

    /// For a connection to the player `expected`: no other certificate than the one that the roster
    /// pins for that player is accepted.
    ///
    /// # Errors
    /// [`TlsError`]: the roster does not have `expected`.
    pub fn config(&self, expected: &PlayerName) -> Result<ClientConfig, TlsError> {
        let roster = &self.roster;
        let Some(pin) = roster.pin(expected) else {
            let (config, expected) = (roster.config().to_owned(), expected.clone());
            return Err(TlsError::PeerNotInRoster { config, expected });
        };
        let provider = provider();
        let verifier = PinnedServer::new(expected.clone(), pin, roster.clone(), &provider);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(self.certificate.clone());
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.enable_sni = false;
        Ok(config)
    }
}

/// For accepting connections as `identity`: from players of the roster and its driver, each of
/// whom must prove the certificate that is pinned.
///
/// # Errors
/// [`TlsError`]: the roster pins another certificate for `identity` than it has.
pub fn server_config(identity: &Identity, roster: &Roster) -> Result<ServerConfig, TlsError> {
    own_pin(identity, roster)?;
    let provider = provider();
    // The library gathers entropy when it is first asked, a tenth of a second of work: better before
    // peers are waited for than in the first handshake. If it cannot, handshakes say so.
    let _ = provider.secure_random.fill(&mut [0; 1]);
    let verifier = PinnedClients::new(roster.clone(), &provider);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.signer())));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

/// Who the peer of an accepted connection is, by the certificate that it has proved; `None` if
/// the roster pins no such certificate, as after a change of roster.
#[must_use]
pub fn peer_name(roster: &Roster, certificates: &[CertificateDer<'_>]) -> Option<PlayerName> {
    roster.by_fingerprint(&Fingerprint::of(certificates.first()?)).cloned()
}

/// Why no configuration can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum TlsError {
    /// The player to connect to is unknown.
    #[error(
        "{expected} is not in the roster {}: add \"{expected}\": \"host:port\" to that file and \
         certificates/{expected}.pem beside it", .config.display()
    )]
    PeerNotInRoster { config: PathBuf, expected: PlayerName },

    /// The own name is unknown.
    #[error(
        "this side is {name}, which is not in the roster {}, so that no other would know it: add \
         it to that file (the driver only needs certificates/driver.pem beside it)",
        .config.display()
    )]
    SelfNotInRoster { config: PathBuf, name: PlayerName },

    /// The own certificate is another than the pinned one.
    #[error(
        "this side is {name} with the certificate {held}, and the roster {} pins {pinned} for \
         it: put the certificate that belongs to this side's key at certificates/{name}.pem \
         beside it, and see that the other parties have the same", .config.display()
    )]
    OwnPinMismatch { config: PathBuf, name: PlayerName, held: Fingerprint, pinned: Fingerprint },

    /// rustls refuses the configuration: our bug.
    #[error("a bug in Sordino: rustls refuses its TLS configuration: {0}")]
    Rustls(#[from] rustls::Error),
}

fn own_pin(identity: &Identity, roster: &Roster) -> Result<(), TlsError> {
    let (config, name) = (roster.config().to_owned(), identity.name().clone());
    let held = identity.fingerprint();
    match roster.pin(&name) {
        Some(pinned) if pinned == held => Ok(()),
        Some(pinned) => Err(TlsError::OwnPinMismatch { config, name, held, pinned }),
        None => Err(TlsError::SelfNotInRoster { config, name }),
    }
}

/// The algorithms that are spoken, best first.
///
/// The one key exchange is the hybrid with ML-KEM: what is recorded today must stay private when
/// a quantum computer can be had, and every peer of this [`ALPN`] has it. AES is before ChaCha20
/// because players run on machines with AES instructions.
fn provider() -> Arc<CryptoProvider> {
    use aws_lc_rs::{cipher_suite, kx_group};
    Arc::new(CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![kx_group::X25519MLKEM768],
        ..aws_lc_rs::default_provider()
    })
}
