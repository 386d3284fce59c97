//! The identity of one player: its certificate and the private key that proves it.
//!
//! On disk it is two files beside the roster: `certificates/NAME.pem`, which is handed to every
//! other party, and `keys/NAME.pem`, which never leaves the machine.

mod error;
mod files;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;
use sordino_graph::PlayerName;
use zeroize::{Zeroize, Zeroizing};

pub use self::error::IdentityError;
use crate::certificate::Moment;
use crate::{Certificate, Fingerprint};

/// For how many days a certificate is good unless told otherwise.
pub const DEFAULT_VALID_DAYS: u32 = 365;

/// A century. A certificate that outlives its machine is a mistake of a digit.
const MAX_VALID_DAYS: u32 = 36_525;

/// How much before the present a certificate begins, for parties whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::from_secs(3600);

/// A player's certificate and private key.
///
/// The key is wiped from memory on drop and in no `Debug` output.
pub struct Identity {
    name: PlayerName,
    certificate: Certificate,
    certificate_pem: String,
    key_pem: Zeroizing<String>,
    signer: Arc<CertifiedKey>,
}

impl Identity {
    /// A new key and a self-signed certificate, valid from an hour ago for `valid_days` days.
    ///
    /// # Errors
    /// [`IdentityError::BadPeriod`] unless there are 1 to 36,525 days; [`IdentityError::Crypto`]
    /// if the system has no randomness.
    pub fn generate(name: &PlayerName, valid_days: u32) -> Result<Self, IdentityError> {
        if !(1..=MAX_VALID_DAYS).contains(&valid_days) {
            let reason = format!("{valid_days} days is not between 1 and {MAX_VALID_DAYS}");
            return Err(IdentityError::BadPeriod { name: name.clone(), reason });
        }
        let now = SystemTime::now();
        let length = Duration::from_secs(u64::from(valid_days) * 24 * 3600);
        Self::generate_for_period(name, now - CLOCK_SKEW, now + length)
    }

    /// As [`generate`](Self::generate), with a validity period to the second. The period may lie
    /// in the past or the future: how peers answer such a certificate is thus tested.
    ///
    /// # Errors
    /// [`IdentityError::BadPeriod`] unless the period lies in the years 1970 to 9999 and ends
    /// after it begins; [`IdentityError::Crypto`] if the system has no randomness.
    pub fn generate_for_period(
        name: &PlayerName,
        not_before: SystemTime,
        not_after: SystemTime,
    ) -> Result<Self, IdentityError> {
        let (first, last) = (Moment::from(not_before), Moment::from(not_after));
        // The last second that X.509 can write.
        let latest = Moment(253_402_300_799);
        if first < Moment(0) || first >= last || last > latest {
            let reason = format!("from {first} to {last} is no period between 1970 and 9999");
            return Err(IdentityError::BadPeriod { name: name.clone(), reason });
        }
        let crypto = |error: rcgen::Error| IdentityError::Crypto {
            name: name.clone(),
            reason: error.to_string(),
        };
        let mut params = CertificateParams::default();
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        let dns_name = name.as_str().try_into().map_err(crypto)?;
        params.subject_alt_names.push(SanType::DnsName(dns_name));
        params.key_usages.push(KeyUsagePurpose::DigitalSignature);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);

        let mut pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(crypto)?;
        let key_pem = Zeroizing::new(pair.serialize_pem());
        let certificate = params.self_signed(&pair).map_err(crypto);
        pair.zeroize();
        Self::from_pem(name, certificate?.pem(), key_pem, Path::new(""))
    }

    /// Writes `certificates/NAME.pem` and `keys/NAME.pem` in `folder`, which is the roster's.
    /// Each file appears whole or not at all; the key is readable by its owner alone.
    ///
    /// # Errors
    /// [`IdentityError::Exists`] if one of them is there and `overwrite` is false;
    /// [`IdentityError::Unwritable`]. Nothing is left half done in the first case.
    pub fn save(&self, folder: &Path, overwrite: bool) -> Result<(), IdentityError> {
        files::save(folder, &self.name, &self.certificate_pem, &self.key_pem, overwrite)
    }

    /// Reads what [`save`](Self::save) wrote, or files of the same form from elsewhere.
    ///
    /// # Errors
    /// [`IdentityError`]: a file is missing, unreadable or damaged; others may read the key; key
    /// and certificate are no pair; the certificate does not name the player, or is not valid
    /// now.
    pub fn load(folder: &Path, name: &PlayerName) -> Result<Self, IdentityError> {
        let certificate_pem = files::read_certificate(folder, name)?;
        let key_pem = files::read_key(folder, name)?;
        let identity = Self::from_pem(name, certificate_pem, key_pem, folder)?;
        let (certificate, now) = (&identity.certificate, Moment::now());
        let (name, path) = (name.clone(), certificate_file(folder, name));
        if now > certificate.not_after() {
            let until = certificate.not_after();
            return Err(IdentityError::Expired { name, path, until });
        }
        if now < certificate.not_before() {
            let from = certificate.not_before();
            return Err(IdentityError::NotYetValid { name, path, from, now });
        }
        Ok(identity)
    }

    /// Parses both and checks that they belong together and to `name`. `folder` is for messages.
    fn from_pem(
        name: &PlayerName,
        certificate_pem: String,
        key_pem: Zeroizing<String>,
        folder: &Path,
    ) -> Result<Self, IdentityError> {
        let certificate = Certificate::from_pem(certificate_pem.as_bytes()).map_err(|source| {
            let path = certificate_file(folder, name);
            IdentityError::CertificateInvalid { name: name.clone(), path, source }
        })?;
        if !certificate.names_player(name) {
            return Err(IdentityError::CertificateNamesAnother {
                name: name.clone(),
                path: certificate_file(folder, name),
                found: certificate.names().to_vec(),
            });
        }
        let key_path = key_file(folder, name);
        // No parser's finding is passed on from here: it might quote the key.
        let invalid = || IdentityError::KeyInvalid { name: name.clone(), path: key_path.clone() };
        let mut der = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| invalid())?;
        let key = any_supported_type(&der);
        der.zeroize();
        let chain = vec![certificate.der().clone()];
        let signer = Arc::new(CertifiedKey::new(chain, key.map_err(|_| invalid())?));
        signer.keys_match().map_err(|_| IdentityError::NoPair {
            name: name.clone(),
            certificate: certificate_file(folder, name),
            key: key_path.clone(),
        })?;
        Ok(Self { name: name.clone(), certificate, certificate_pem, key_pem, signer })
    }

    /// Whose identity it is.
    #[must_use]
    pub fn name(&self) -> &PlayerName {
        &self.name
    }

    /// The certificate, which is public.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The fingerprint by which rosters pin the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// Signs a message; [`Certificate::has_signed`] checks it.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        use rustls::SignatureScheme as Scheme;
        let schemes = [
            Scheme::ECDSA_NISTP256_SHA256,
            Scheme::ECDSA_NISTP384_SHA384,
            Scheme::ED25519,
            Scheme::RSA_PSS_SHA256,
        ];
        let signer = self.signer.key.choose_scheme(&schemes);
        let signer = signer.ok_or("it is of a kind that nothing is signed with")?;
        signer.sign(message).map_err(|error| error.to_string())
    }

    /// The private key as it is on disk.
    pub(crate) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The certificate with the key loaded for signing, as rustls takes it.
    pub(crate) fn signer(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.signer)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<identity of {}, {}, key hidden>", self.name, self.fingerprint())
    }
}

/// Where the certificate of a player is, in the folder of the roster.
#[must_use]
pub fn certificate_file(folder: &Path, name: &PlayerName) -> PathBuf {
    folder.join("certificates").join(format!("{name}.pem"))
}

/// Where the private key of a player is, in the folder of the roster.
#[must_use]
pub fn key_file(folder: &Path, name: &PlayerName) -> PathBuf {
    folder.join("keys").join(format!("{name}.pem"))
}

#[cfg(test)]
mod tests;
