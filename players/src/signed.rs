//! Plans that a player has signed: a list on its own disk, a line a plan.
//!
//! A line is `DIGEST SIGNATURE NAME`: the digest of the plan's recorded graph, the signature of the
//! player's key on it, both in hexadecimal, and the name of the graph, which is for people. What is
//! signed says whose signature it is, and for what: no signature of a TLS handshake, and none of
//! another player, is one of a plan.
//!
//! The signature holds off who can write the list and not read the key: another user of the
//! machine, a backup that is put back, a tool that copies files to many players. It is no help
//! against who has the key, which is on the same disk. Anyone can check it against the certificate.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use sordino_graph::{Digest, PlayerName};

use crate::{Certificate, Identity};

/// Larger than any list; a wrong path must not fill the memory.
const MAX_FILE: u64 = 4 << 20;

/// The list of one player.
#[derive(Debug, Clone)]
pub struct SignedPlans {
    name: PlayerName,
    path: PathBuf,
    certificate: Certificate,
}

/// Why a list cannot be used. The operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum SignedError {
    /// The file cannot be read.
    #[error("cannot read the signed plans in {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },

    /// The file cannot be written.
    #[error("cannot write the signed plans to {}: {source}", .path.display())]
    Unwritable { path: PathBuf, source: io::Error },

    /// The file is too large to be a list.
    #[error("{} is larger than 4 MiB: it is no list of signed plans", .path.display())]
    TooLarge { path: PathBuf },

    /// A line is no signature of the player's.
    #[error(
        "{} line {line} is not signed with the key of {name}: take it out, and sign the plan \
         again if it is to run (`sordino sign FILE --player {name}`)", .path.display()
    )]
    Forged { name: PlayerName, path: PathBuf, line: usize },

    /// The key cannot sign.
    #[error("the key of {name} cannot sign: {reason}")]
    Crypto { name: PlayerName, reason: String },
}

/// Where the signed plans of a player are listed, in the folder of the roster.
#[must_use]
pub fn signed_file(folder: &Path, name: &PlayerName) -> PathBuf {
    folder.join("signed").join(format!("{name}.txt"))
}

impl SignedPlans {
    /// The list of the player whose identity this is, in the folder of the roster.
    #[must_use]
    pub fn of(identity: &Identity, folder: &Path) -> Self {
        let name = identity.name().clone();
        let path = signed_file(folder, &name);
        Self { name, path, certificate: identity.certificate().clone() }
    }

    /// Where the list is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the list has a plan; read afresh, since the operator may have signed meanwhile.
    ///
    /// # Errors
    /// [`SignedError`] when the file cannot be read, and when any line of it is forged.
    pub fn contains(&self, plan: &Digest) -> Result<bool, SignedError> {
        Ok(self.read()?.contains(&plan.to_string()))
    }

    /// Signs a plan and adds it to the list; false if it was there. `title` is for people who read
    /// the list.
    ///
    /// # Errors
    /// [`SignedError`]; the list is as it was then.
    pub fn add(
        &self,
        identity: &Identity,
        plan: &Digest,
        title: &str,
    ) -> Result<bool, SignedError> {
        if self.contains(plan)? {
            return Ok(false);
        }
        let digest = plan.to_string();
        let signature = identity.sign(&statement(&self.name, &digest)).map_err(|reason| {
            let name = self.name.clone();
            SignedError::Crypto { name, reason }
        })?;
        let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("{digest} {signature} {title}\n");
        let write = || {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        let unwritable = |source| SignedError::Unwritable { path: self.path.clone(), source };
        write().map_err(unwritable)?;
        Ok(true)
    }

    /// The digests of the list; none if there is no file.
    fn read(&self) -> Result<BTreeSet<String>, SignedError> {
        let path = || self.path.clone();
        let mut text = String::new();
        let read = File::open(&self.path)
            .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(source) => return Err(SignedError::Unreadable { path: path(), source }),
            Ok(length) if length as u64 > MAX_FILE => {
                return Err(SignedError::TooLarge { path: path() });
            }
            Ok(_) => {}
        }
        let mut digests = BTreeSet::new();
        let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        for (text, line) in lines {
            let mut words = text.split_whitespace();
            let (digest, signature) = (words.next(), words.next().and_then(bytes));
            let signed = digest.zip(signature).filter(|(digest, signature)| {
                self.certificate.has_signed(&statement(&self.name, digest), signature)
            });
            let Some((digest, _)) = signed else {
                return Err(SignedError::Forged { name: self.name.clone(), path: path(), line });
            };
            digests.insert(digest.to_owned());
        }
        Ok(digests)
    }
}

/// What is signed.
fn statement(name: &PlayerName, digest: &str) -> Vec<u8> {
    format!("Sordino: {name} runs the plan\n{digest}\n").into_bytes()
}

/// The bytes of hexadecimal digits.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Identity {
        Identity::generate(&name.parse().unwrap(), 1).unwrap()
    }

    #[test]
    fn a_list_has_what_its_player_signed() {
        let folder = tempfile::tempdir().unwrap();
        let ann = identity("ann");
        let list = SignedPlans::of(&ann, folder.path());
        let (one, two) = (Digest([1; 32]), Digest([0xab; 32]));
        assert!(!list.contains(&one).unwrap());
        assert!(list.add(&ann, &one, "training").unwrap());
        assert!(!list.add(&ann, &one, "training").unwrap());
        assert!(list.contains(&one).unwrap() && !list.contains(&two).unwrap());
        assert!(list.add(&ann, &two, "").unwrap());
        assert!(list.contains(&one).unwrap() && list.contains(&two).unwrap());
        let text = fs::read_to_string(list.path()).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.starts_with(&one.to_string()) && text.contains(" training\n"), "{text}");
    }

    #[test]
    fn forged_lists_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (ann, bob) = (identity("ann"), identity("bob"));
        let (hers, his) =
            (SignedPlans::of(&ann, folder.path()), SignedPlans::of(&bob, folder.path()));
        let (one, two) = (Digest([1; 32]), Digest([2; 32]));
        assert!(hers.add(&ann, &one, "x").unwrap() && his.add(&bob, &two, "x").unwrap());
        let good = fs::read_to_string(hers.path()).unwrap();
        let other = fs::read_to_string(his.path()).unwrap();
        let forged = [
            // Another plan, another player, another key; no signature, no line of a list.
            good.replacen("01", "02", 32),
            good.clone() + &other,
            other,
            format!("{two}\n"),
            format!("{two} 12 x\n"),
            format!("{two} 1é x\n"),
            "\u{0} \u{0}\n".to_owned(),
        ];
        for text in forged {
            fs::write(hers.path(), &text).unwrap();
            let error = hers.contains(&one).unwrap_err();
            assert!(matches!(error, SignedError::Forged { .. }), "{text}: {error}");
            assert!(error.to_string().contains("sordino sign"), "{error}");
        }
        fs::write(hers.path(), "\n".repeat(5 << 20)).unwrap();
        assert!(matches!(hers.contains(&one), Err(SignedError::TooLarge { .. })));
        // A new key: what the old one signed does not count.
        fs::write(hers.path(), good).unwrap();
        let renewed = SignedPlans::of(&identity("ann"), folder.path());
        assert!(matches!(renewed.contains(&one), Err(SignedError::Forged { line: 1, .. })));
    }

    #[test]
    fn a_signature_is_for_what_was_signed() {
        let ann = identity("ann");
        let signature = ann.sign(b"text").unwrap();
        assert!(ann.certificate().has_signed(b"text", &signature));
        assert!(!ann.certificate().has_signed(b"texts", &signature));
        assert!(!identity("ann").certificate().has_signed(b"text", &signature));
        assert!(!ann.certificate().has_signed(b"text", &[]));
    }
}
