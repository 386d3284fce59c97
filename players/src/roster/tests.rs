use std::fs;
use std::path::Path;

use super::*;
use crate::{Certificate, Identity};

/// A folder with this `config.json` and a fresh certificate for each name.
fn folder(config: &str, certificates: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), config).unwrap();
    for each in certificates {
        Identity::generate(&name(each), 1).unwrap().save(folder.path(), false).unwrap();
    }
    folder
}

fn load(folder: &tempfile::TempDir) -> Result<Roster, RosterError> {
    Roster::load(&folder.path().join("config.json"))
}

fn name(text: &str) -> PlayerName {
    PlayerName::new(text).unwrap()
}

/// Checks that loading fails, and that the message has all of these parts.
#[track_caller]
fn fails(folder: &tempfile::TempDir, parts: &[&str]) -> RosterError {
    let error = load(folder).unwrap_err();
    says(&error, parts);
    error
}

#[track_caller]
fn says(error: &RosterError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains("  ") && !text.contains('\n'), "{text}");
}

const TWO: &str = r#"{"server1": "127.0.0.1:4441", "server0": "[::1]:4440"}"#;

#[test]
fn players_keep_the_order_of_the_file() {
    let folder = folder(TWO, &["server0", "server1", "driver"]);
    let roster = load(&folder).unwrap();
    let listed: Vec<_> = roster.players().iter().map(|p| p.name().as_str()).collect();
    assert_eq!(listed, ["server1", "server0"]);

    let server0 = roster.get(&name("server0")).unwrap();
    assert_eq!(server0.address().to_string(), "[::1]:4440");
    let identity = Identity::load(folder.path(), &name("server0")).unwrap();
    assert_eq!(server0.fingerprint(), identity.fingerprint());
    assert_eq!(roster.by_fingerprint(&identity.fingerprint()), Some(server0.name()));
    assert_eq!(roster.by_fingerprint(&Fingerprint::of(b"")), None);

    let driver = driver_name();
    assert!(roster.get(&driver).is_none(), "the driver is no player");
    let pin = roster.driver().unwrap();
    assert_eq!(roster.pin(&driver), Some(pin));
    assert_eq!(roster.by_fingerprint(&pin), Some(&driver));
}

#[test]
fn the_driver_is_optional() {
    let roster = load(&folder(TWO, &["server0", "server1"])).unwrap();
    assert_eq!((roster.driver(), roster.pin(&driver_name())), (None, None));
}

#[test]
fn drivers_have_names_of_their_own() {
    let all = ["server0", "server1", "driver", "driver-2", "drivers"];
    let roster = load(&folder(TWO, &all)).unwrap();
    let names: Vec<_> = roster.drivers().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["driver", "driver-2"]);
    let (second, pin) = roster.drivers()[1].clone();
    assert_eq!((roster.pin(&second), roster.by_fingerprint(&pin)), (Some(pin), Some(&second)));
    let other = "42".repeat(32).parse().unwrap();
    let named = |name: &str, pin| roster.clone().with_driver(name.parse().unwrap(), pin);
    assert_eq!(named("driver-3", other).unwrap().drivers().len(), 3);
    assert!(matches!(named("driver-2", other), Err(RosterError::NameTwice { .. })));
    assert!(matches!(named("driver-3", pin), Err(RosterError::SameCertificate { .. })));
    assert!(matches!(named("drivers", other), Err(RosterError::NoDriver { .. })));
}

#[test]
fn a_missing_or_unreadable_file() {
    let missing = folder("{}", &[]);
    fs::remove_file(missing.path().join("config.json")).unwrap();
    let error =
        fails(&missing, &["no roster at", "config.json", "{\"server0\": \"127.0.0.1:4440\"}"]);
    assert!(matches!(error, RosterError::ConfigMissing { .. }));

    let error = Roster::load(missing.path()).unwrap_err();
    says(&error, &["cannot read the roster", "permissions"]);
    assert!(matches!(error, RosterError::ConfigUnreadable { .. }));
}

#[test]
fn a_file_that_is_no_json_object_of_texts() {
    for (bad, parts) in [
        ("", ["not JSON", "line 1, column 0"]),
        ("{\n  \"a\": \"h:1\",\n}", ["not JSON", "line 3, column 1"]),
        ("{\"a\": \"h:1\"} x", ["not JSON", "line 1, column 14"]),
        ("[\"h:1\"]", ["an object of player name to", "line 1"]),
        ("{\n\"a\": 4440}", ["line 2, column 9", "invalid type: integer `4440`"]),
        ("{\"a\": {\"host\": \"h\"}}", ["invalid type: map", "line 1"]),
    ] {
        fails(&folder(bad, &[]), &[parts[0], parts[1], "config.json", "write an object"]);
    }
}

#[test]
fn no_player_at_all() {
    fails(&folder("{}", &[]), &["config.json", "lists no player", "add one"]);
}

#[test]
fn a_name_twice() {
    let twice = folder(r#"{"a": "h:1", "b": "h:2", "a": "h:3"}"#, &["a", "b"]);
    let error = fails(&twice, &["config.json", "lists a twice", "keep one"]);
    assert!(matches!(error, RosterError::NameTwice { .. }));
}

#[test]
fn a_bad_name() {
    let bad = folder(r#"{"Server 0": "h:1"}"#, &[]);
    fails(&bad, &["config.json", "\"Server 0\" is not a player name", "a-z"]);
}

#[test]
fn the_driver_as_a_player() {
    for name in ["driver", "driver-2"] {
        let listed = folder(&format!(r#"{{"{name}": "h:1"}}"#), &[name]);
        fails(&listed, &["config.json", "`driver`", "no player", "remove the entry"]);
    }
}

#[test]
fn bad_addresses() {
    for (bad, part) in [
        ("", "no port"),
        ("h", "no port"),
        ("h:", "no port"),
        (":1", "no host"),
        ("h:0", "1 to 65535"),
        ("h:x", "1 to 65535"),
        ("h:70000", "1 to 65535"),
        ("http://h:1", "without scheme"),
    ] {
        let folder = folder(&format!(r#"{{"a": "{bad}"}}"#), &["a"]);
        let error = fails(&folder, &["address of a in", "config.json", part]);
        assert!(matches!(error, RosterError::BadAddress { .. }));
    }
    let same = folder(r#"{"a": "h:1", "b": "h:1"}"#, &["a", "b"]);
    fails(&same, &["config.json", "a and b both at h:1", "its own port"]);
}

#[test]
fn a_missing_certificate() {
    let missing = folder(TWO, &["server1"]);
    let parts = ["certificate of server0 is missing", "certificates/server0.pem"];
    fails(&missing, &[parts[0], parts[1], "`sordino keygen server0`"]);
}

#[test]
fn an_unusable_certificate() {
    let damaged = folder(TWO, &["server0", "server1"]);
    let path = damaged.path().join("certificates/server0.pem");
    fs::write(&path, "hello").unwrap();
    fails(
        &damaged,
        &["server0", "certificates/server0.pem", "BEGIN CERTIFICATE", "keygen server0"],
    );

    // A private key in its place is refused without a word of its text.
    fs::copy(damaged.path().join("keys/server0.pem"), &path).unwrap();
    fails(&damaged, &["server0", "certificates/server0.pem", "BEGIN CERTIFICATE"]);

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fails(&damaged, &["cannot read the certificate of server0", "certificates/server0.pem"]);
}

#[test]
fn an_unusable_driver_certificate_is_no_missing_one() {
    let damaged = folder(r#"{"a": "h:1"}"#, &["a", "driver"]);
    fs::write(damaged.path().join("certificates/driver.pem"), "hello").unwrap();
    fails(&damaged, &["certificate of driver", "certificates/driver.pem"]);
}

#[test]
fn a_certificate_that_names_another() {
    let swapped = folder(TWO, &["server0", "server1"]);
    let at = |file: &str| swapped.path().join("certificates").join(file);
    fs::copy(at("server0.pem"), at("server1.pem")).unwrap();
    let parts = ["does not name server1", "it names [\"server0\"]", "certificates/server1.pem"];
    fails(&swapped, &parts);
}

#[test]
fn one_certificate_for_two_players() {
    let shared = folder(TWO, &["server0", "server1"]);
    // It names both, so only the comparison of fingerprints can tell.
    let pem = two_names("server0", "server1");
    for file in ["server0.pem", "server1.pem"] {
        fs::write(shared.path().join("certificates").join(file), &pem).unwrap();
    }
    let pin = Certificate::from_pem(pem.as_bytes()).unwrap().fingerprint().to_string();
    let error = fails(&shared, &["server1 and server0", "config.json", &pin, "keygen NAME"]);
    assert!(matches!(error, RosterError::SameCertificate { .. }));
}

fn two_names(first: &str, second: &str) -> String {
    let params = rcgen::CertificateParams::new([first.to_owned(), second.to_owned()]).unwrap();
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

#[test]
fn a_driver_with_the_certificate_of_a_player() {
    let pin = Fingerprint::of(b"a");
    let player = Player::new(name("a"), "h:1".parse().unwrap(), pin);
    let error = Roster::new(vec![player], Some(pin)).unwrap_err();
    says(&error, &["a and driver", "(roster in memory)", &pin.to_string()]);
}

#[test]
fn missing_players_are_named_with_what_to_add() {
    let roster = load(&folder(TWO, &["server0", "server1"])).unwrap();
    assert!(roster.require(&[name("server0"), name("server1")]).is_ok());
    let used = ["server0", "server2", "owner", "server2"].map(name);
    let error = roster.require(&used).unwrap_err();
    says(
        &error,
        &[
            "uses server2, owner,",
            "lists only server1, server0:",
            "config.json",
            "add \"server2\": \"host:port\", \"owner\": \"host:port\"",
            "certificates/server2.pem, certificates/owner.pem",
        ],
    );
}

#[test]
fn the_digest_is_of_names_pins_and_order() {
    let player = |who: &str, at: &str, pin: &[u8]| {
        Player::new(name(who), at.parse().unwrap(), Fingerprint::of(pin))
    };
    let digest = |players: &[Player], driver: Option<&[u8]>| {
        Roster::new(players.to_vec(), driver.map(Fingerprint::of)).unwrap().digest()
    };
    let (a, b) = (player("a", "h:1", b"a"), player("b", "h:2", b"b"));
    let reference = digest(&[a.clone(), b.clone()], None);
    assert_eq!(reference, digest(&[player("a", "other:9", b"a"), b.clone()], None));
    assert_ne!(reference, digest(&[b.clone(), a.clone()], None));
    assert_ne!(reference, digest(&[a.clone(), player("b", "h:2", b"c")], None));
    assert_ne!(reference, digest(&[a.clone(), player("c", "h:2", b"b")], None));
    assert_ne!(reference, digest(std::slice::from_ref(&a), None));
    assert_ne!(reference, digest(&[a, b], Some(b"driver")));
}

#[test]
fn a_config_without_a_folder_is_beside_its_certificates() {
    let error = Roster::load(Path::new("no-such-roster.json")).unwrap_err();
    says(&error, &["no roster at no-such-roster.json"]);
}
