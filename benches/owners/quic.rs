//! The aggregation over QUIC: servers and receiver are processes of their own, as `sordino player`
//! runs them, and the owners are many to a process, each with its own certificate, socket and
//! connections. So what a server holds is told by itself.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use sordino::ops::data::DataStore;
use sordino::players::{Identity, Roster, roster};
use sordino::prelude::*;
use sordino::runtime::transport::Inbox;
use sordino::runtime::transport::quic::QuicNetwork;
use sordino::runtime::{Consent, Player, PlayerOptions};

use crate::{Cast, STEPS, aggregate};

/// The first argument of a process of owners; then come the roster's file and the owners.
pub const OWNERS: &str = "--owners";

/// Owners to a process.
const TOGETHER: usize = 500;

/// Prints a row of figures.
pub fn measure(count: usize) -> Result<(), Box<dyn Error>> {
    let cast = Cast::new(count)?;
    let processes = Processes::start(&cast)?;
    let start = Instant::now();
    let mut session = Session::remote(cast.setup(), &processes.config)?;
    let function = aggregate(&cast.owners, &cast.receiver);
    session.prepare(&function)?;
    let ready = start.elapsed().as_secs_f64() * 1e3;
    let mut steps = Vec::new();
    let mut memory = 0;
    for _ in 0..STEPS {
        let run = session.run(&function, 1)?;
        steps.push(run.seconds * 1e3);
        let servers = run.reports.iter().filter(|report| report.player.starts_with("server"));
        memory = servers.map(|report| report.peak_memory >> 20).max().unwrap_or(0);
    }
    steps.sort_by(f64::total_cmp);
    println!("{count:6} {ready:10.1} {:9.1} {memory:15}", steps[STEPS / 2]);
    Ok(())
}

/// Everyone but the driver, stopped when dropped.
struct Processes {
    config: PathBuf,
    children: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Processes {
    fn start(cast: &Cast) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config.json");
        let players = cast.players();
        let free = players.iter().map(|_| UdpSocket::bind("127.0.0.1:0"));
        let free = free.collect::<Result<Vec<_>, _>>()?;
        let mut list = String::new();
        for (player, socket) in players.iter().zip(&free) {
            let comma = if list.is_empty() { "" } else { ", " };
            write!(list, "{comma}\"{player}\": \"{}\"", socket.local_addr()?)?;
        }
        std::fs::write(&config, format!("{{{list}}}"))?;
        drop(free);
        for name in players.iter().chain([&roster::driver_name()]) {
            Identity::generate(name, 1)?.save(folder.path(), false)?;
        }
        let mut processes = Self { config, children: Vec::new(), _folder: folder };
        for owners in cast.owners.chunks(TOGETHER) {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg(OWNERS).arg(&processes.config);
            command.args(owners.iter().map(PlayerName::as_str));
            processes.start_one(command.env("RAYON_NUM_THREADS", "1"))?;
        }
        for name in cast.servers.iter().chain([&cast.receiver]) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
            command.args(["player", name.as_str(), "--until-eof", "--release", "--config"]);
            // As run-remote.sh does.
            command.env("MIMALLOC_PURGE_DELAY", "-1").env("MIMALLOC_ALLOW_THP", "0");
            processes.start_one(command.arg(&processes.config))?;
        }
        // The figures are with players up: each says so when it listens.
        for log in processes.children.iter_mut().filter_map(|child| child.stderr.take()) {
            let mut log = BufReader::new(log);
            log.read_line(&mut String::new())?;
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        }
        Ok(processes)
    }

    fn start_one(&mut self, command: &mut Command) -> std::io::Result<()> {
        let command = command.stdin(Stdio::piped()).stderr(Stdio::piped());
        self.children.push(command.spawn()?);
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Is these players until the standard input ends.
pub fn be(config: &Path, names: &[String]) -> Result<(), Box<dyn Error>> {
    let roster = Arc::new(Roster::load(config)?);
    let folder = config.parent().ok_or("a file")?;
    let data = Arc::new(DataStore::new(folder.to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let networks = runtime.block_on(async {
        let mut networks = Vec::new();
        for name in names {
            let name = name.parse()?;
            let identity = Identity::load(folder, &name)?;
            let listen = roster.get(&name).ok_or("a player")?.address().resolve()?[0];
            let options = PlayerOptions {
                data: data.clone(),
                // What each owner's machine looks at for itself would be done a thousand times here.
                consent: Consent::ALL,
                memory: u64::MAX,
                checkpoints: None,
                audit: None,
            };
            let player = Player::new(name, options, |_| {});
            let inbox: Arc<dyn Inbox> = player.clone();
            let network = QuicNetwork::bind(&identity, roster.clone(), Some(listen), inbox).await?;
            player.attach(network.clone());
            networks.push((player, network));
        }
        Ok::<_, Box<dyn Error>>(networks)
    })?;
    eprintln!("all listen");
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    runtime.block_on(async { drop(end.await) });
    drop(networks);
    Ok(())
}
