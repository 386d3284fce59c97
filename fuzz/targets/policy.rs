//! A policy file.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sordino_runtime::Consent;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("policy.toml");
    fs::write(&path, bytes).expect("a file");
    if let Err(error) = Consent::load(&path) {
        assert!(error.to_string().contains("policy.toml"));
    }
});
