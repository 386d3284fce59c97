//! Processes of their own, over QUIC, that are killed and started again: a resumed training ends
//! with the weights of one that was never interrupted.

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::program::{ModelOwner, federated_training, initialize};
use common::{mnist, model_owner, parties, published, setup, within};
use sordino::ops::data::Dataset;
use sordino::players::Identity;
use sordino::prelude::*;
use sordino::runtime::SessionId;

/// Where the driver's process finds the list of players.
const CONFIG: &str = "SORDINO_TEST_CONFIG";

/// How the driver's process begins the line that says which session it runs.
const RUNS: &str = "runs session ";

#[secure_function]
fn publish_weights(g: &Recording<'_>, owner: &ModelOwner) {
    for parameter in owner.model.parameters() {
        let value = read_variable(g, &owner.player, &parameter.name, &parameter.ty());
        publish(&parameter.name, value);
    }
}

/// The players of the federated program, a process each.
struct Processes {
    folder: tempfile::TempDir,
    running: BTreeMap<String, Child>,
}

impl Processes {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let players = setup("ABY3", Fixed::LOW).players;
        // Held until all have one, so that no two get the same.
        let bind = |_: &PlayerName| UdpSocket::bind("127.0.0.1:0").unwrap();
        let sockets: Vec<_> = players.iter().map(bind).collect();
        let entry = |(player, socket): (&PlayerName, &UdpSocket)| {
            format!("{:?}: {:?}", player.as_str(), socket.local_addr().unwrap().to_string())
        };
        let entries: Vec<_> = players.iter().zip(&sockets).map(entry).collect();
        fs::write(folder.path().join("config.json"), format!("{{{}}}", entries.join(", ")))
            .unwrap();
        for name in players.iter().chain(&["driver", "driver-2"].map(common::player)) {
            Identity::generate(name, 1).unwrap().save(folder.path(), false).unwrap();
        }
        drop(sockets);
        let mut processes = Self { folder, running: BTreeMap::new() };
        players.iter().for_each(|player| processes.launch(player.as_str()));
        processes
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// Starts a player, and waits until it listens.
    fn launch(&mut self, name: &str) {
        let log = self.folder.path().join(format!("{name}.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(["player", name, "--until-eof", "--config"]).arg(self.config());
        command.arg("--data").arg(mnist());
        if name == model_owner().as_str() {
            command.arg("--release");
        }
        // The pipe ends with the test, whatever becomes of it.
        command.stdin(Stdio::piped()).stderr(File::create(&log).unwrap());
        self.running.insert(name.to_owned(), command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !fs::read_to_string(&log).unwrap().contains("listens at") {
            assert!(Instant::now() < deadline, "{}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL.
    fn kill(&mut self, name: &str) {
        let mut child = self.running.remove(name).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn model() -> (ModelOwner, Vec<common::program::DataOwner>) {
    parties("logistic_regression", Dataset::LrMnist)
}

/// The bits of the weights.
fn weights(session: &mut Session) -> Vec<u64> {
    let (owner, _) = model();
    let run = session.run(&publish_weights(&owner), 1).unwrap();
    let parameters = owner.model.parameters();
    let all = parameters.iter().flat_map(|p| published(&run, &p.name)[0].to_vec());
    all.map(f64::to_bits).collect()
}

/// A session that keeps checkpoints, over the network.
fn open(config: &Path) -> Session {
    let mut session = Session::remote(setup("ABY3", Fixed::LOW), config).unwrap();
    session.checkpoint_every(7);
    session
}

/// Trains until all is over, which it is when a player is gone.
fn train(session: &mut Session, watch: impl FnMut(Event<'_>)) -> RunError {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    session.run_with(&step, 1_000_000, watch).expect_err("a player was killed")
}

/// A session that goes on, and the steps that were done.
fn resume(config: &Path, id: SessionId) -> (Session, u64) {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let mut session = open(config);
        session.resume(id).unwrap();
        let done = session.steps_of(&step).unwrap();
        match session.prepare(&step) {
            Ok(_) => return (session, done),
            // Some seconds pass before a player knows that a connection leads to a process that is
            // no more.
            Err(RunError::Failed(_)) if Instant::now() < deadline => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Three steps more, and the weights are those of a training in one piece, in one process.
fn ends_as_if_uninterrupted(mut session: Session, done: u64) {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    session.run(&step, 3).unwrap();
    let resumed = weights(&mut session);
    let mut whole = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
    whole.run(&initialize(&owner), 1).unwrap();
    whole.run(&step, done + 3).unwrap();
    assert!(resumed == weights(&mut whole), "other weights after {done} + 3 steps");
}

#[test]
fn each_role_is_killed_and_the_run_goes_on() {
    within(300, || {
        let mut processes = Processes::start();
        let config = processes.config();
        let mut session = open(&config);
        let id = session.id();
        session.run(&initialize(&model().0), 1).unwrap();
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
