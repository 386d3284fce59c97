//! What players and the driver say to each other.
//!
//! Control messages are small and structured, and cross the wire as postcard. Tensors cross it as
//! a [`DataHeader`] and raw little-endian elements.

pub(crate) mod bounded;
mod contents;
mod failure;
mod session_id;
pub(crate) mod short;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sordino_ops::Tensor;

pub use self::contents::{Cut, Digests, GroupSecret, Halted, Optional, Published, Wait};
pub use self::failure::Failure;
pub use self::session_id::{InvalidSessionId, SessionId};
use crate::report::PlayerReport;

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
    /// Player to player, every few steps and, between kernels, every second: I go on, and have
    /// finished the steps before `done`, so that you may send me those of a window more.
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
    fn lists_of_others_are_no_longer_than_they_can_be() {
        let session = SessionId([1; 16]);
        let name = String::new;
        let read = |message: &Control| {
            let bytes = postcard::to_stdvec(message).unwrap();
            postcard::from_bytes::<Control>(&bytes).is_ok()
        };
        for (most, message) in [
            (1024, &(|n| prepare(session, vec![name(); n])) as &dyn Fn(usize) -> Control),
            (1024, &|n| hello(session, vec![name(); n])),
            (1024, &|n| {
                let links = vec![crate::report::LinkReport::default(); n];
                let report = PlayerReport { links, ..Default::default() };
                Control::Finished { session, plan: 0, report }
            }),
            (8, &|n| {
                let value = Published { name: name(), step: 0, axes: vec![1; n], elements: vec![] };
                Control::Published { session, plan: 0, value }
            }),
        ] {
            assert!(read(&message(most)) && !read(&message(most + 1)), "{most}");
        }
    }

    fn prepare(session: SessionId, players: Vec<String>) -> Control {
        let optional = Optional { players, timeout: 1 };
        Control::Prepare { session, plan: 0, first: 0, optional, text: "".into() }
    }

    fn hello(session: SessionId, holders: Vec<String>) -> Control {
        let secrets = vec![GroupSecret { holders, secret: [1; 32] }];
        let digests = Digests { recorded: [0; 32], lowered: [0; 32] };
        Control::Hello { session, plan: 0, digests, secrets }
    }

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
}
