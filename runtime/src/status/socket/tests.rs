//! A status by its socket, and what is said when there is none.

use std::os::unix::net::UnixListener as Plain;

use super::*;
use crate::status::Expiry;

fn status() -> Status {
    Status {
        player: "ann".into(),
        version: "1".into(),
        process: 7,
        address: "127.0.0.1:1".into(),
        seconds: 5,
        stopping: false,
        peak_memory: 0,
        certificate: Expiry { fingerprint: "x".into(), valid_until: None, days_left: None },
        sessions: Vec::new(),
        peers: Vec::new(),
    }
}

/// Asks from another thread while the event loop answers.
fn asked(folder: &Path) -> Result<Status, StatusError> {
    let event_loop = crate::remote::event_loop().unwrap();
    event_loop.block_on(async {
        let listener = Listener::open(folder).unwrap();
        let own = folder.to_owned();
        let asking = tokio::task::spawn_blocking(move || ask(&own));
        tokio::select! {
            () = answer(&listener, status) => unreachable!("it answers without end"),
            found = asking => found.unwrap(),
        }
    })
}

#[test]
fn who_asks_gets_the_status_and_the_socket_goes_with_the_player() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state/ann");
    assert_eq!(asked(&state).unwrap(), status());
    // Once more, and nothing is left.
    assert_eq!(asked(&state).unwrap(), status());
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
}

#[test]
fn the_socket_is_the_users_alone() {
    let folder = tempfile::tempdir().unwrap();
    let event_loop = crate::remote::event_loop().unwrap();
    event_loop.block_on(async {
        let listener = Listener::open(folder.path()).unwrap();
        let mode = fs::metadata(&listener.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let entries = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(entries.collect::<Vec<_>>(), [NAME]);
    });
}

#[test]
fn what_a_killed_process_has_left_is_told_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let missing = ask(folder.path()).unwrap_err();
    assert!(matches!(missing, StatusError::NotStarted { .. }), "{missing}");
    drop(Plain::bind(folder.path().join(NAME)).unwrap());
    let left = ask(folder.path()).unwrap_err();
    assert!(matches!(left, StatusError::NotRunning { .. }), "{left}");
    assert_eq!(asked(folder.path()).unwrap(), status());
}

#[test]
fn who_answers_something_else_is_no_player() {
    let folder = tempfile::tempdir().unwrap();
    let socket = Plain::bind(folder.path().join(NAME)).unwrap();
    let answers = std::thread::spawn(move || drop(socket.accept().unwrap()));
    let other = ask(folder.path()).unwrap_err();
    answers.join().unwrap();
    assert!(matches!(other, StatusError::Illegible { .. }), "{other}");
}

#[test]
fn who_does_not_answer_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let _socket = Plain::bind(folder.path().join(NAME)).unwrap();
    let silent = ask_for(folder.path(), Duration::from_millis(20)).unwrap_err();
    assert!(matches!(silent, StatusError::Silent { .. }), "{silent}");
}
