//! The two verifiers: a certificate is good if it is the pinned one and valid now, and if the
//! peer's signature over the handshake proves that it holds the key.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    SignatureScheme,
};
use sordino_graph::PlayerName;

use super::Refusal;
use crate::certificate::Moment;
use crate::{Certificate, Fingerprint, Roster};

/// Accepts one server: the player that was to be reached.
#[derive(Debug)]
pub(super) struct PinnedServer {
    player: PlayerName,
    pin: Fingerprint,
    /// Only to say whose certificate it was that came instead.
    roster: Roster,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedServer {
    pub(super) fn new(
        player: PlayerName,
        pin: Fingerprint,
        roster: Roster,
        provider: &CryptoProvider,
    ) -> Self {
        let algorithms = provider.signature_verification_algorithms;
        Self { player, pin, roster, algorithms }
    }
}

/// Accepts as clients the players of the roster and its driver.
#[derive(Debug)]
pub(super) struct PinnedClients {
    roster: Roster,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedClients {
    pub(super) fn new(roster: Roster, provider: &CryptoProvider) -> Self {
        Self { roster, algorithms: provider.signature_verification_algorithms }
    }
}

/// How signatures over handshakes are checked: both traits of rustls ask for the same functions.
macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _message: &[u8],
            _certificate: &CertificateDer<'_>,
            _signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, certificate, signature, &self.algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let received = Fingerprint::of(end_entity);
        if received != self.pin {
            let mismatch = Refusal::PinMismatch {
                player: self.player.clone(),
                expected: self.pin,
                received,
                received_is: self.roster.by_fingerprint(&received).cloned(),
            };
            return Err(mismatch.into_rustls());
        }
        check_period(&self.player, end_entity, now)?;
        Ok(ServerCertVerified::assertion())
    }

    signatures!();
}

impl ClientCertVerifier for PinnedClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let received = Fingerprint::of(end_entity);
        let Some(player) = self.roster.by_fingerprint(&received) else {
            return Err(stranger(&self.roster, end_entity, received).into_rustls());
        };
        check_period(player, end_entity, now)?;
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}

/// The validity period of a certificate that is pinned for `player`, ends included.
fn check_period(
    player: &PlayerName,
    certificate: &CertificateDer<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    let now = Moment::from(now);
    let certificate = Certificate::from_der(certificate.clone().into_owned())
        .map_err(|_| Error::from(CertificateError::BadEncoding))?;
    let (player, fingerprint) = (player.clone(), certificate.fingerprint());
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if now > until {
        return Err(Refusal::Expired { player, fingerprint, until, now }.into_rustls());
    }
    if now < from {
        return Err(Refusal::NotYetValid { player, fingerprint, from, now }.into_rustls());
    }
    Ok(())
}

/// What to say of a certificate that is nobody's. The name in it is used for nothing else.
fn stranger(roster: &Roster, certificate: &CertificateDer<'_>, received: Fingerprint) -> Refusal {
    let names: Vec<PlayerName> = Certificate::from_der(certificate.clone().into_owned())
        .map(|it| it.names().iter().filter_map(|name| PlayerName::new(name).ok()).collect())
        .unwrap_or_default();
    for name in &names {
        if let Some(expected) = roster.pin(name) {
            let (player, received_is) = (name.clone(), None);
            return Refusal::PinMismatch { player, expected, received, received_is };
        }
    }
    Refusal::Unknown { received, claimed: names.into_iter().next() }
}
