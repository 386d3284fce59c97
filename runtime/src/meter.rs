//! Measures what a run costs a player.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

use crate::report::{LinkReport, PlayerReport};

/// Adds up times and bytes of one request.
#[derive(Debug)]
pub(crate) struct Meter {
    steps: u64,
    start: Instant,
    computing: Duration,
    waiting: Duration,
    sending: Duration,
    idle_since: Option<Instant>,
    links: BTreeMap<PlayerName, (u64, u64)>,
}

impl Default for Meter {
    fn default() -> Self {
        Self::start(0)
    }
}

impl Meter {
    /// Begins a request of `steps`.
    pub(crate) fn start(steps: u64) -> Self {
        Self {
            steps,
            start: Instant::now(),
            computing: Duration::ZERO,
            waiting: Duration::ZERO,
            sending: Duration::ZERO,
            idle_since: None,
            links: BTreeMap::new(),
        }
    }

    pub(crate) fn computed(&mut self, took: Duration) {
        self.computing += took;
    }

    pub(crate) fn sending(&mut self, took: Duration) {
        self.sending += took;
    }

    pub(crate) fn sent(&mut self, to: &PlayerName, bytes: usize) {
        // A lookup before the insertion: a name is only copied once a link.
        match self.links.get_mut(to) {
            Some((messages, total)) => {
                *messages += 1;
                *total += bytes as u64;
            }
            None => {
                self.links.insert(to.clone(), (1, bytes as u64));
            }
        }
    }

    /// Says whether nothing is computing and nothing can be.
    pub(crate) fn idle(&mut self, idle: bool) {
        match (idle, self.idle_since) {
            (true, None) => self.idle_since = Some(Instant::now()),
            (false, Some(since)) => {
                self.waiting += since.elapsed();
                self.idle_since = None;
            }
            _ => {}
        }
    }

    /// What the request cost. `wire` are the transport's counters; what they have grown by since
    /// `reported` is reported with the links that the request used, and noted there.
    pub(crate) fn report(
        &mut self,
        me: &PlayerName,
        reported: &mut BTreeMap<PlayerName, u64>,
        wire: &[(PlayerName, u64, u64)],
    ) -> PlayerReport {
        self.idle(false);
        let links = self.links.iter().map(|(to, &(messages, bytes))| {
            let sent = wire.iter().find(|(peer, ..)| peer == to).map_or(0, |(_, sent, _)| *sent);
            let before = reported.insert(to.clone(), sent).unwrap_or(0);
            let wire_bytes = sent.saturating_sub(before);
            LinkReport { to: to.as_str().to_owned(), messages, bytes, wire_bytes }
        });
        PlayerReport {
            player: me.as_str().to_owned(),
            steps: self.steps,
            seconds: self.start.elapsed().as_secs_f64(),
            computing: self.computing.as_secs_f64(),
            waiting: self.waiting.as_secs_f64(),
            sending: self.sending.as_secs_f64(),
            peak_memory: peak_memory(),
            links: links.collect(),
        }
    }
}

/// Greatest resident memory of this process so far, in bytes; 0 where the system does not tell.
#[must_use]
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
