use std::fs;

use super::*;

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

/// Checks that loading `alice` fails, and that the message has all of these parts.
#[track_caller]
fn fails(folder: &tempfile::TempDir, parts: &[&str]) {
    let error = Identity::load(folder.path(), &name("alice")).unwrap_err();
    says(&error, parts);
}

#[track_caller]
fn says(error: &IdentityError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
}

fn saved(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for each in names {
        Identity::generate(&name(each), 1).unwrap().save(folder.path(), false).unwrap();
    }
    folder
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 3600)
}

#[test]
fn a_new_identity_names_its_player_and_is_valid_now() {
    let identity = Identity::generate(&name("data-owner_0-"), DEFAULT_VALID_DAYS).unwrap();
    let certificate = identity.certificate();
    assert_eq!(certificate.names(), ["data-owner_0-"]);
    let length = certificate.not_after().0 - certificate.not_before().0;
    assert_eq!(length, 365 * 24 * 3600 + 3600);
    let since = Moment::now().0 - certificate.not_before().0;
    assert!((3600..3660).contains(&since), "{since}");
    assert_ne!(identity.fingerprint(), Identity::generate(&name("a"), 1).unwrap().fingerprint());
}

#[test]
fn debug_hides_the_key() {
    let identity = Identity::generate(&name("alice"), 1).unwrap();
    let text = format!("{identity:?} {identity:#?}");
    assert!(text.starts_with("<identity of alice, sha256:"), "{text}");
    assert!(!text.contains("PRIVATE"));
    assert!(identity.key_pem.lines().all(|line| !text.contains(line)));
}

#[test]
fn saving_and_loading_agree() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::generate(&name("alice"), 1).unwrap();
    identity.save(folder.path(), false).unwrap();
    let loaded = Identity::load(folder.path(), &name("alice")).unwrap();
    assert_eq!(loaded.name(), identity.name());
    assert_eq!(loaded.certificate(), identity.certificate());
    assert_eq!(loaded.key_pem, identity.key_pem);

    for sub in ["certificates", "keys"] {
        let files: Vec<_> = fs::read_dir(folder.path().join(sub)).unwrap().collect();
        assert_eq!(files.len(), 1, "no staged file stays behind: {files:?}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt;

    let folder = saved(&["alice"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let key = key_file(folder.path(), &name("alice"));
    assert_eq!(mode(&key), 0o600);
    assert_eq!(mode(key.parent().unwrap()), 0o700);

    for open in [0o640, 0o604, 0o620] {
        fs::set_permissions(&key, fs::Permissions::from_mode(open)).unwrap();
        let (mode, chmod) = (format!("mode {open:03o}"), format!("chmod 600 {}", key.display()));
        fails(&folder, &["private key of alice", &mode, &chmod]);
    }
}

#[test]
fn an_identity_is_not_overwritten_unasked() {
    let folder = saved(&["alice"]);
    let before = Identity::load(folder.path(), &name("alice")).unwrap();
    let new = Identity::generate(&name("alice"), 1).unwrap();
    let error = new.save(folder.path(), false).unwrap_err();
    says(&error, &["keys/alice.pem is already there", "`--force`", "every other party"]);

    // Either file alone is reason enough, and the refusal leaves no trace of the other.
    let key = key_file(folder.path(), &name("alice"));
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let error = new.save(folder.path(), false).unwrap_err();
    says(&error, &["certificates/alice.pem is already there"]);
    assert!(!key.exists());
    fails(
        &folder,
        &["no private key of alice", "keys/alice.pem", "`sordino keygen alice --force`"],
    );

    new.save(folder.path(), true).unwrap();
    let after = Identity::load(folder.path(), &name("alice")).unwrap();
    assert_eq!(after.fingerprint(), new.fingerprint());
    assert_ne!(after.fingerprint(), before.fingerprint());
    assert_ne!(fs::read(&key).unwrap(), kept);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("keys"), "a file").unwrap();
    let identity = Identity::generate(&name("alice"), 1).unwrap();
    for overwrite in [false, true] {
        let error = identity.save(folder.path(), overwrite).unwrap_err();
        says(&error, &["cannot write", "keys/alice.pem of alice", "check the folder"]);
    }
}

#[test]
fn missing_files() {
    let folder = saved(&["bob"]);
    fails(
        &folder,
        &["no certificate of alice", "certificates/alice.pem", "`sordino keygen alice`"],
    );
}

#[test]
fn a_key_of_another_certificate() {
    let folder = saved(&["alice", "bob"]);
    let key = |of: &str| key_file(folder.path(), &name(of));
    fs::copy(key("bob"), key("alice")).unwrap();
    fails(&folder, &["keys/alice.pem is not that of", "certificates/alice.pem", "keygen alice"]);
}

#[test]
fn damaged_files_are_not_quoted() {
    let folder = saved(&["alice"]);
    let key = key_file(folder.path(), &name("alice"));
    let text = fs::read_to_string(&key).unwrap();
    let middle = &text.lines().nth(1).unwrap()[10..30];
    fs::write(&key, text.replace(middle, "!")).unwrap();
    let error = Identity::load(folder.path(), &name("alice")).unwrap_err();
    says(&error, &["keys/alice.pem holds no private key", "keygen alice"]);
    let shown = format!("{error} {error:?}");
    assert!(text.lines().skip(1).all(|line| !shown.contains(&line[..10])), "{shown}");

    fs::write(certificate_file(folder.path(), &name("alice")), "hello").unwrap();
    fails(&folder, &["certificate of alice", "is unusable", "BEGIN CERTIFICATE"]);
}

#[test]
fn a_certificate_of_another_player() {
    let folder = saved(&["alice", "bob"]);
    let at = |of: &str| certificate_file(folder.path(), &name(of));
    fs::copy(at("bob"), at("alice")).unwrap();
    fails(&folder, &["certificates/alice.pem does not name alice", "[\"bob\"]"]);
}

#[test]
fn outside_its_period() {
    let folder = tempfile::tempdir().unwrap();
    let save = |from, until| {
        let identity = Identity::generate_for_period(&name("alice"), from, until).unwrap();
        identity.save(folder.path(), true).unwrap();
        identity.certificate().clone()
    };
    let now = SystemTime::now();
    let old = save(now - days(3), now - days(1));
    let until = old.not_after().to_string();
    fails(&folder, &["alice", "certificates/alice.pem expired at", &until, "keygen alice --force"]);
    let new = save(now + days(1), now + days(3));
    let from = new.not_before().to_string();
    fails(&folder, &["alice", "valid only from", &from, "set the clock"]);
}

#[test]
fn impossible_periods() {
    for bad in [0, MAX_VALID_DAYS + 1, u32::MAX] {
        let error = Identity::generate(&name("alice"), bad).unwrap_err();
        says(&error, &["alice", &format!("{bad} days")]);
    }
    assert!(Identity::generate(&name("alice"), MAX_VALID_DAYS).is_ok());
    let (epoch, alice) = (SystemTime::UNIX_EPOCH, name("alice"));
    for (from, until) in [
        (epoch + days(2), epoch + days(1)),
        (epoch - days(1), epoch),
        (epoch, epoch + days(4_000_000)),
    ] {
        let error = Identity::generate_for_period(&alice, from, until).unwrap_err();
        says(&error, &["alice", "is no period"]);
    }
}
