//! Sealed files: what a player keeps on its own disk and nobody else can read or alter unseen.
//!
//! ```text
//! "SORDINO\0" | version u32 | head bytes u32 | body bytes u64 | head | ciphertext | tag 16 | nonce 12
//! ```
//!
//! Numbers are little-endian; `body bytes` counts ciphertext, tag and nonce. The cipher is
//! AES-256-GCM with a fresh random nonce a file; all that stands before the ciphertext is
//! authenticated with it. The key is derived by HKDF-SHA256 from the player's private key and a
//! purpose, so that who has a copy of the folder and not the key learns what the head says, how long
//! the body is, and no more.
//!
//! An old file in the place of a newer one is not noticed here.

mod envelope;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use zeroize::{Zeroize, Zeroizing};

pub use self::envelope::{Malformed, split};
use self::envelope::{OVERHEAD, PREFIX, Prefix};
use crate::Identity;
use crate::atomic::{put, staged, sweep};

/// Seals and opens the files of one player for one purpose.
pub struct Seal(LessSafeKey);

/// Why a sealed file cannot be written or read. The operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum SealError {
    /// The file cannot be written.
    #[error("cannot write {}: {source}; make room, or let this user write there", .path.display())]
    Unwritable { path: PathBuf, source: io::Error },

    /// The file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },

    /// The bytes are not those of a sealed file.
    #[error("{} {malformed}", .path.display())]
    Malformed { path: PathBuf, malformed: Malformed },

    /// The seal is broken, or another player's.
    #[error(
        "{} was altered, or sealed with another key than this player has: restore it from a \
         backup with the key that it was made with, or remove it", .path.display()
    )]
    Broken { path: PathBuf },

    /// There is more to seal than a file may hold.
    #[error(
        "{} would be larger than {} GiB: keep less in variables", .path.display(),
        envelope::MOST_BODY >> 30
    )]
    TooLarge { path: PathBuf },

    /// There is no randomness for the nonce, and nothing is sealed without.
    #[error("cannot seal {}: the system has no source of randomness", .path.display())]
    NoRandomness { path: PathBuf },
}

impl Identity {
    /// The seal of this player for one purpose: of another key, or for another purpose, it is
    /// another seal.
    #[must_use]
    pub fn seal(&self, purpose: &str) -> Seal {
        let mut key = self.private_key();
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"sordino sealed files 1");
        let secret = salt.extract(key.secret_der());
        key.zeroize();
        let info = [self.name().as_str().as_bytes(), b"\0", purpose.as_bytes()];
        let expanded =
            secret.expand(&info, &AES_256_GCM).expect("a key is shorter than HKDF's most");
        Seal(LessSafeKey::new(UnboundKey::from(expanded)))
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key_pem().as_bytes()).expect("it was read before")
    }
}

impl Seal {
    /// Seals `body`, in place, and writes the file: all of it or nothing, and on disk when this
    /// returns. Whatever was at `path` is replaced.
    ///
    /// # Errors
    /// [`SealError`]; what was at `path` is still there then.
    pub fn write(
        &self,
        path: &Path,
        head: &[u8],
        mut body: Zeroizing<Vec<u8>>,
    ) -> Result<(), SealError> {
        let path = || path.to_owned();
        let Some(prefix) = Prefix::of(head.len(), body.len()) else {
            return Err(SealError::TooLarge { path: path() });
        };
        let clear = [&prefix.encode()[..], head].concat();
        let nonce = self.close(&clear, &mut body);
        let nonce = nonce.ok_or_else(|| SealError::NoRandomness { path: path() })?;
        let unwritable = |source| SealError::Unwritable { path: path(), source };
        let file = staged(&path(), &[&clear, &body, &nonce], 0o600, 0o700).map_err(unwritable)?;
        put(file, &path(), true).map_err(unwritable)
    }

    /// The body becomes ciphertext and tag; returns the nonce.
    fn close(&self, clear: &[u8], body: &mut Vec<u8>) -> Option<[u8; NONCE_LEN]> {
        let mut nonce = [0; NONCE_LEN];
        rand::fill(&mut nonce).ok()?;
        // With room for the tag: a vector that grows leaves a copy in the clear behind.
        if body.capacity() - body.len() < OVERHEAD {
            let mut roomy = Vec::with_capacity(body.len() + OVERHEAD);
            roomy.extend_from_slice(body);
            body.zeroize();
            *body = roomy;
        }
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(unique, Aad::from(clear), body).ok()?;
        Some(nonce)
    }

    /// Reads a file: its head and its body.
    ///
    /// # Errors
    /// [`SealError`], also when anything at all of the file was altered or is missing. Memory is
    /// taken for no more than the file holds.
    pub fn read(&self, path: &Path) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), SealError> {
        let malformed = |malformed| SealError::Malformed { path: path.to_owned(), malformed };
        let bytes =
            read(path).map_err(|source| SealError::Unreadable { path: path.to_owned(), source })?;
        let mut bytes = bytes.map_err(malformed)?;
        let (head, _) = split(&bytes).map_err(malformed)?;
        let (begin, head) = (PREFIX + head.len(), head.to_vec());
        let (clear, sealed) = bytes.split_at_mut(begin);
        let (sealed, nonce) = sealed.split_at_mut(sealed.len() - NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce);
        let opened = nonce.and_then(|n| self.0.open_in_place(n, Aad::from(&*clear), sealed));
        let length = match opened {
            Ok(body) => body.len(),
            Err(_) => return Err(SealError::Broken { path: path.to_owned() }),
        };
        bytes.copy_within(begin..begin + length, 0);
        bytes[length..].zeroize();
        bytes.truncate(length);
        Ok((head, bytes))
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<seal>")
    }
}

/// Removes what a crash has left in a folder of files that were not complete.
pub fn remove_incomplete(folder: &Path) {
    sweep(folder);
}

/// All of a file, once its length is what its first bytes say.
fn read(path: &Path) -> io::Result<Result<Zeroizing<Vec<u8>>, Malformed>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut prefix = Vec::new();
    file.by_ref().take(PREFIX as u64).read_to_end(&mut prefix)?;
    let total = match Prefix::decode(&prefix).and_then(|prefix| prefix.fits(length)) {
        Ok(total) => total,
        Err(malformed) => return Ok(Err(malformed)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    bytes.try_reserve_exact(total).map_err(|_| io::ErrorKind::OutOfMemory)?;
    bytes.extend_from_slice(&prefix);
    file.take((total - PREFIX) as u64).read_to_end(&mut bytes)?;
    Ok(Ok(bytes))
}

#[cfg(test)]
mod tests;
