//! Wrong command lines of `sordino` end with status 2, failed runs with 1, both with what to do.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use sordino::players::Identity;

/// Runs `sordino` in a folder, with arguments separated by blanks: its status and standard error.
fn sordino(folder: &Path, arguments: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
    command.args(arguments.split(' ')).current_dir(folder);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A roster of ann and bob, and their certificates.
fn roster(folder: &Path, address_of_bob: &str) {
    let list = format!(r#"{{"ann": "127.0.0.1:4440", "bob": "{address_of_bob}"}}"#);
    fs::write(folder.join("config.json"), list).unwrap();
    for name in ["ann", "bob"] {
        let identity = Identity::generate(&name.parse().unwrap(), 1).unwrap();
        identity.save(folder, true).unwrap();
    }
}

#[test]
fn wrong_options_of_a_player_end_with_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = |arguments: &str, parts: &[&str]| {
        let (status, errors) = sordino(folder, arguments);
        assert_eq!(status, Some(2), "{arguments}: {errors}");
        for part in parts {
            assert!(errors.contains(part), "{arguments}: {errors:?} does not say {part:?}");
        }
    };
    refused("player", &["--config", "<NAME>"]);
    refused("player ann --config none.json", &["none.json"]);
    roster(folder, "127.0.0.1:4441");
    refused("player cat --config config.json", &["cat", "ann, bob"]);
    refused("player a/b --config config.json", &["a/b"]);
    roster(folder, "127.0.0.1:no");
    refused("player ann --config config.json", &["bob", "127.0.0.1:no", "port"]);
    roster(folder, "127.0.0.1:4441");
    fs::remove_file(folder.join("certificates/bob.pem")).unwrap();
    refused("player ann --config config.json", &["bob.pem", "sordino keygen bob"]);
    roster(folder, "127.0.0.1:4441");
    fs::remove_file(folder.join("keys/ann.pem")).unwrap();
    refused("player ann --config config.json", &["ann.pem", "sordino keygen ann"]);
    refused("player ann --config config.json --over many", &["--over"]);
}

#[test]
fn what_fails_later_ends_with_status_1() {
    let folder = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    roster(folder.path(), &address);
    let (status, errors) = sordino(folder.path(), "player bob --config config.json");
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains(&address) && errors.contains("in use"), "{errors}");

    let (status, errors) = sordino(folder.path(), "keygen bob");
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("already there") && errors.contains("--force"), "{errors}");
}
