//! `config.json` beside the certificates of alice, bob and the driver; and a certificate of carol
//! that follows the file after a zero byte.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sordino_players::identity::certificate_file;
use sordino_players::{Identity, PlayerName, Roster};
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["alice", "bob", "driver"] {
        Identity::generate(&player(name), 365)
            .and_then(|identity| identity.save(folder.path(), false))
            .expect("a certificate");
    }
    folder
});

fn player(name: &str) -> PlayerName {
    PlayerName::new(name).expect("a legal name")
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
}

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let config = FOLDER.path().join("config.json");
    write(config.clone(), parts.next().unwrap_or_default());
    write(certificate_file(FOLDER.path(), &player("carol")), parts.next().unwrap_or_default());
    match Roster::load(&config) {
        Ok(roster) => assert_eq!(roster.digest(), Roster::load(&config).expect("the same").digest()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
