use std::fs;

use super::*;

fn seal_of(name: &str) -> Seal {
    Identity::generate(&name.parse().unwrap(), 1).unwrap().seal("tests")
}

fn body(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

#[test]
fn a_file_is_read_as_written_and_shows_its_head_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made/on/the/way.sealed");
    let seal = seal_of("ann");
    for (head, text) in [(&b"head"[..], &b"a body that is secret"[..]), (b"", b"")] {
        seal.write(&path, head, body(text)).unwrap();
        let (read_head, read_body) = seal.read(&path).unwrap();
        assert_eq!((&read_head[..], &read_body[..]), (head, text));
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), PREFIX + head.len() + text.len() + OVERHEAD);
        assert_eq!(&bytes[PREFIX..PREFIX + head.len()], head);
        assert!(text.is_empty() || !bytes.windows(6).any(|part| part == &text[2..8]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "something is left over");
}

#[test]
fn the_same_body_is_sealed_in_another_way_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let seal = seal_of("ann");
    let bytes = || {
        seal.write(&path, b"", body(&[7; 64])).unwrap();
        fs::read(&path).unwrap()
    };
    let (first, second) = (bytes(), bytes());
    assert_ne!(first[PREFIX..PREFIX + 64], second[PREFIX..PREFIX + 64]);
}

#[test]
fn only_the_player_and_the_purpose_open_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let ann = Identity::generate(&"ann".parse().unwrap(), 1).unwrap();
    ann.seal("this").write(&path, b"head", body(b"text")).unwrap();
    assert!(ann.seal("this").read(&path).is_ok());
    for other in [ann.seal("that"), seal_of("ann"), seal_of("bob")] {
        let error = other.read(&path).unwrap_err();
        assert!(matches!(error, SealError::Broken { .. }), "{error}");
        assert!(error.to_string().contains("another key"), "{error}");
    }
}

#[test]
fn every_altered_bit_and_every_cut_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let seal = seal_of("ann");
    seal.write(&path, b"head", body(b"text")).unwrap();
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        let error = seal.read(&path).unwrap_err().to_string();
        assert!(error.contains(&path.display().to_string()), "{error}");
        fs::write(&path, &good[..at]).unwrap();
        assert!(matches!(seal.read(&path), Err(SealError::Malformed { .. })), "cut at {at}");
    }
    fs::write(&path, [&good[..], &[0]].concat()).unwrap();
    assert!(matches!(seal.read(&path), Err(SealError::Malformed { .. })), "a byte too many");
    fs::write(&path, &good).unwrap();
    assert!(seal.read(&path).is_ok());
}

#[test]
fn bytes_that_are_no_sealed_file() {
    let head = |version: u32, head: u32, body: u64| {
        let lengths = [&head.to_le_bytes()[..], &body.to_le_bytes()].concat();
        [&b"SORDINO\0"[..], &version.to_le_bytes(), &lengths].concat()
    };
    let least = OVERHEAD as u64;
    let cases: &[(Vec<u8>, &str)] = &[
        (b"".to_vec(), "no sealed file"),
        (b"{\"json\": 1} and more than 24 bytes".to_vec(), "no sealed file"),
        (head(0, 0, least), "no sealed file"),
        (head(2, 0, least), "newer"),
        (head(1, 0, least), "has 24 bytes, not the 52"),
        (head(1, 0, least)[..20].to_vec(), "has 20 bytes, not the 24"),
        (head(1, u32::MAX, least), "larger than any"),
        (head(1, 0, u64::MAX), "larger than any"),
        (head(1, 0, 1), "larger than any"),
    ];
    for (bytes, expected) in cases {
        let error = split(bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error:?} does not say {expected:?}");
    }
}

#[test]
fn what_a_crash_left_is_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let seal = seal_of("ann");
    let (kept, left) = (folder.path().join("kept"), folder.path().join(".new-abc"));
    seal.write(&kept, b"", body(b"x")).unwrap();
    fs::write(&left, b"half").unwrap();
    remove_incomplete(folder.path());
    assert!(kept.exists() && !left.exists());
    remove_incomplete(&folder.path().join("none"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    let path = folder.path().join("file/below");
    let error = seal_of("ann").write(&path, b"", body(b"")).unwrap_err();
    assert!(matches!(error, SealError::Unwritable { .. }), "{error}");
}
