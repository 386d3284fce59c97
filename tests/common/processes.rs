//! The federated program with a process a player, over QUIC.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sordino::ops::data::Dataset;
use sordino::players::Identity;
use sordino::prelude::*;
use sordino::runtime::SessionId;

use super::program::{ModelOwner, federated_training, initialize};
use super::{free_port, mnist, model_owner, parties, published, setup};

#[secure_function]
fn publish_weights(g: &Recording<'_>, owner: &ModelOwner) {
    for parameter in owner.model.parameters() {
        let value = read_variable(g, &owner.player, &parameter.name, &parameter.ty());
        publish(&parameter.name, value);
    }
}

/// The players of the federated program, a process each.
pub struct Processes {
    folder: tempfile::TempDir,
    running: BTreeMap<String, Child>,
}

impl Processes {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let players = setup("ABY3", Fixed::LOW).players;
        // Held until all have one, so that no two get the same.
        let sockets: Vec<_> = players.iter().map(|_| free_port()).collect();
        let entry = |(player, socket): (&PlayerName, &UdpSocket)| {
            format!("{:?}: {:?}", player.as_str(), socket.local_addr().unwrap().to_string())
        };
        let entries: Vec<_> = players.iter().zip(&sockets).map(entry).collect();
        fs::write(folder.path().join("config.json"), format!("{{{}}}", entries.join(", ")))
            .unwrap();
        for name in players.iter().chain(&["driver", "driver-2"].map(super::player)) {
            Identity::generate(name, 1).unwrap().save(folder.path(), false).unwrap();
        }
        drop(sockets);
        let mut processes = Self { folder, running: BTreeMap::new() };
        players.iter().for_each(|player| processes.launch(player.as_str()));
        processes
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config.json")
    }

    /// Starts a player, and waits until it listens.
    pub fn launch(&mut self, name: &str) {
        self.launch_with(name, &[]);
    }

    /// As `launch`, with more arguments.
    pub fn launch_with(&mut self, name: &str, arguments: &[&str]) {
        let log = self.log_file(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(["player", name, "--until-eof", "--config"]).arg(self.config());
        command.arg("--data").arg(mnist()).args(arguments);
        if name == model_owner().as_str() {
            command.arg("--release");
        }
        // The pipe ends with the test, whatever becomes of it.
        command.stdin(Stdio::piped()).stderr(File::create(&log).unwrap());
        self.running.insert(name.to_owned(), command.spawn().unwrap());
        self.says(name, "listens at");
    }

    /// Waits until a player's log says this.
    pub fn says(&self, name: &str, what: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.log(name).contains(what) {
            assert!(Instant::now() < deadline, "{}", self.log(name));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log_file(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    pub fn log(&self, name: &str) -> String {
        fs::read_to_string(self.log_file(name)).unwrap()
    }

    /// SIGTERM.
    pub fn tell_to_stop(&self, name: &str) {
        let id = self.running[name].id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// Waits until a player's process has ended, well, and forgets it.
    pub fn ends(&mut self, name: &str) {
        let status = self.running.remove(name).unwrap().wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log(name));
    }

    /// SIGKILL.
    pub fn kill(&mut self, name: &str) {
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

pub fn model() -> (ModelOwner, Vec<super::program::DataOwner>) {
    parties("logistic_regression", Dataset::LrMnist)
}

/// The bits of the weights.
pub fn weights(session: &mut Session) -> Vec<u64> {
    let (owner, _) = model();
    let run = session.run(&publish_weights(&owner), 1).unwrap();
    let parameters = owner.model.parameters();
    let all = parameters.iter().flat_map(|p| published(&run, &p.name)[0].to_vec());
    all.map(f64::to_bits).collect()
}

/// A session that keeps checkpoints, over the network.
pub fn open(config: &Path) -> Session {
    let mut session = Session::remote(setup("ABY3", Fixed::LOW), config).unwrap();
    session.checkpoint_every(7);
    session
}

/// Players, and a session in which the weights are there.
pub fn begin() -> (Processes, Session) {
    let processes = Processes::start();
    let mut session = open(&processes.config());
    session.run(&initialize(&model().0), 1).unwrap();
    (processes, session)
}

/// Trains until all is over, which it is when a player is gone.
pub fn train(session: &mut Session, watch: impl FnMut(Event<'_>)) -> RunError {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    session.run_with(&step, 1_000_000, watch).expect_err("a player was killed")
}

/// A session that goes on, and the steps that were done.
pub fn resume(config: &Path, id: SessionId) -> (Session, u64) {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    let mut session = open(config);
    session.resume(id).unwrap();
    let done = session.steps_of(&step).unwrap();
    session.prepare(&step).unwrap();
    (session, done)
}

/// Three steps more, and the weights are those of a training in one piece, in one process.
pub fn ends_as_if_uninterrupted(mut session: Session, done: u64) {
    let (owner, data_owners) = model();
    let step = federated_training(&owner, &data_owners);
    session.run(&step, 3).unwrap();
    let resumed = weights(&mut session);
    let mut whole = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
    whole.run(&initialize(&owner), 1).unwrap();
    whole.run(&step, done + 3).unwrap();
    assert!(resumed == weights(&mut whole), "other weights after {done} + 3 steps");
}
