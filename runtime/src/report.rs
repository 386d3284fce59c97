//! What a run cost: time and bytes, per player and per link.

use serde::{Deserialize, Serialize};
use sordino_graph::verify::MOST_PLAYERS;

use crate::message::{bounded, short};

/// What some steps of a plan cost one player.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlayerReport {
    /// Name of the player.
    pub player: String,
    /// Steps that the figures are of.
    pub steps: u64,
    /// Seconds from the first step's start to the last one's end.
    pub seconds: f64,
    /// Seconds of computing, added over threads.
    pub computing: f64,
    /// Seconds in which nothing was computing, because values of others had not arrived.
    pub waiting: f64,
    /// Seconds of handing values to the transport, added over threads.
    pub sending: f64,
    /// Greatest resident memory of the process so far, in bytes. Players of one process share it.
    pub peak_memory: u64,
    /// What went to other players.
    #[serde(deserialize_with = "bounded::read::<_, _, MOST_PLAYERS>")]
    pub links: Vec<LinkReport>,
}

/// What went from one player to another.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkReport {
    /// The receiver.
    #[serde(deserialize_with = "short::read")]
    pub to: String,
    /// Values sent.
    pub messages: u64,
    /// Bytes of the values.
    pub bytes: u64,
    /// Bytes given to the network since the last report of this link, headers, encryption and
    /// repeats included; 0 when the transport has no wire. What is still queued when a request ends
    /// is in the next report.
    pub wire_bytes: u64,
}

impl PlayerReport {
    /// Adds what later steps of the same player cost.
    pub(crate) fn add(&mut self, later: Self) {
        self.steps += later.steps;
        self.seconds += later.seconds;
        self.computing += later.computing;
        self.waiting += later.waiting;
        self.sending += later.sending;
        self.peak_memory = self.peak_memory.max(later.peak_memory);
        for link in later.links {
            match self.links.iter_mut().find(|known| known.to == link.to) {
                Some(known) => {
                    known.messages += link.messages;
                    known.bytes += link.bytes;
                    known.wire_bytes += link.wire_bytes;
                }
                None => self.links.push(link),
            }
        }
    }
}
