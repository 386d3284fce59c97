//! What control messages carry.

use std::fmt;

use serde::{Deserialize, Serialize};
use sordino_graph::types::MOST_AXES;
use sordino_graph::verify::MOST_PLAYERS;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{SessionId, bounded, short};
use crate::report::PlayerReport;

/// Players that a plan need not wait for: the driver is told who is missing, and halts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optional {
    /// Their names.
    #[serde(deserialize_with = "bounded::read::<_, _, MOST_PLAYERS>")]
    pub players: Vec<String>,
    /// Milliseconds of waiting for one of them after which the driver is told.
    pub timeout: u64,
}

/// What a player waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Who is to send it.
    #[serde(deserialize_with = "short::read")]
    pub on: String,
    /// The node that takes it.
    #[serde(deserialize_with = "short::read")]
    pub node: String,
    /// Milliseconds of waiting so far.
    pub millis: u64,
}

/// How far a player got with a plan that was halted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Halted {
    /// Steps before this one are done, and variables are as these have left them.
    pub done: u64,
    /// Of this step and later ones the player has got no value of an optional player.
    pub begun: u64,
    /// Whom it waited for.
    pub waits_for: Option<String>,
    /// What the steps cost that were done since they were asked for.
    pub report: PlayerReport,
}

/// What a player would run: digests of the recorded and of the lowered graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// Of the recorded graph.
    pub recorded: [u8; 32],
    /// Of the lowered graph.
    pub lowered: [u8; 32],
}

/// A checkpoint that a player has: what must be the same with all players to go on from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cut {
    /// Its number.
    pub number: u64,
    /// The session that wrote it.
    pub writer: SessionId,
    /// Steps run of each plan, by the digest of its recorded graph.
    pub steps: Vec<([u8; 32], u64)>,
}

/// A secret of a group of players for one plan of a session, drawn by the first of the group:
/// the one whose data it hides. Zeroed on drop; `Debug` shows the group alone.
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct GroupSecret {
    /// Names of the players that know it.
    #[zeroize(skip)]
    #[serde(deserialize_with = "bounded::read::<_, _, MOST_PLAYERS>")]
    pub holders: Vec<String>,
    /// The secret.
    pub secret: [u8; 32],
}

impl fmt::Debug for GroupSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<secret of {:?}>", self.holders)
    }
}

/// A value that the program publishes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Published {
    /// The name it is published under.
    pub name: String,
    /// The step of the plan, counted over the whole session.
    pub step: u64,
    /// Sizes of the axes.
    #[serde(deserialize_with = "bounded::read::<_, _, MOST_AXES>")]
    pub axes: Vec<u32>,
    /// The elements in row-major order.
    pub elements: Vec<f64>,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} of step {}, {:?}>", self.name, self.step, self.axes)
    }
}
