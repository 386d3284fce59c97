//! Processes of their own, over QUIC, that are killed and started again: a resumed training ends
//! with the weights of one that was never interrupted.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::processes::{
    Processes, begin, ends_as_if_uninterrupted, model, open, resume, train, weights,
};
use common::program::{federated_training, initialize};
use common::{mnist, setup, within};
use sordino::prelude::*;

/// Where the driver's process finds the list of players.
const CONFIG: &str = "SORDINO_TEST_CONFIG";

/// How the driver's process begins the line that says which session it runs.
const RUNS: &str = "runs session ";

#[test]
fn each_role_is_killed_and_the_run_goes_on() {
    within(300, || {
        let (mut processes, mut session) = begin();
        let (config, id) = (processes.config(), session.id());
        let mut before = 0;
        for victim in ["server0", "model-owner", "server2", "train-data-owner-1", "server1"] {
            let mut alive = true;
            let error = train(&mut session, |event| {
                // Some checkpoints later than it went on.
                if let (Event::Progress { done: 20.. }, true) = (event, alive) {
                    processes.kill(victim);
                    alive = false;
                }
            });
            assert!(error.to_string().contains(victim), "{victim} was killed: {error}");
            drop(session);
            processes.launch(victim);
            let done;
            (session, done) = resume(&config, id);
            // Two checkpoints, of which the very first counts the initialisation as a step.
            assert!(done >= before + 13, "{victim}: {done} steps, and {before} before");
            before = done;
        }
        ends_as_if_uninterrupted(session, before);
    });
}

#[test]
fn the_driver_is_killed_and_another_one_goes_on() {
    within(300, || {
        let processes = Processes::start();
        let config = processes.config();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "as_the_driver", "--ignored", "--nocapture"]);
        command.env(CONFIG, &config).stdout(Stdio::piped());
        let mut driver = command.spawn().unwrap();
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let mut runs = lines.map_while(Result::ok);
        let id = runs.find_map(|line| line.strip_prefix(RUNS)?.parse().ok()).unwrap();
        runs.find(|line| line.contains("has trained")).unwrap();
        driver.kill().unwrap();
        driver.wait().unwrap();
        let (session, done) = resume(&config, id);
        assert!(done >= 13, "{done}");
        ends_as_if_uninterrupted(session, done);
    });
}

#[test]
fn drivers_run_sessions_of_their_own_at_once() {
    within(300, || {
        let processes = Processes::start();
        let (owner, data_owners) = model();
        let step = federated_training(&owner, &data_owners);
        let setup = setup("ABY3", Fixed::LOW);
        let drivers = ["driver", "driver-2"].map(common::player);
        let begin = |driver: &PlayerName| {
            let mut session =
                Session::remote_as(driver, setup.clone(), &processes.config()).unwrap();
            session.run(&initialize(&owner), 1).unwrap();
            session
        };
        let [mut first, mut second] = drivers.each_ref().map(begin);
        // Each while the other one runs; the second ends and the first goes on.
        let both = (&mut first, &mut second);
        std::thread::scope(|scope| {
            let (first, second) = both;
            let run = |session: &mut Session, steps| {
                let (owner, data_owners) = model();
                session.run(&federated_training(&owner, &data_owners), steps).unwrap();
            };
            scope.spawn(move || run(first, 40));
            scope.spawn(move || run(second, 10));
        });
        let seconds = weights(&mut second);
        drop(second);
        first.run(&step, 5).unwrap();
        for (of, steps, seen) in [("first", 45, weights(&mut first)), ("second", 10, seconds)] {
            let mut alone = Session::local(setup.clone(), mnist(), None).unwrap();
            alone.run(&initialize(&owner), 1).unwrap();
            alone.run(&step, steps).unwrap();
            assert!(seen == weights(&mut alone), "the {of} driver's weights after {steps} steps");
        }
        // One driver's runs are not another's to resume.
        let mut keeps = begin(&drivers[0]);
        keeps.checkpoint(|event| panic!("{event:?}")).unwrap();
        let mut other =
            Session::remote_as(&drivers[1], setup.clone(), &processes.config()).unwrap();
        let refused = other.resume(keeps.id()).unwrap_err().to_string();
        assert!(refused.contains("server0 has none"), "{refused}");
        other = Session::remote_as(&drivers[0], setup.clone(), &processes.config()).unwrap();
        other.resume(keeps.id()).unwrap();
    });
}

/// The process that `the_driver_is_killed` kills: it trains without end.
#[test]
#[ignore = "a process of another test"]
#[allow(clippy::print_stdout, reason = "what the other process reads")]
fn as_the_driver() {
    let Some(config) = std::env::var_os(CONFIG) else { return };
    let mut session = open(config.as_ref());
    session.run(&initialize(&model().0), 1).unwrap();
    println!("\n{RUNS}{}", session.id());
    train(&mut session, |event| {
        if let Event::Progress { done: 20.. } = event {
            println!("has trained");
        }
    });
}
