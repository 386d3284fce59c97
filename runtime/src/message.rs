//! What players and the driver say to each other.
//!
//! Control messages are small and structured, and cross the wire as postcard. Tensors cross it as
//! a [`DataHeader`] and raw little-endian elements.

mod failure;
pub(crate) mod short;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sordino_ops::Tensor;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::failure::Failure;
use crate::report::PlayerReport;

/// One agreed use of a roster: what a driver opens, and what keys belong to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    /// Reads what `Display` writes: 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, InvalidSessionId> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits);
        number.map(|number| Self(number.to_be_bytes())).ok_or(InvalidSessionId)
    }
}

/// A text is no name of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session has a name of 32 hexadecimal digits")]
pub struct InvalidSessionId;

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A plan of a session: counted by the driver from 0.
pub type PlanIndex = u32;

/// Which value a message carries. With the sender, as its certificate proves it, this is the key
/// under which the receiver waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DataHeader {
    /// The session.
    pub session: SessionId,
    /// The plan.
    pub plan: PlanIndex,
    /// The step of the plan, counted over the whole session.
    pub step: u64,
    /// The edge of the lowered graph.
    pub edge: u32,
}

/// What one party hands to the transport for another.
#[derive(Debug)]
pub enum Frame {
    /// A control message.
    Control(Control),
    /// A value on an edge.
    Data(DataHeader, Tensor),
}

/// A control message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Control {
    /// Driver to player: check this recorded graph and get ready to run it.
    Prepare {
        /// The session; the first message of it opens it.
        session: SessionId,
        /// The plan's number.
        plan: PlanIndex,
        /// The step that its first run begins with: after earlier plans have run the steps before.
        first: u64,
        /// Who may be missing, for the plan to be halted and another one run.
        optional: Optional,
        /// The text of the recorded graph, with source lines.
        text: Arc<str>,
    },
    /// Player to driver: everything is set up to run the plan.
    Ready {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// What the player would run.
        digests: Digests,
    },
    /// Driver to player: run the next `steps` steps of the plan, after all that was asked before.
    Run {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// How many.
        steps: u64,
    },
    /// Player to driver: so many steps of the plan are done in all.
    Progress {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// Steps done in the whole session.
        done: u64,
    },
    /// Player to driver: a value that the program publishes.
    Published {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// What was published.
        value: Published,
    },
    /// Player to driver: all the steps asked for are done.
    Finished {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// What they cost.
        report: PlayerReport,
    },
    /// Player to driver, every few seconds of a long wait or of long work.
    Pulse {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// What the player waits for; `None` when it is at work.
        wait: Option<Wait>,
    },
    /// Player to driver: an optional player is gone, and not waited for.
    Missing {
        /// The session.
        session: SessionId,
        /// Who, and why.
        failure: Failure,
    },
    /// Driver to player: drop the plan, whatever it is doing.
    Halt {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
    },
    /// Player to driver: the plan is dropped.
    Halted {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// How far it got.
        end: Halted,
    },
    /// Player to player, once a plan: what I would run, and the secrets that I drew for groups
    /// that you belong to.
    Hello {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// What the sender would run.
        digests: Digests,
        /// Fresh secrets.
        secrets: Vec<GroupSecret>,
    },
    /// Player to player: I have finished the steps before `done`, so that you may send me those
    /// of a window more.
    Credit {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// Steps finished.
        done: u64,
    },
    /// Anyone to anyone in a session: it has failed.
    Abort {
        /// The session.
        session: SessionId,
        /// Why.
        failure: Failure,
    },
    /// Driver to player, which has done all that was asked: write a checkpoint.
    Checkpoint {
        /// The session.
        session: SessionId,
        /// Its number: they are counted from 1, on and on when a run is resumed.
        number: u64,
        /// The last checkpoint that all players have, or 0: it is not removed.
        keep: u64,
        /// Steps of functions that are run in rounds, of which players know single plans only.
        rounds: Vec<([u8; 32], u64)>,
    },
    /// Player to driver: the checkpoint is on disk.
    Saved {
        /// The session.
        session: SessionId,
        /// Its number.
        number: u64,
        /// Why it is not.
        #[serde(deserialize_with = "short::read_option")]
        problem: Option<String>,
    },
    /// Driver to player: which checkpoints are there of an earlier session?
    Recall {
        /// The session; this message may open it.
        session: SessionId,
        /// The earlier one.
        of: SessionId,
    },
    /// Player to driver: these.
    Recalled {
        /// The session.
        session: SessionId,
        /// Those that are whole.
        cuts: Vec<Cut>,
        /// What is wrong with others.
        #[serde(deserialize_with = "short::read_list")]
        problems: Vec<String>,
    },
    /// Driver to player: begin with what a checkpoint of an earlier session has.
    Restore {
        /// The session.
        session: SessionId,
        /// The earlier one.
        of: SessionId,
        /// The checkpoint.
        number: u64,
    },
    /// Player to driver: the variables are those of the checkpoint.
    Restored {
        /// The session.
        session: SessionId,
    },
    /// Player to driver: I was told to stop. End the session, with the steps that have begun.
    Leaving {
        /// The session.
        session: SessionId,
    },
    /// Driver to player: begin no further step of the plan until you hear with which one to end.
    Hold {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
    },
    /// Player to driver: none is begun.
    Held {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// The first step that is not.
        begun: u64,
    },
    /// Driver to player: what was asked for ends before this step.
    EndAt {
        /// The session.
        session: SessionId,
        /// The plan.
        plan: PlanIndex,
        /// The first step that is left out.
        end: u64,
    },
    /// Driver to player: the session is over.
    Close {
        /// The session.
        session: SessionId,
    },
}

/// Players that a plan need not wait for: the driver is told who is missing, and halts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Optional {
    /// Their names.
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
    pub axes: Vec<u32>,
    /// The elements in row-major order.
    pub elements: Vec<f64>,
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} of step {}, {:?}>", self.name, self.step, self.axes)
    }
}

impl Control {
    /// The session that a message is about.
    #[must_use]
    pub fn session(&self) -> SessionId {
        match self {
            Self::Prepare { session, .. }
            | Self::Ready { session, .. }
            | Self::Run { session, .. }
            | Self::Progress { session, .. }
            | Self::Published { session, .. }
            | Self::Finished { session, .. }
            | Self::Pulse { session, .. }
            | Self::Missing { session, .. }
            | Self::Halt { session, .. }
            | Self::Halted { session, .. }
            | Self::Hello { session, .. }
            | Self::Credit { session, .. }
            | Self::Checkpoint { session, .. }
            | Self::Saved { session, .. }
            | Self::Recall { session, .. }
            | Self::Recalled { session, .. }
            | Self::Restore { session, .. }
            | Self::Restored { session }
            | Self::Leaving { session }
            | Self::Hold { session, .. }
            | Self::Held { session, .. }
            | Self::EndAt { session, .. }
            | Self::Abort { session, .. }
            | Self::Close { session } => *session,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_have_no_control_characters_and_are_few_and_short() {
        let session = SessionId([1; 16]);
        let bad = "\u{1b}[2J".repeat(1000);
        let wait = Wait { on: bad.clone(), node: bad.clone(), millis: 1 };
        let link = crate::report::LinkReport { to: bad.clone(), ..Default::default() };
        let report = PlayerReport { links: vec![link], ..Default::default() };
        for message in [
            Control::Saved { session, number: 1, problem: Some(bad.clone()) },
            Control::Recalled { session, cuts: vec![], problems: vec![bad.clone(); 1000] },
            Control::Pulse { session, plan: 0, wait: Some(wait) },
            Control::Finished { session, plan: 0, report },
        ] {
            let bytes = postcard::to_stdvec(&message).unwrap();
            assert!(bytes.contains(&0x1b));
            let read: Control = postcard::from_bytes(&bytes).unwrap();
            let bytes = postcard::to_stdvec(&read).unwrap();
            assert!(!bytes.contains(&0x1b) && bytes.len() < 500_000, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn names_of_sessions_are_read_as_written() {
        let id = SessionId([0, 1, 0xab, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(id.to_string(), "0001ab030405060708090a0b0c0d0eff");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "0001", "+001ab030405060708090a0b0c0d0eff", &format!("{id}0"), "x\u{e9}"] {
            assert_eq!(text.parse::<SessionId>(), Err(InvalidSessionId), "{text}");
        }
    }
}
