//! Seven players as processes of their own and a driver, each with a list of players that names the
//! relay's ports in the place of the others'.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sordino::players::Identity;
use sordino::prelude::{Fixed, PlayerName};
use tempfile::TempDir;

use crate::common::{free_port, mnist, setup};
use crate::driver;
use crate::relay::{Relay, Weather};

/// Who has failed says so in less: a player waits 60 s for another, and the driver 15 s longer.
pub const DEADLINE: Duration = Duration::from_secs(90);

pub const DRIVER: &str = "driver";

/// See the [module](self).
pub struct Stage {
    pub relay: Relay,
    pub players: Vec<Process>,
    folder: TempDir,
    pub model: &'static str,
}

/// A player's process. It is killed when it is dropped.
pub struct Process {
    pub name: String,
    child: Child,
    folder: PathBuf,
}

/// How a driver ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With these weights: their digest.
    Trained(String),
    /// With an error.
    Failed(String),
    /// It was killed.
    Killed,
}

impl Stage {
    /// Starts the players.
    pub fn new(model: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut names: Vec<String> =
            setup("ABY3", Fixed::LOW).players.iter().map(ToString::to_string).collect();
        // In the order in which the list of players has them: a JSON map is sorted.
        names.sort_unstable();
        let sockets: Vec<_> = names.iter().map(|_| free_port()).collect();
        let ports: Vec<_> =
            sockets.iter().map(|s| s.local_addr().expect("an address").port()).collect();
        let mut relay = Relay::new();
        let parties: Vec<&str> = names.iter().map(String::as_str).chain([DRIVER]).collect();
        for (place, &party) in parties.iter().enumerate() {
            let entry = |(other, name): (usize, &String)| {
                // The one that is listed first dials, and the driver dials all.
                let dials = party == DRIVER || other > place;
                let port = if dials { relay.open(party, name, ports[other]) } else { ports[other] };
                (name.clone(), format!("127.0.0.1:{port}").into())
            };
            let roster: serde_json::Map<String, serde_json::Value> =
                names.iter().enumerate().map(entry).collect();
            let own = folder.path().join(party);
            fs::create_dir_all(&own).expect("a folder");
            let text = serde_json::to_string(&roster).expect("JSON");
            fs::write(own.join("config.json"), text).expect("a file");
        }
        for party in &parties {
            let own = folder.path().join(party);
            let name: PlayerName = party.parse().expect("a legal name");
            Identity::generate(&name, 1).and_then(|id| id.save(&own, false)).expect("an identity");
        }
        share_certificates(folder.path(), &parties);
        drop(sockets);
        let start = |name: &String| Process::start(name, folder.path().join(name));
        let players: Vec<_> = names.iter().map(start).collect();
        let stage = Self { relay, players, folder, model };
        stage.wait_for("listens at");
        stage
    }

    pub fn player(&mut self, name: &str) -> &mut Process {
        let found = self.players.iter_mut().find(|process| process.name == name);
        found.unwrap_or_else(|| panic!("no player {name}"))
    }

    /// Starts a driver: of a new run, or one that goes on with a session.
    pub fn drive(&self, resume: Option<&str>) -> Driver {
        self.start_driver(resume, None, None)
    }

    /// As [`drive`](Self::drive), of a run for which so many data owners are enough.
    pub fn drive_rounds(&self, min_owners: usize, resume: Option<&str>) -> Driver {
        self.start_driver(resume, Some(min_owners), None)
    }

    /// As [`drive_rounds`](Self::drive_rounds), of a run that counts who takes part, until it is
    /// [enough](Self::say_enough).
    pub fn drive_counting(&self, min_owners: usize, resume: Option<&str>) -> Driver {
        self.start_driver(resume, Some(min_owners), Some(self.enough()))
    }

    fn enough(&self) -> PathBuf {
        self.folder.path().join("enough")
    }

    /// A run that counts may end.
    pub fn say_enough(&self) {
        File::create(self.enough()).expect("a file");
    }

    fn start_driver(
        &self,
        resume: Option<&str>,
        min_owners: Option<usize>,
        enough: Option<PathBuf>,
    ) -> Driver {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["driver", "--exact", "--ignored", "--nocapture"]);
        command.env(driver::CONFIG, self.folder.path().join(DRIVER).join("config.json"));
        command.env(driver::MODEL, self.model).env(driver::RESUME, resume.unwrap_or_default());
        if let Some(min_owners) = min_owners {
            command.env(driver::OWNERS, min_owners.to_string());
        }
        if let Some(enough) = enough {
            command.env(driver::ENOUGH, enough);
        }
        let output = self.folder.path().join("output");
        let file = File::create(&output).expect("a file");
        let child = command.stdout(file).stderr(Stdio::null()).spawn().expect("a driver");
        Driver { child, output, start: Instant::now() }
    }

    /// Whether every session that a player was in has ended there.
    pub fn is_idle(&self) -> bool {
        self.players.iter().all(|player| {
            let log = player.log();
            let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
            let ended = count(" closed") + count(" failed: ");
            count(" opened by ") <= ended
        })
    }

    /// Starts a player that is not among the processes.
    pub fn start(&mut self, name: &str) {
        self.players.push(Process::start(name, self.folder.path().join(name)));
        self.wait_for("listens at");
    }

    fn wait_for(&self, line: &str) {
        let end = Instant::now() + DEADLINE;
        for player in &self.players {
            while !player.log().contains(line) {
                assert!(Instant::now() < end, "{} is not up: {}", player.name, player.log());
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Starts anew who has died, wakes who was stopped, and clears the weather.
    pub fn heal(&mut self) {
        self.relay.set(None, Weather::default());
        self.relay.release();
        self.players.iter_mut().for_each(Process::restore);
        self.wait_for("listens at");
    }

    /// As [`heal`](Self::heal), of one player and the ways to and from it.
    pub fn restore(&mut self, name: &str) {
        self.relay.set(Some(name), Weather::default());
        self.player(name).restore();
    }
}

fn share_certificates(folder: &Path, parties: &[&str]) {
    for from in parties {
        for to in parties.iter().filter(|to| *to != from) {
            let file = format!("certificates/{from}.pem");
            fs::copy(folder.join(from).join(&file), folder.join(to).join(&file)).expect("a copy");
        }
    }
}

impl Process {
    fn start(name: &str, folder: PathBuf) -> Self {
        let log = File::create(folder.join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(["player", name, "--until-eof", "--config"]).arg(folder.join("config.json"));
        command.arg("--data").arg(mnist());
        if name == "model-owner" {
            command.arg("--release");
        }
        let child = command.stdin(Stdio::piped()).stderr(log).spawn().expect("a player");
        Self { name: name.to_owned(), child, folder }
    }

    /// Its log, since it was last started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn restore(&mut self) {
        self.signal("-CONT");
        if !self.lives() {
            *self = Self::start(&self.name, self.folder.clone());
        }
    }

    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends it a signal: `-STOP`, `-CONT`.
    pub fn signal(&self, signal: &str) {
        send(signal, &self.child);
    }
}

fn send(signal: &str, to: &Child) {
    let id = to.id().to_string();
    // It may have ended.
    let _ = Command::new("kill").args([signal, &id]).stderr(Stdio::null()).status();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A driver's process.
pub struct Driver {
    child: Child,
    output: PathBuf,
    start: Instant,
}

impl Driver {
    pub fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// As [`Process::signal`].
    pub fn signal(&self, signal: &str) {
        send(signal, &self.child);
    }

    pub fn is_done(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// How it ended and after how many seconds; an error if it has not ended by the deadline.
    pub fn outcome(&mut self) -> Result<(Outcome, f64), String> {
        while !self.is_done() {
            if self.start.elapsed() > DEADLINE {
                self.kill();
                return Err(format!("the driver hangs: {}", self.said("")));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let outcome = match (self.said(driver::TRAINED), self.said(driver::FAILED)) {
            (trained, _) if !trained.is_empty() => Outcome::Trained(trained),
            (_, failed) if !failed.is_empty() => Outcome::Failed(failed),
            _ => Outcome::Killed,
        };
        Ok((outcome, seconds))
    }

    /// The session that it began, by which it can be resumed.
    pub fn session(&self) -> Option<String> {
        Some(self.said(driver::SESSION)).filter(|session| !session.is_empty())
    }

    /// Waits until it says something: what follows the mark.
    pub fn await_line(&mut self, mark: &str) -> String {
        loop {
            let text = fs::read_to_string(&self.output).unwrap_or_default();
            let line = text.lines().find_map(|line| line.split_once(mark));
            match line {
                Some((_, rest)) => return rest.to_owned(),
                None => assert!(self.start.elapsed() < DEADLINE && !self.is_done(), "{text}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it says that more than so many steps are done.
    pub fn await_done(&mut self, steps: u64) {
        let enough = |done: String| done.parse::<u64>().is_ok_and(|done| done > steps);
        while !self.last(driver::DONE).is_some_and(enough) {
            assert!(self.start.elapsed() < DEADLINE && !self.is_done(), "{}", self.said(""));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What follows a mark in what it wrote, the first time.
    fn said(&self, mark: &str) -> String {
        self.all_said(mark).into_iter().next().unwrap_or_default()
    }

    /// The same the last time.
    pub fn last(&self, mark: &str) -> Option<String> {
        self.all_said(mark).pop()
    }

    /// The same each time.
    pub fn all_said(&self, mark: &str) -> Vec<String> {
        let text = fs::read_to_string(&self.output).unwrap_or_default();
        let found = text.lines().filter_map(|line| line.split_once(mark));
        found.map(|(_, rest)| rest.to_owned()).collect()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}
