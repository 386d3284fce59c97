//! What Sordino reads in a certificate: whom it names, and when it is valid.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, UnixTime};
use sordino_graph::PlayerName;
use x509_parser::extensions::GeneralName;
use x509_parser::time::ASN1Time;

use crate::Fingerprint;

/// A parsed X.509 certificate. Holding one proves nothing: trust comes from a roster's pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: CertificateDer<'static>,
    names: Vec<String>,
    not_before: Moment,
    not_after: Moment,
}

impl Certificate {
    /// The first certificate in a PEM text.
    ///
    /// # Errors
    /// There is no certificate in it, or none that a TLS peer could use.
    pub fn from_pem(text: &[u8]) -> Result<Self, CertificateError> {
        match CertificateDer::from_pem_slice(text) {
            Ok(der) => Self::from_der(der),
            Err(pem::Error::NoItemsFound) => Err(CertificateError::NoCertificate),
            Err(error) => Err(CertificateError::BadPem { reason: format!("{error:?}") }),
        }
    }

    /// The certificate with these DER bytes.
    ///
    /// # Errors
    /// It is not X.509, or not the version 3 that TLS asks for.
    pub fn from_der(der: CertificateDer<'static>) -> Result<Self, CertificateError> {
        let bad = |reason: String| CertificateError::NotX509 { reason };
        // The handshake reads the public key with rustls' own parser: a certificate that it
        // would not take must fail here, where a file name is at hand.
        rustls::server::ParsedCertificate::try_from(&der).map_err(|e| bad(e.to_string()))?;
        let (rest, parsed) =
            x509_parser::parse_x509_certificate(&der).map_err(|e| bad(e.to_string()))?;
        if !rest.is_empty() {
            return Err(bad("bytes follow the certificate".into()));
        }
        let common = parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok());
        let alternative = parsed
            .subject_alternative_name()
            .map_err(|e| bad(e.to_string()))?
            .into_iter()
            .flat_map(|extension| &extension.value.general_names)
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some(*name),
                _ => None,
            });
        let mut names: Vec<String> = Vec::new();
        for name in common.chain(alternative) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        let validity = parsed.validity();
        let not_before = Moment(validity.not_before.timestamp());
        let not_after = Moment(validity.not_after.timestamp());
        Ok(Self { der, names, not_before, not_after })
    }

    /// The DER bytes.
    #[must_use]
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// SHA-256 of the DER bytes.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.der)
    }

    /// Common name and DNS names, each once. Text of whoever made the certificate: quote it.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether the common name or a DNS name is `player`.
    #[must_use]
    pub fn names_player(&self, player: &PlayerName) -> bool {
        self.names.iter().any(|name| name == player.as_str())
    }

    /// Whether the key of this certificate made `signature` on `message`.
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        // What was parsed once parses again.
        let Ok((_, parsed)) = x509_parser::parse_x509_certificate(&self.der) else { return false };
        let key = &parsed.public_key().subject_public_key.data;
        let algorithms = rustls::crypto::aws_lc_rs::default_provider();
        let mut algorithms = algorithms.signature_verification_algorithms.all.iter();
        algorithms.any(|algorithm| algorithm.verify_signature(key, message, signature).is_ok())
    }

    /// The first second of the validity period.
    #[must_use]
    pub fn not_before(&self) -> Moment {
        self.not_before
    }

    /// The last second of the validity period.
    #[must_use]
    pub fn not_after(&self) -> Moment {
        self.not_after
    }
}

/// Why bytes are no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The text has no PEM block of a certificate.
    #[error("it holds no `-----BEGIN CERTIFICATE-----` block")]
    NoCertificate,
    /// The PEM block is damaged.
    #[error("its PEM text is damaged ({reason})")]
    BadPem {
        /// The parser's finding.
        reason: String,
    },
    /// The bytes in the block are no X.509 certificate of version 3.
    #[error("it is not an X.509 certificate of version 3 ({reason})")]
    NotX509 {
        /// The parser's finding.
        reason: String,
    },
}

/// A point in time in whole seconds since 1970, printed as `2026-11-22 15:42:00 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// What the clock of this machine says.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// As programs write it: `2026-11-22T15:42:00Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.to_string().replacen(' ', "T", 1).replace(" UTC", "Z")
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let seconds = |length: std::time::Duration| i64::try_from(length.as_secs());
        Self(match time.duration_since(UNIX_EPOCH) {
            Ok(since) => seconds(since).unwrap_or(i64::MAX),
            Err(error) => seconds(error.duration()).map_or(i64::MIN, |before| -before),
        })
    }
}

impl From<UnixTime> for Moment {
    fn from(time: UnixTime) -> Self {
        Self(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(time) = ASN1Time::from_timestamp(self.0) else {
            return write!(f, "{} seconds since 1970", self.0);
        };
        let time = time.to_datetime();
        let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_readable() {
        assert_eq!(Moment(0).to_string(), "1970-01-01 00:00:00 UTC");
        assert_eq!(Moment(1_795_362_120).to_string(), "2026-11-22 15:42:00 UTC");
        assert_eq!(Moment(1_795_362_120).rfc3339(), "2026-11-22T15:42:00Z");
        assert_eq!(Moment(i64::MAX).to_string(), "9223372036854775807 seconds since 1970");
        assert_eq!(Moment::from(UNIX_EPOCH - std::time::Duration::from_secs(5)), Moment(-5));
    }

    #[test]
    fn other_bytes_are_refused_with_a_reason() {
        for (bad, part) in [
            ("", "holds no"),
            ("hello", "holds no"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n", "damaged"),
            ("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "damaged"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not an X.509"),
        ] {
            let error = Certificate::from_pem(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{bad:?}: {error}");
        }
    }
}
