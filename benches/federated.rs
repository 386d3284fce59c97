//! Seconds a step of federated learning: plaintext and ABY3 in one process, and ABY3 in seven
//! processes over QUIC, in turns, so that they meet the same machine.
//!
//!     cargo bench --bench federated [-- [MODEL] [local|quic|plaintext|64|128]]
//!
//! Figures are medians over chunks of steps; a chunk of each kind follows the other. Processor time
//! is that of the players' processes, all threads, and hardly depends on what else the machine does.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../examples/models/mod.rs"]
mod models;
#[path = "../examples/federated-learning/program.rs"]
#[allow(dead_code, reason = "the benchmark does not validate")]
mod program;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use program::{DataOwner, ModelOwner, federated_training, initialize};
use sordino::ops::Plan;
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CHUNKS: usize = 10;
/// An epoch of the example.
const STEPS: u64 = 156;

/// The same training without secrets: gradients are handed to the model owner.
#[secure_function]
fn plaintext_training(g: &Recording<'_>, model_owner: &ModelOwner, data_owners: &[DataOwner]) {
    let parameters = model_owner.model.parameters();
    let read =
        |p: &sordino::ops::nn::Parameter| read_variable(g, &model_owner.player, &p.name, &p.ty());
    let weights: Vec<_> = parameters.iter().map(read).collect();
    let gradients: Vec<Vec<_>> = data_owners
        .iter()
        .map(|owner| {
            let (images, labels) = load_batch(g, &owner.player, &owner.batches);
            let weights: Vec<_> = weights.iter().map(|w| transfer(*w, &owner.player)).collect();
            let loss = owner.model.loss(owner.model.logits(images, &weights), labels);
            gradients(loss, &weights)
        })
        .collect();
    for (i, parameter) in parameters.iter().enumerate() {
        let terms = gradients.iter().map(|owner| transfer(owner[i], &model_owner.player));
        descend(&parameter.name, 0.1, scale(add_n(terms), 1.0 / data_owners.len() as f64));
    }
}

struct Program {
    setup: Setup,
    model_owner: ModelOwner,
    data_owners: Vec<DataOwner>,
}

fn program(model: &str, fixed: Fixed) -> Result<Program, Box<dyn Error>> {
    let model = models::model(model).ok_or("unknown model")?;
    let names = |kind: &str| (0..3).map(|i| format!("{kind}{i}").parse()).collect();
    let owners: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("train-data-owner-"))?;
    let servers: Vec<PlayerName> = Result::from_iter::<Vec<_>>(names("server"))?;
    let player: PlayerName = "model-owner".parse()?;
    let players = [vec![player.clone()], owners.clone(), servers.clone()].concat();
    let mut setup =
        Setup::new(players).secure("ABY3", servers, fixed).reveal(&player, 2).release(&player);
    // The plaintext variant hands gradients out; the other one does not make use of it.
    for owner in &owners {
        setup = setup.release(owner);
    }
    let dataset = Dataset::Mnist;
    let batches = |i: usize| BatchRequest {
        dataset,
        split: Split::Train,
        range: i * 20_000..(i + 1) * 20_000,
        batch: 128,
        shuffle: Some(i as u32),
    };
    let data_owners = owners
        .into_iter()
        .enumerate()
        .map(|(i, player)| DataOwner { player, model: model.clone(), batches: batches(i) })
        .collect();
    let model_owner = ModelOwner { player, model, dataset, seed: 1 };
    Ok(Program { setup, model_owner, data_owners })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let model = arguments.first().map_or("network_a", String::as_str);
    let only = arguments.get(1).map(String::as_str);
    let wants = |what: &str| only.is_none_or(|only| only == what);
    let local = |what: &str| wants("local") || wants(what);
    let low = program(model, Fixed::LOW)?;
    let high = program(model, Fixed::HIGH)?;
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");

    let start = Instant::now();
    let recorded = federated_training(&low.model_owner, &low.data_owners).record(&low.setup)?;
    let plan = Plan::new(recorded)?;
    let took = start.elapsed().as_secs_f64() * 1e3;
    println!("{model}: record, verify, lower, split: {took:.2} ms, {} nodes", plan.lowered.len());

    let mut kinds: Vec<Kind<'_>> = Vec::new();
    let session = |program: &Program| Session::local(program.setup.clone(), &data, None);
    if local("plaintext") {
        kinds.push(Kind::new("plaintext, one process", session(&low)?, &low, true)?);
    }
    if local("64") {
        kinds.push(Kind::new("ABY3 64 bits, one process", session(&low)?, &low, false)?);
    }
    if local("128") {
        kinds.push(Kind::new("ABY3 128 bits, one process", session(&high)?, &high, false)?);
    }
    let processes = if wants("quic") { Some(Processes::start(&low, &data)?) } else { None };
    if let Some(processes) = &processes {
        let start = Instant::now();
        let session = Session::remote(low.setup.clone(), &processes.config)?;
        let mut kind = Kind::new("ABY3 64 bits, seven processes over QUIC", session, &low, false)?;
        kind.processes = processes.children.iter().map(Child::id).collect();
        println!(
            "{model}: driver's start to first step done: {:.3} s",
            start.elapsed().as_secs_f64()
        );
        kinds.push(kind);
    }
    for _ in 0..CHUNKS {
        kinds.iter_mut().try_for_each(Kind::chunk)?;
    }
    for kind in &mut kinds {
        kind.print();
    }
    Ok(())
}

struct Kind<'a> {
    name: &'static str,
    session: Session,
    function: Function<'a>,
    /// The players' processes.
    processes: Vec<u32>,
    seconds: Vec<f64>,
    processor: f64,
    bytes: (u64, u64),
    memory: u64,
}

impl<'a> Kind<'a> {
    /// A session whose first step is done.
    fn new(
        name: &'static str,
        mut session: Session,
        program: &'a Program,
        plaintext: bool,
    ) -> Result<Self, Box<dyn Error>> {
        session.run(&initialize(&program.model_owner), 1)?;
        let function = if plaintext {
            plaintext_training(&program.model_owner, &program.data_owners)
        } else {
            federated_training(&program.model_owner, &program.data_owners)
        };
        session.run(&function, 1)?;
        let (seconds, processes) = (Vec::new(), vec![std::process::id()]);
        let (processor, bytes, memory) = (0.0, (0, 0), 0);
        Ok(Self { name, session, function, processes, seconds, processor, bytes, memory })
    }

    fn chunk(&mut self) -> Result<(), Box<dyn Error>> {
        let processor = |kind: &Self| kind.processes.iter().map(processor_seconds).sum::<f64>();
        let before = processor(self);
        let run = self.session.run(&self.function, STEPS)?;
        self.processor += processor(self) - before;
        self.seconds.push(run.seconds / STEPS as f64);
        let links = || run.reports.iter().flat_map(|report| &report.links);
        let values = links().map(|link| link.bytes).sum::<u64>() / STEPS;
        let wire = links().map(|link| link.wire_bytes).sum::<u64>() / STEPS;
        self.bytes = (values, wire);
        let memory = run.reports.iter().map(|report| report.peak_memory);
        // Without a wire, all players are in this process, as are those of the other kinds.
        self.memory = if wire == 0 { memory.max().unwrap_or(0) } else { memory.sum() };
        if std::env::var_os("SORDINO_BENCH_PLAYERS").is_some() {
            for r in &run.reports {
                let ms = |seconds: f64| seconds * 1e3 / STEPS as f64;
                let (computing, waiting) = (ms(r.computing), ms(r.waiting));
                println!("  {} computing {computing:.3} waiting {waiting:.3}", r.player);
            }
        }
        Ok(())
    }

    fn print(&mut self) {
        self.seconds.sort_by(f64::total_cmp);
        let at =
            |share: f64| self.seconds[((self.seconds.len() - 1) as f64 * share) as usize] * 1e3;
        println!(
            "{:42} {:7.3} ms a step (10-90 %: {:.3}-{:.3}), processor {:.3}, {:.2} MB of values, {:.2} MB on the wire, \
             peak memory of the processes {} MiB",
            self.name,
            at(0.5),
            at(0.1),
            at(0.9),
            self.processor * 1e3 / (self.seconds.len() as u64 * STEPS) as f64,
            self.bytes.0 as f64 / 1e6,
            self.bytes.1 as f64 / 1e6,
            self.memory >> 20
        );
    }
}

/// Seconds that the processors have spent on a process; 0 where the system does not tell.
fn processor_seconds(process: &u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces. Then, in hundredths: user and system.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Seven players as processes of their own, stopped when dropped.
struct Processes {
    config: PathBuf,
    children: Vec<Child>,
    _folder: tempfile::TempDir,
}

impl Processes {
    fn start(program: &Program, data: &Path) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("config.json");
        let players = &program.setup.players;
        let free = players.iter().map(|_| std::net::UdpSocket::bind("127.0.0.1:0"));
        let free = free.collect::<Result<Vec<_>, _>>()?;
        let mut list = Vec::new();
        for (player, socket) in players.iter().zip(&free) {
            list.push(format!("\"{player}\": \"{}\"", socket.local_addr()?));
        }
        std::fs::write(&config, format!("{{{}}}", list.join(", ")))?;
        drop(free);
        let driver = sordino::players::roster::driver_name();
        for name in players.iter().chain([&driver]) {
            sordino::players::Identity::generate(name, 1)?.save(folder.path(), false)?;
        }
        let start = |name: &PlayerName| {
            Command::new(env!("CARGO_BIN_EXE_sordino"))
                .args(["player", name.as_str(), "--until-eof", "--release", "--config"])
                .arg(&config)
                .arg("--data")
                .arg(data)
                // As run-remote.sh does.
                .env("MIMALLOC_PURGE_DELAY", "-1")
                .env("MIMALLOC_ALLOW_THP", "0")
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
        };
        let children = players.iter().map(start).collect::<Result<_, _>>()?;
        // The figure of the first step is with players up.
        std::thread::sleep(std::time::Duration::from_millis(500));
        Ok(Self { config, children, _folder: folder })
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
