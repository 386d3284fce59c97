//! How a connection ended, in words.

use quinn::{ConnectionError, ReadError, VarInt};
use sordino_players::tls::refusal_text;

use super::Limits;
use super::wire::{CODE_DONE, CODE_INTERNAL, CODE_PROTOCOL};

/// Why a connection is over.
#[derive(Debug)]
pub(super) enum End {
    /// It is gone, as quinn says.
    Gone(ConnectionError),
    /// The peer broke the protocol: with what, as a noun phrase or a main clause.
    Fault(String),
    /// This side did something wrong.
    Bug(String),
}

impl End {
    /// The code to close with.
    pub(super) fn code(&self) -> VarInt {
        match self {
            Self::Gone(_) => CODE_DONE,
            Self::Fault(_) => CODE_PROTOCOL,
            Self::Bug(_) => CODE_INTERNAL,
        }
    }

    /// What the peer is told when it is closed.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Gone(_) => String::new(),
            Self::Fault(what) => format!("this side broke the protocol: {what}"),
            Self::Bug(what) => format!("a bug of the other side: {what}"),
        }
    }

    /// What the own side is told, about the peer.
    pub(super) fn reason(&self, limits: Limits) -> String {
        match self {
            Self::Gone(error) => explain(error, limits),
            Self::Fault(what) => format!(
                "it broke the protocol: {what}. See that every party runs the same version of \
                 Sordino"
            ),
            Self::Bug(what) => format!("a bug in Sordino on this side: {what}"),
        }
    }
}

/// A read that failed, for a reason or because the peer cut the stream.
pub(super) fn read_failed(error: ReadError, what: &str) -> End {
    match error {
        ReadError::ConnectionLost(error) => End::Gone(error),
        _ => End::Fault(format!("{what} was cut off")),
    }
}

/// What a closed connection means, as a main clause about the peer.
pub(super) fn explain(error: &ConnectionError, limits: Limits) -> String {
    match error {
        ConnectionError::ApplicationClosed(close) if close.reason.is_empty() => {
            "it closed the connection and gave no reason".into()
        }
        ConnectionError::ApplicationClosed(close) => {
            format!("it closed the connection: {}", printable(&close.reason))
        }
        ConnectionError::TimedOut => format!(
            "nothing was heard from it for {:.1} s: its process was killed, or the network \
             between is cut",
            limits.silence.as_secs_f64()
        ),
        ConnectionError::Reset => format!(
            "it knows nothing of the connection any more: it was restarted, or nothing was heard \
             from here for {:.1} s",
            limits.silence.as_secs_f64()
        ),
        ConnectionError::LocallyClosed => "this side closed the connection".into(),
        other => match refusal_text(&other.to_string()) {
            Some(refusal) => refusal,
            None => format!("the connection failed: {}", printable(other.to_string().as_bytes())),
        },
    }
}

/// A peer's text without what would move the cursor of a terminal, and not endless.
pub(super) fn printable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.chars().take(1000).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
