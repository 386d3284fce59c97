//! A player as a service: it is told to stop, asked for its status, and writes its log for programs.

mod common;

use common::processes::{Processes, begin, ends_as_if_uninterrupted, model, open, resume, train};
use std::process::{Command, Output};

use common::program::{federated_training, initialize};
use common::{setup, within};
use sordino::prelude::*;
use sordino::runtime::Status;
use sordino::runtime::status::SessionState;

/// How a run of many steps ends in which a player is told to stop when 20 are done.
fn stopped(session: &mut Session, processes: &Processes, name: &str) -> (bool, u64) {
    let mut furthest = 0;
    let mut told = false;
    let error = train(session, |event| {
        if let Event::Progress { done } = event {
            furthest = done;
            if done >= 20 && !std::mem::replace(&mut told, true) {
                processes.tell_to_stop(name);
            }
        }
    });
    let RunError::Stopped { player, session: of, kept } = &error else { panic!("{error}") };
    assert_eq!((player.as_str(), *of), (name, session.id()));
    (*kept, furthest)
}

#[test]
fn who_is_told_to_stop_ends_with_the_step_that_is_under_way() {
    within(300, || {
        let (mut processes, mut session) = begin();
        let (config, id) = (processes.config(), session.id());
        let mut before = 0;
        for name in ["server0", "model-owner", "server2", "train-data-owner-1"] {
            let (kept, steps) = stopped(&mut session, &processes, name);
            assert!(kept && steps >= 20, "{name}");
            processes.ends(name);
            drop(session);
            processes.launch(name);
            let done;
            (session, done) = resume(&config, id);
            assert_eq!(done, before + steps, "{name}: every step that was done is kept");
            before = done;
        }
        ends_as_if_uninterrupted(session, before);
    });
}

#[test]
fn a_session_that_keeps_nothing_ends_with_a_step_and_an_error() {
    within(300, || {
        let (mut processes, mut session) = begin();
        session.checkpoint_every(0);
        let (kept, steps) = stopped(&mut session, &processes, "server1");
        assert!(!kept && steps >= 20, "{steps}");
        processes.ends("server1");
        // The others go on, and nothing of the session is left with them.
        processes.says("server0", "failed: server1: ");
        processes.says("server0", "was told to stop");
        processes.launch("server1");
        let (owner, _) = model();
        open(&processes.config()).run(&initialize(&owner), 1).unwrap();
    });
}

#[test]
fn who_is_told_to_stop_between_requests_ends_at_once_and_all_is_kept() {
    within(300, || {
        let mut processes = Processes::start();
        processes.kill("server0");
        // Longer than the test may take.
        processes.launch_with("server0", &["--stop-within", "1000"]);
        let config = processes.config();
        let mut session = open(&config);
        let (owner, data_owners) = model();
        let step = federated_training(&owner, &data_owners);
        session.run(&initialize(&owner), 1).unwrap();
        session.run(&step, 2).unwrap();
        processes.tell_to_stop("server0");
        processes.ends("server0");
        let id = session.id();
        let error = session.run(&step, 1).unwrap_err();
        let RunError::Stopped { player, session: of, kept } = &error else { panic!("{error}") };
        assert_eq!((player.as_str(), *of, *kept), ("server0", id, true));
        drop(session);
        processes.launch("server0");
        let (session, done) = resume(&config, id);
        assert_eq!(done, 2);
        ends_as_if_uninterrupted(session, done);
    });
}

#[test]
fn who_is_told_twice_stops_at_once() {
    within(300, || {
        let mut processes = Processes::start();
        let (owner, data_owners) = model();
        let initialize = initialize(&owner);
        let [driver, other] = ["driver", "driver-2"].map(common::player);
        let open = |driver: &PlayerName| {
            Session::remote_as(driver, setup("ABY3", Fixed::LOW), &processes.config()).unwrap()
        };
        let mut session = open(&driver);
        session.run(&initialize, 1).unwrap();
        let mut told = false;
        let step = federated_training(&owner, &data_owners);
        let ended = session.run_with(&step, 1_000_000, |_| {
            if !std::mem::replace(&mut told, true) {
                // Its driver sees to this, and so not to the end of the session.
                processes.tell_to_stop("server0");
                processes.says("server0", "sessions to end first, within 20 s: 1");
                let refused = open(&other).run(&initialize, 1).unwrap_err().to_string();
                assert!(refused.starts_with("server0: was told to stop"), "{refused}");
                processes.tell_to_stop("server0");
                processes.says("server0", "told to stop again");
            }
        });
        assert!(ended.is_err());
        processes.ends("server0");
        // One that has nothing to finish ends at once.
        drop(session);
        processes.says("server1", " failed: server0: ");
        processes.tell_to_stop("server1");
        processes.ends("server1");
    });
}

fn ask(processes: &Processes, name: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
    command.args(["status", name, "--config"]).arg(processes.config()).args(arguments);
    command.output().unwrap()
}

fn status(processes: &Processes, name: &str) -> Status {
    let output = ask(processes, name, &["--json"]);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn no_status(processes: &Processes, name: &str) -> String {
    let output = ask(processes, name, &[]);
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_running_player_says_what_it_does() {
    within(300, || {
        let (mut processes, mut session) = begin();
        let (owner, data_owners) = model();
        session.run(&federated_training(&owner, &data_owners), 8).unwrap();
        let found = status(&processes, "server2");
        assert_eq!(found.player, "server2");
        assert!(!found.stopping && found.peak_memory > 1 << 20, "{found:?}");
        // Made for a day, within this second or before.
        let a_day = |left: Option<i64>| matches!(left, Some(0 | 1));
        assert!(a_day(found.certificate.days_left), "{found:?}");
        let [of] = &found.sessions[..] else { panic!("{found:?}") };
        assert_eq!(
            (of.session.as_str(), of.driver.as_str()),
            (&*session.id().to_string(), "driver")
        );
        // The initialization is a step as well.
        assert_eq!((of.state, of.checkpoint), (SessionState::Idle, Some(1)));
        let steps: Vec<_> = of.plans.iter().map(|plan| (&*plan.function, plan.done)).collect();
        assert_eq!(steps, [("initialize", 1), ("federated_training", 8)]);
        for peer in &found.peers {
            // Server2 takes from data owners and hands to the model owner.
            let linked = peer.player.contains("owner") || peer.player == "driver";
            assert_eq!(peer.connected.is_some(), linked, "{peer:?}");
            assert_eq!(peer.bytes_sent > 0 && peer.bytes_received > 0, linked, "{peer:?}");
            assert!(a_day(peer.certificate.days_left), "{peer:?}");
        }
        assert_eq!(found.peers.len(), 8);
        let shown = String::from_utf8(ask(&processes, "server2", &[]).stdout).unwrap();
        assert!(shown.contains("server2 listens at 127.0.0.1:"), "{shown}");
        assert!(shown.contains(&session.id().to_string()), "{shown}");

        let error = no_status(&processes, "server9");
        assert!(error.contains("no player has been started with this folder"), "{error}");
        processes.kill("server1");
        let error = no_status(&processes, "server1");
        assert!(error.contains("the player does not run"), "{error}");
        drop(session);
        processes.says("server2", " closed");
        processes.tell_to_stop("server2");
        processes.ends("server2");
        assert!(no_status(&processes, "server2").contains("no player has been started"));
    });
}

#[test]
fn a_log_for_programs_has_an_object_a_line() {
    within(300, || {
        let mut processes = Processes::start();
        processes.tell_to_stop("server0");
        processes.ends("server0");
        processes.launch_with("server0", &["--log-format", "json"]);
        let (owner, _) = model();
        let mut session = open(&processes.config());
        session.run(&initialize(&owner), 1).unwrap();
        let id = session.id().to_string();
        drop(session);
        processes.says("server0", "session_closed");
        processes.tell_to_stop("server0");
        processes.ends("server0");
        let log = processes.log("server0");
        let mut events = Vec::new();
        for line in log.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            for field in ["time", "level", "event", "message"] {
                assert!(line[field].is_string(), "{line} has no {field}");
            }
            assert_eq!(line["player"], "server0", "{line}");
            let event = line["event"].as_str().unwrap().to_owned();
            if event.starts_with("session") {
                assert_eq!(line["session"], id.as_str(), "{line}");
            }
            events.push(event);
        }
        events.retain(|event| event != "peer_lost");
        assert_eq!(events, ["listens", "session_opened", "session_closed", "stopping"]);
    });
}
