//! What arrives for the driver.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use sordino_graph::PlayerName;
use sordino_ops::Tensor;

use crate::message::{Control, DataHeader, Failure};
use crate::transport::{Inbox, Refused};

/// The inbox of the driver: a queue.
pub(crate) struct DriverInbox(Sender<(PlayerName, Arrival)>);

pub(super) enum Arrival {
    Control(Control),
    Lost(String),
    /// What became of an attempt to reach the player.
    Dialled(Result<(), String>),
}

impl DriverInbox {
    pub(crate) fn new() -> (Arc<Self>, Arrivals) {
        let (sender, receiver) = channel();
        (Arc::new(Self(sender.clone())), Arrivals { receiver, sender })
    }
}

/// What has arrived for the driver.
pub(crate) struct Arrivals {
    pub(super) receiver: Receiver<(PlayerName, Arrival)>,
    pub(super) sender: Sender<(PlayerName, Arrival)>,
}

impl Inbox for DriverInbox {
    fn on_control(&self, from: &PlayerName, message: Control) {
        // Nobody listens any more when the session is dropped.
        let _ = self.0.send((from.clone(), Arrival::Control(message)));
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Tensor, Refused> {
        Err(Refused("the driver takes no values: invariant 1".into()))
    }

    fn on_data(&self, _: &PlayerName, _: DataHeader, _: Tensor) {}

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        let _ = self.0.send((peer.clone(), Arrival::Lost(reason.to_owned())));
    }
}

/// What the driver learns.
pub(super) enum News {
    /// A player says something of this session.
    Said(PlayerName, Control),
    /// A player says that the session has failed.
    Failed(PlayerName, Failure),
    /// The connection to a player has ended.
    Lost(PlayerName, String),
    /// Nothing, for as long as was to be waited.
    Nothing,
}
