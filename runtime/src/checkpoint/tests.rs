use sordino_graph::{Element, Fixed, Shape, Type};
use sordino_ops::Tensor;

use super::*;

const SESSION: SessionId = SessionId([7; 16]);

fn name(name: &str) -> PlayerName {
    name.parse().unwrap()
}

/// A folder with the checkpoints of ann, among ann and bob.
struct Kept {
    state: tempfile::TempDir,
    identity: Identity,
    certificates: BTreeMap<PlayerName, Fingerprint>,
}

impl Kept {
    fn new() -> Self {
        let identity = Identity::generate(&name("ann"), 1).unwrap();
        let pins = [("ann", 1), ("bob", 2), ("driver", 3)];
        let pin = |n: u8| format!("{n:02x}").repeat(32).parse().unwrap();
        let certificates = pins.map(|(player, n)| (name(player), pin(n))).into();
        Self { state: tempfile::tempdir().unwrap(), identity, certificates }
    }

    fn open(&self) -> Checkpoints {
        Checkpoints::among(self.state.path(), &self.identity, self.certificates.clone())
    }

    fn save(&self, number: u64, keep: u64) {
        self.open().save(&self.header(number), &variables(number), keep).unwrap();
    }

    fn header(&self, number: u64) -> Header {
        let names = ["ann", "bob", "driver"].map(name);
        Header {
            player: "ann".to_owned(),
            driver: "driver".to_owned(),
            session: SESSION,
            number,
            writer: SESSION,
            setup: [4; 32],
            certificates: self.open().certificates_of(&names),
            steps: [([5; 32], 10 * number)].into(),
        }
    }

    fn load(&self, number: u64) -> Result<(Header, Variables), CheckpointError> {
        self.open().load(&name("ann"), "driver", SESSION, number)
    }

    fn held(&self) -> (Vec<u64>, Vec<String>) {
        let held = self.open().held(&name("ann"), "driver", SESSION).unwrap();
        let numbers = held.headers.iter().map(|header| header.number).collect();
        (numbers, held.unusable.iter().map(ToString::to_string).collect())
    }

    fn file(&self, number: u64) -> PathBuf {
        self.open().path("driver", SESSION, number)
    }
}

fn variables(number: u64) -> Variables {
    let shape = Shape::new(&[2, 3]).unwrap();
    let mut shares = Tensor::zeros(&Type::share(Fixed::HIGH, shape.clone()));
    shares.as_bytes_mut().fill(9);
    let weights = Tensor::f32(&shape, vec![number as f32; 6]);
    let label = Tensor::zeros(&Type::plain(Element::I32, Shape::scalar()));
    [("dense/weights", weights), ("secret/x/0", shares), ("", label)]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

#[test]
fn the_last_common_one_and_the_newest_are_kept() {
    let kept = Kept::new();
    assert_eq!(kept.held(), (vec![], vec![]));
    for (number, keep, there) in
        [(1, 0, vec![1]), (2, 1, vec![1, 2]), (3, 1, vec![1, 3]), (4, 3, vec![3, 4])]
    {
        kept.save(number, keep);
        assert_eq!(kept.held(), (there, vec![]));
    }
    let (header, read) = kept.load(4).unwrap();
    assert_eq!((header, read), (kept.header(4), variables(4)));
}

#[test]
fn a_damaged_checkpoint_leaves_the_one_before() {
    let kept = Kept::new();
    kept.save(1, 0);
    kept.save(2, 1);
    let good = fs::read(kept.file(2)).unwrap();
    let mut altered = good.clone();
    *altered.last_mut().unwrap() ^= 1;
    let mut newer = good.clone();
    newer[8] = 2;
    let cases: [(&[u8], &str); 4] = [
        (&good[..good.len() - 1], "bytes, not the"),
        (&altered, "was altered"),
        (b"something else", "no sealed file"),
        (&newer, "newer Sordino"),
    ];
    for (bytes, expected) in cases {
        fs::write(kept.file(2), bytes).unwrap();
        let (numbers, problems) = kept.held();
        assert_eq!((numbers, problems.len()), (vec![1], 1));
        assert!(problems[0].contains(expected), "{problems:?}");
        assert!(problems[0].contains(&kept.file(2).display().to_string()), "{problems:?}");
    }
}

#[test]
fn a_checkpoint_counts_in_its_own_place_alone() {
    let kept = Kept::new();
    kept.save(1, 0);
    fs::copy(kept.file(1), kept.file(2)).unwrap();
    let other = kept.open().path("driver", SessionId([8; 16]), 1);
    fs::copy(kept.file(1), &other).unwrap();
    fs::create_dir(kept.state.path().join("driver-2")).unwrap();
    fs::copy(kept.file(1), kept.open().path("driver-2", SESSION, 1)).unwrap();
    let load = |me: &str, driver: &str, session, number| {
        kept.open().load(&name(me), driver, session, number).map(drop)
    };
    assert!(load("ann", "driver", SESSION, 1).is_ok());
    for (me, driver, session, number) in [
        ("ann", "driver", SESSION, 2),
        ("ann", "driver", SessionId([8; 16]), 1),
        ("ann", "driver-2", SESSION, 1),
        ("bob", "driver", SESSION, 1),
    ] {
        let error = load(me, driver, session, number).unwrap_err();
        assert!(matches!(error, CheckpointError::Misplaced { .. }), "{error}");
    }
    // Nor is it anything with another key.
    let other = Identity::generate(&name("ann"), 1).unwrap();
    let other = Checkpoints::among(kept.state.path(), &other, kept.certificates.clone());
    let error = other.load(&name("ann"), "driver", SESSION, 1).unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");
}

#[test]
fn a_checkpoint_is_for_the_same_players_and_driver() {
    let mut kept = Kept::new();
    kept.save(1, 0);
    let other = "99".repeat(32).parse().unwrap();
    for stranger in ["bob", "driver"] {
        let before = kept.certificates.insert(name(stranger), other).unwrap();
        let error = kept.load(1).unwrap_err().to_string();
        assert!(error.contains(&format!("when {stranger} had another certificate")), "{error}");
        kept.certificates.remove(&name(stranger));
        assert!(matches!(kept.load(1), Err(CheckpointError::Stranger { .. })));
        kept.certificates.insert(name(stranger), before);
    }
    // Who had no part in it may come and go.
    kept.certificates.insert(name("carol"), other);
    assert!(kept.load(1).is_ok());
}

#[test]
fn what_a_crash_left_half_written_is_removed() {
    let kept = Kept::new();
    kept.save(1, 0);
    let half = kept.file(1).with_file_name(".new-a1b2c3");
    fs::write(&half, b"half").unwrap();
    assert_eq!(kept.held(), (vec![1], vec![]));
    assert!(!half.exists());
}

#[test]
fn a_driver_fills_no_disk_with_sessions() {
    let kept = Kept::new();
    let store = kept.open();
    let session = |i: usize| SessionId((i as u128).to_be_bytes());
    for i in 0..MOST_SESSIONS + 2 {
        let header = Header { session: session(i), ..kept.header(1) };
        store.save(&header, &Variables::new(), 0).unwrap();
    }
    let files = store.all("driver").unwrap();
    assert_eq!(files.len(), MOST_SESSIONS);
    let newest = session(MOST_SESSIONS + 1).to_string();
    assert!(files.iter().any(|(of, ..)| *of == newest));
}
