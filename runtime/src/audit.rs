//! The audit of pads: which pseudo-random streams were drawn, by whom, from which key.
//!
//! A pad that is used twice gives away the difference of what it hid. Tests run with an audit and
//! assert that each stream was drawn at most once by each of its holders.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sordino_graph::PlayerName;

/// What identifies a stream: a hash of the session's secret, and the stream's place.
///
/// The key of a stream is a function of these five, by HKDF; two streams with different ones have
/// different keys unless SHA-256 collides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// SHA-256 of the group's secret.
    pub secret: [u8; 32],
    /// Digest of the lowered graph.
    pub plan: [u8; 32],
    /// The step.
    pub step: u64,
    /// Number of the pad in the graph.
    pub pad: u32,
    /// Its lane.
    pub lane: u32,
}

/// Who drew each stream, shared by the players of one process.
#[derive(Debug, Default)]
pub struct Audit {
    drawn: Mutex<HashMap<StreamId, Vec<PlayerName>>>,
}

/// What an audit found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditSummary {
    /// Streams drawn.
    pub streams: usize,
    /// Streams that one player drew more than once.
    pub repeated: usize,
    /// Streams that only one player drew: a mask that nobody takes off.
    pub unshared: usize,
}

impl Audit {
    /// Notes that `player` drew a stream.
    pub fn note(&self, stream: StreamId, player: &PlayerName) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.entry(stream).or_default().push(player.clone());
    }

    /// Counts what was found.
    #[must_use]
    pub fn summary(&self) -> AuditSummary {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut summary = AuditSummary { streams: drawn.len(), ..AuditSummary::default() };
        for players in drawn.values() {
            let mut distinct = players.clone();
            distinct.sort_unstable();
            distinct.dedup();
            summary.repeated += usize::from(distinct.len() < players.len());
            summary.unshared += usize::from(distinct.len() < 2);
        }
        summary
    }
}
