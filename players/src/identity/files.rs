//! The two files of an identity.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use sordino_graph::PlayerName;
use zeroize::Zeroizing;

use super::{IdentityError, certificate_file, key_file};
use crate::atomic::{put, staged};

/// Larger than any key or certificate; a wrong path must not fill the memory.
const MAX_FILE: u64 = 64 * 1024;

pub(super) fn save(
    folder: &Path,
    name: &PlayerName,
    certificate: &str,
    key: &str,
    overwrite: bool,
) -> Result<(), IdentityError> {
    let certificate_path = certificate_file(folder, name);
    let key_path = key_file(folder, name);
    if !overwrite {
        // Before anything is written, so that a refusal leaves the folder as it was.
        for path in [&key_path, &certificate_path] {
            if path.symlink_metadata().is_ok() {
                return Err(IdentityError::Exists { name: name.clone(), path: path.clone() });
            }
        }
    }
    let unwritable = |path: &Path, source: io::Error| {
        let (name, path) = (name.clone(), path.to_owned());
        IdentityError::Unwritable { name, path, source }
    };
    let not_put = |path: &Path, source: io::Error| match source.kind() {
        // Another process was faster.
        ErrorKind::AlreadyExists if !overwrite => {
            IdentityError::Exists { name: name.clone(), path: path.to_owned() }
        }
        _ => unwritable(path, source),
    };
    // Both are on disk before either has its name.
    let new_key =
        staged(&key_path, &[key.as_bytes()], 0o600, 0o700).map_err(|e| unwritable(&key_path, e))?;
    let new_certificate = staged(&certificate_path, &[certificate.as_bytes()], 0o644, 0o755)
        .map_err(|e| unwritable(&certificate_path, e))?;
    put(new_key, &key_path, overwrite).map_err(|e| not_put(&key_path, e))?;
    put(new_certificate, &certificate_path, overwrite).map_err(|error| {
        if !overwrite {
            // A key that has no certificate is of no use, and would block the next attempt.
            let _ = fs::remove_file(&key_path);
        }
        not_put(&certificate_path, error)
    })
}

pub(super) fn read_certificate(folder: &Path, name: &PlayerName) -> Result<String, IdentityError> {
    let path = certificate_file(folder, name);
    let read = File::open(&path).and_then(|file| {
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text).map(|_| text)
    });
    read.map_err(|source| match source.kind() {
        ErrorKind::NotFound => IdentityError::CertificateMissing { name: name.clone(), path },
        _ => IdentityError::Unreadable { name: name.clone(), path, source },
    })
}

pub(super) fn read_key(
    folder: &Path,
    name: &PlayerName,
) -> Result<Zeroizing<String>, IdentityError> {
    let path = key_file(folder, name);
    let unreadable = |source: io::Error| match source.kind() {
        ErrorKind::NotFound => IdentityError::KeyMissing { name: name.clone(), path: path.clone() },
        _ => IdentityError::Unreadable { name: name.clone(), path: path.clone(), source },
    };
    let file = File::open(&path).map_err(unreadable)?;
    // Of the open file, so that what is checked is what is read.
    let metadata = file.metadata().map_err(unreadable)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(IdentityError::KeyOpenToOthers { name: name.clone(), path, mode });
        }
    }
    // Room for all of it at once: a buffer that grows leaves copies behind that nobody wipes.
    let room = usize::try_from(metadata.len().min(MAX_FILE)).unwrap_or_default() + 64;
    let mut text = Zeroizing::new(String::with_capacity(room));
    file.take(MAX_FILE).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}
