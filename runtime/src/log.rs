//! What a player tells its operator of what happens to it.

use std::fmt;
use std::net::SocketAddr;

use serde::{Serialize, Serializer};
use sordino_graph::PlayerName;

use crate::message::{SessionId, Wait};

/// How much an operator should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// All is well.
    Info,
    /// Something may have to be looked after.
    Warn,
    /// Something has failed.
    Error,
}

/// Something that happened. `Display` gives a sentence; serde the same as fields, `event` among them,
/// which says what it is. None of them ever holds a value, a share or a key.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the sentences say of them")]
pub enum Note<'a> {
    /// The player can be reached.
    Listens {
        #[serde(skip)]
        me: &'a PlayerName,
        address: SocketAddr,
        certificate: &'a str,
    },
    /// `sordino status` cannot reach the player.
    NoStatus { reason: &'a str },
    /// A driver has opened a session.
    SessionOpened {
        #[serde(serialize_with = "text")]
        session: SessionId,
        #[serde(serialize_with = "text")]
        driver: &'a PlayerName,
    },
    /// The driver has closed it.
    SessionClosed {
        #[serde(serialize_with = "text")]
        session: SessionId,
    },
    /// It has come to an end for a reason.
    SessionFailed {
        #[serde(serialize_with = "text")]
        session: SessionId,
        at_fault: &'a str,
        reason: &'a str,
    },
    /// A wait has grown long.
    Waiting {
        #[serde(serialize_with = "text")]
        session: SessionId,
        #[serde(flatten)]
        wait: &'a Wait,
    },
    /// A connection has ended.
    PeerLost {
        #[serde(serialize_with = "text")]
        peer: &'a PlayerName,
        reason: &'a str,
    },
    /// A peer has sent what is not its to send.
    Misconduct {
        #[serde(serialize_with = "text")]
        peer: &'a PlayerName,
        what: &'a str,
    },
    /// The player was told to stop: sessions end first.
    Stopping { sessions: usize, seconds: u64 },
    /// Sessions are cut off.
    CutOff { reason: &'a str },
}

impl Note<'_> {
    /// How much an operator should care.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::Listens { .. }
            | Self::SessionOpened { .. }
            | Self::SessionClosed { .. }
            | Self::Stopping { .. } => Level::Info,
            Self::NoStatus { .. }
            | Self::Waiting { .. }
            | Self::PeerLost { .. }
            | Self::Misconduct { .. }
            | Self::CutOff { .. } => Level::Warn,
            Self::SessionFailed { .. } => Level::Error,
        }
    }
}

impl fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listens { me, address, certificate } => {
                write!(f, "{me} listens at {address} with {certificate}")
            }
            Self::NoStatus { reason } => write!(f, "cannot be asked for its status: {reason}"),
            Self::SessionOpened { session, driver } => {
                write!(f, "session {session} opened by {driver}")
            }
            Self::SessionClosed { session } => write!(f, "session {session} closed"),
            Self::SessionFailed { session, at_fault, reason } => {
                write!(f, "session {session} failed: {at_fault}: {reason}")
            }
            Self::Waiting { wait: Wait { on, node, millis }, .. } => {
                write!(f, "waiting {:.1} s for {on} at {node}", *millis as f64 / 1e3)
            }
            Self::PeerLost { peer, reason } => write!(f, "{peer} is gone: {reason}"),
            Self::Misconduct { peer, what } => write!(f, "{peer} {what}"),
            Self::Stopping { sessions, seconds } => {
                write!(f, "stopping; sessions to end first, within {seconds} s: {sessions}")
            }
            Self::CutOff { reason } => write!(f, "{reason}: sessions are cut off"),
        }
    }
}

/// Names are written as they are shown.
fn text<S: Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}
