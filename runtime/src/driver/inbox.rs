//! What arrives for the driver.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sordino_graph::{PlayerName, Type};
use sordino_ops::Tensor;

use super::idle::Idle;
use crate::message::{Control, DataHeader, Failure};
use crate::transport::{Connected, Inbox, Refused};

/// Bytes of messages of one player that wait for the driver. A program that looks after each event
/// for a while lets some gather.
const MOST: usize = 64 << 20;

/// What a message takes beside what it says.
const EACH: usize = size_of::<(PlayerName, Arrival, usize)>();

/// The inbox of the driver: a queue, of bounded length for each player.
pub(crate) struct DriverInbox {
    queue: Sender<(PlayerName, Arrival, usize)>,
    waiting: Arc<Waiting>,
    idle: Arc<Idle>,
}

/// Bytes of messages of each player in the queue.
type Waiting = Mutex<HashMap<PlayerName, usize>>;

pub(super) enum Arrival {
    Control(Control),
    Lost(String),
    /// What became of an attempt to reach the player.
    Dialled(Result<(), String>),
}

impl DriverInbox {
    pub(crate) fn new() -> (Arc<Self>, Arrivals) {
        let (queue, receiver) = channel();
        let waiting = Arc::<Waiting>::default();
        let idle = Arc::<Idle>::default();
        let arrivals = Arrivals {
            receiver,
            queue: queue.clone(),
            waiting: waiting.clone(),
            idle: idle.clone(),
        };
        (Arc::new(Self { queue, waiting, idle }), arrivals)
    }

    fn put(&self, from: &PlayerName, arrival: Arrival, bytes: usize) {
        // Nobody listens any more when the session is dropped.
        let _ = self.queue.send((from.clone(), arrival, bytes));
    }
}

/// What has arrived for the driver.
pub(crate) struct Arrivals {
    receiver: Receiver<(PlayerName, Arrival, usize)>,
    queue: Sender<(PlayerName, Arrival, usize)>,
    waiting: Arc<Waiting>,
    /// What hears it first while the program asks for nothing.
    pub(super) idle: Arc<Idle>,
}

impl Arrivals {
    /// What comes next, if it comes within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Option<(PlayerName, Arrival)> {
        let (from, arrival, bytes) = self.receiver.recv_timeout(patience).ok()?;
        if let Some(waiting) = lock(&self.waiting).get_mut(&from) {
            *waiting -= bytes;
        }
        if let Arrival::Control(message) = &arrival {
            self.idle.takes_up(&from, message);
        }
        Some((from, arrival))
    }

    /// Where it is said what became of an attempt to reach `player`.
    pub(super) fn dialled(&self, player: PlayerName) -> Connected {
        let queue = self.queue.clone();
        Box::new(move |reached| {
            // Nobody listens any more when the session is dropped.
            let _ = queue.send((player, Arrival::Dialled(reached), 0));
        })
    }
}

impl Inbox for DriverInbox {
    fn on_control(&self, from: &PlayerName, message: Control) {
        if self.idle.hears(from, &message) {
            return;
        }
        // What cannot be measured is never sent.
        let said = postcard::experimental::serialized_size(&message).unwrap_or(MOST);
        let (bytes, before) = {
            let mut all = lock(&self.waiting);
            let waiting = all.entry(from.clone()).or_default();
            let (bytes, before) = (said + EACH, *waiting);
            *waiting = before.saturating_add(bytes);
            (bytes, before)
        };
        if before + bytes <= MOST {
            self.put(from, Arrival::Control(message), bytes);
        } else if before <= MOST {
            // Counted for good: nothing more of it is taken once something is missing.
            self.put(from, Arrival::Lost(format!("sent more than {MOST} bytes at once")), 0);
        }
    }

    fn on_announce(&self, _: &PlayerName, _: &DataHeader, _: u64) -> Result<Type, Refused> {
        Err(Refused("the driver takes no values: invariant 1".into()))
    }

    fn on_data(&self, _: &PlayerName, _: DataHeader, _: Tensor) {}

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        self.idle.loses(peer);
        self.put(peer, Arrival::Lost(reason.to_owned()), 0);
    }
}

/// Nothing panics while the count is locked, so that a poisoned one is still sound.
fn lock(waiting: &Waiting) -> MutexGuard<'_, HashMap<PlayerName, usize>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the driver learns.
pub(super) enum News {
    /// A player says something of this session.
    Said(PlayerName, Control),
    /// A player says that the session has failed, in its own words.
    Failed(PlayerName, Failure),
    /// The connection to a player has ended.
    Lost(PlayerName, String),
    /// Nothing, for as long as was to be waited.
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Published, SessionId};

    fn published(elements: usize) -> Control {
        let (name, axes, elements) = ("x".into(), vec![], vec![0.0; elements]);
        let value = Published { name, step: 0, axes, elements };
        Control::Published { session: SessionId([1; 16]), plan: 0, value }
    }

    #[test]
    fn a_player_whose_messages_nobody_reads_is_lost_and_others_are_not() {
        let [ann, bob] = ["ann", "bob"].map(|name| PlayerName::new(name).unwrap());
        let (inbox, arrivals) = DriverInbox::new();
        // As many as there are: read at once they are no flood.
        for _ in 0..200 {
            inbox.on_control(&ann, published(1 << 17));
            let next = arrivals.next(Duration::ZERO);
            assert!(matches!(next, Some((_, Arrival::Control(_)))));
        }
        for _ in 0..200 {
            inbox.on_control(&ann, published(1 << 17));
        }
        inbox.on_control(&bob, published(1));
        let (mut controls, mut lost) = (0, Vec::new());
        while let Some((from, arrival)) = arrivals.next(Duration::ZERO) {
            match arrival {
                Arrival::Control(_) => controls += 1,
                Arrival::Lost(reason) => lost.push((from, reason)),
                Arrival::Dialled(_) => panic!("nobody is dialled"),
            }
        }
        // 63 of a megabyte, and bob's.
        assert_eq!(controls, 64);
        assert_eq!(lost, [(ann.clone(), "sent more than 67108864 bytes at once".to_owned())]);
        inbox.on_control(&ann, published(1));
        assert!(arrivals.next(Duration::ZERO).is_none(), "it is not heard again");
    }
}
