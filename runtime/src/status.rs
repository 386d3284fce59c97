//! What a running player says of itself to its operator: `sordino status`.
//!
//! Nothing here is secret from who may run the player: names, numbers of steps and bytes, nodes that
//! are waited at. No values, keys or texts of plans.

mod collect;
mod socket;

use serde::{Deserialize, Serialize};

pub(crate) use self::collect::Fixed;
pub(crate) use self::socket::{Listener, answer};
pub use self::socket::{StatusError, ask};

/// A running player.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name.
    pub player: String,
    /// The version of Sordino that it runs.
    pub version: String,
    /// The number of its process.
    pub process: u32,
    /// Where it listens.
    pub address: String,
    /// Seconds since it was started.
    pub seconds: u64,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// Greatest resident memory so far, in bytes; 0 where the system does not tell.
    pub peak_memory: u64,
    /// Its certificate.
    pub certificate: Expiry,
    /// The sessions that it takes part in, the oldest first.
    pub sessions: Vec<SessionStatus>,
    /// All others of its list of players, drivers last.
    pub peers: Vec<PeerStatus>,
}

/// A certificate and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// SHA-256 of the certificate, as the list of players pins it.
    pub fingerprint: String,
    /// The last second in which it is valid, such as `2027-11-22T15:42:00Z`; `None` if its file is
    /// not there any more, or holds another certificate by now.
    pub valid_until: Option<String>,
    /// Whole days until then, less than 0 if it is over.
    pub days_left: Option<i64>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStatus {
    /// Its name.
    pub session: String,
    /// Who opened it.
    pub driver: String,
    /// Seconds since then.
    pub seconds: u64,
    /// What it does.
    pub state: SessionState,
    /// Its plans, in the order of their preparation.
    pub plans: Vec<PlanStatus>,
    /// What it waits for, if it does.
    pub wait: Option<WaitStatus>,
    /// The number of the last checkpoint that the player wrote in it.
    pub checkpoint: Option<u64>,
}

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// Players agree on a plan.
    Preparing,
    /// Steps are run.
    Running,
    /// The driver has asked for nothing more yet.
    Idle,
}

/// A plan of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStatus {
    /// The function that was recorded.
    pub function: String,
    /// Digest of the recorded graph, as `sordino review` shows it.
    pub digest: String,
    /// Steps done in all.
    pub done: u64,
    /// Steps asked for beyond these.
    pub left: u64,
}

/// A wait for another player.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaitStatus {
    /// Who is waited for.
    pub player: String,
    /// The node that waits.
    pub node: String,
    /// For how many seconds.
    pub seconds: f64,
}

/// Another player, or a driver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeerStatus {
    /// Its name.
    pub player: String,
    /// Its address, while there is a connection to it.
    pub connected: Option<String>,
    /// Milliseconds there and back, of that connection.
    pub round_trip: Option<f64>,
    /// Bytes sent to it since this player was started, in UDP datagrams.
    pub bytes_sent: u64,
    /// Bytes received from it.
    pub bytes_received: u64,
    /// The certificate that the list of players pins.
    pub certificate: Expiry,
}
