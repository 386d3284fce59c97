//! The report of a run: what it reached and what it cost.

use std::path::Path;
use std::{fs, thread};

use anyhow::Context;
use serde::Serialize;
use sordino::prelude::*;

use super::options::{Common, Place};
use super::rounds::Took;

/// All figures "per step" are means over the `measured_steps`: all but the first step, which loads
/// the data as well and is told apart.
#[derive(Debug, Serialize)]
pub struct RunReport<P> {
    pub command: Vec<String>,
    pub options: Choices<P>,
    pub machine: Machine,
    /// Steps of earlier sessions, of a training that was resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_after_steps: Option<u64>,
    /// Of a training.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<Epoch>,
    /// Of a training whose data owners may come and go: who took part in which steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub participation: Vec<Took>,
    /// Of other programs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
    /// From the start of the program to the end of the first step, or to where a training went on.
    pub first_step_seconds: f64,
    /// Recording, verifying, lowering and splitting the graph of a step, once.
    pub preparation_ms: f64,
    pub measured_steps: u64,
    /// From the driver's request to the last player's word that it is done, a step.
    pub ms_per_step: f64,
    /// What players handed to each other.
    pub value_bytes_per_step: f64,
    /// What that took on the network; null in one process.
    pub wire_bytes_per_step: Option<f64>,
    /// Greatest resident memory of all processes, added; null where the system does not tell.
    pub peak_memory_mib: Option<f64>,
    pub players: Vec<Player>,
    pub links: Vec<Link>,
    #[serde(skip)]
    seconds: f64,
}

/// What the command line asked for.
#[derive(Debug, Serialize)]
pub struct Choices<P> {
    /// The program's own options.
    #[serde(flatten)]
    pub program: P,
    pub protocol: &'static str,
    pub precision: &'static str,
    pub fixed: String,
    pub config: String,
    pub seed: u32,
}

#[derive(Debug, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub cpu: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Epoch {
    pub epoch: u32,
    /// Of this run: fewer than an epoch has, of one that was begun before.
    pub steps: u64,
    /// Of training, without the test.
    pub seconds: f64,
    /// On the model owner's test set, after the epoch.
    pub loss: f64,
    /// Likewise, 0 to 1.
    pub accuracy: f64,
}

/// What a player published.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub player: String,
    pub name: String,
    pub values: Vec<f64>,
}

#[derive(Debug, Serialize)]
pub struct Player {
    pub player: String,
    /// Added over threads.
    pub computing_ms_per_step: f64,
    /// Nothing to compute, because values of others had not arrived.
    pub waiting_ms_per_step: f64,
    /// Handing values to the transport, added over threads.
    pub sending_ms_per_step: f64,
    /// Of its process, which players in one process share.
    pub peak_memory_mib: f64,
}

#[derive(Debug, Serialize)]
pub struct Link {
    pub from: String,
    pub to: String,
    pub messages_per_step: f64,
    pub value_bytes_per_step: f64,
    pub wire_bytes_per_step: Option<f64>,
}

impl<P: Serialize> RunReport<P> {
    /// The report of a run that has done its first step.
    pub fn new(common: &Common, program: P, first_step_seconds: f64) -> Self {
        Self {
            command: std::env::args().collect(),
            options: Choices::new(common, program),
            machine: Machine::here(),
            resumed_after_steps: None,
            epochs: Vec::new(),
            participation: Vec::new(),
            outcomes: Vec::new(),
            first_step_seconds,
            preparation_ms: 0.0,
            measured_steps: 0,
            ms_per_step: 0.0,
            value_bytes_per_step: 0.0,
            wire_bytes_per_step: None,
            peak_memory_mib: None,
            players: Vec::new(),
            links: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Whether all players are in this process.
    pub fn local(&self) -> bool {
        self.options.config == "local"
    }

    /// Adds a run of so many steps, of which players may have begun some in vain. Until
    /// [`finish`](Self::finish), figures are sums.
    pub fn add(&mut self, run: &Run, steps: u64) {
        self.seconds += run.seconds;
        self.measured_steps += steps;
        for report in &run.reports {
            let player = self.player(&report.player);
            player.computing_ms_per_step += report.computing * 1e3;
            player.waiting_ms_per_step += report.waiting * 1e3;
            player.sending_ms_per_step += report.sending * 1e3;
            player.peak_memory_mib = player.peak_memory_mib.max(mib(report.peak_memory));
            for cost in &report.links {
                let link = self.link(&report.player, &cost.to);
                link.messages_per_step += cost.messages as f64;
                link.value_bytes_per_step += cost.bytes as f64;
                if cost.wire_bytes > 0 {
                    *link.wire_bytes_per_step.get_or_insert(0.0) += cost.wire_bytes as f64;
                }
            }
        }
    }

    fn player(&mut self, name: &str) -> &mut Player {
        let found = self.players.iter().position(|player| player.player == name);
        let i = found.unwrap_or(self.players.len());
        if found.is_none() {
            self.players.push(Player {
                player: name.to_owned(),
                computing_ms_per_step: 0.0,
                waiting_ms_per_step: 0.0,
                sending_ms_per_step: 0.0,
                peak_memory_mib: 0.0,
            });
        }
        &mut self.players[i]
    }

    fn link(&mut self, from: &str, to: &str) -> &mut Link {
        let found = self.links.iter().position(|link| link.from == from && link.to == to);
        let i = found.unwrap_or(self.links.len());
        if found.is_none() {
            self.links.push(Link {
                from: from.to_owned(),
                to: to.to_owned(),
                messages_per_step: 0.0,
                value_bytes_per_step: 0.0,
                wire_bytes_per_step: None,
            });
        }
        &mut self.links[i]
    }

    /// Makes figures a step of the sums.
    pub fn finish(&mut self) {
        let steps = self.measured_steps.max(1) as f64;
        self.ms_per_step = self.seconds * 1e3 / steps;
        for player in &mut self.players {
            player.computing_ms_per_step /= steps;
            player.waiting_ms_per_step /= steps;
            player.sending_ms_per_step /= steps;
        }
        for link in &mut self.links {
            link.messages_per_step /= steps;
            link.value_bytes_per_step /= steps;
            link.wire_bytes_per_step = link.wire_bytes_per_step.map(|bytes| bytes / steps);
        }
        self.value_bytes_per_step = self.links.iter().map(|link| link.value_bytes_per_step).sum();
        let wire = self.links.iter().filter_map(|link| link.wire_bytes_per_step);
        self.wire_bytes_per_step = wire.reduce(|sum, bytes| sum + bytes);
        let players = self.players.iter().map(|player| player.peak_memory_mib);
        let all = if self.local() { players.fold(0.0, f64::max) } else { players.sum() };
        let own = if self.local() { Some(0.0) } else { own_peak_memory_mib() };
        self.peak_memory_mib = own.map(|own| own + all).filter(|&mib| mib > 0.0);
    }
}

impl<P> Choices<P> {
    pub fn new(common: &Common, program: P) -> Self {
        Self {
            program,
            protocol: common.protocol.name,
            precision: common.precision(),
            fixed: common.precision.to_string(),
            config: match &common.config {
                Place::Local => "local".to_owned(),
                Place::Remote(config) => config.display().to_string(),
            },
            seed: common.seed,
        }
    }
}

impl Machine {
    /// The one that this program runs on.
    pub fn here() -> Self {
        let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        });
        Self { cores: thread::available_parallelism().map_or(1, usize::from), cpu }
    }
}

/// Writes a report as JSON, all of it or nothing.
pub fn save(report: &impl Serialize, file: &Path) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(report)? + "\n";
    let temporary = file.with_extension(format!("{}.tmp", std::process::id()));
    let write = || {
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&temporary, json)?;
        fs::rename(&temporary, file)
    };
    write()
        .inspect_err(|_| drop(fs::remove_file(&temporary)))
        .with_context(|| format!("cannot write the report {}", file.display()))
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Of the driver's own process.
fn own_peak_memory_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(mib(kib.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024))
}
