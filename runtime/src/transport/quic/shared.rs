//! What the tasks of one endpoint share: who there is, and which connection of each is live.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::Endpoint;
use sordino_players::roster::is_driver;
use sordino_players::tls::Caller;
use sordino_players::{PlayerName, Roster};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Limits;
use super::admission::Admission;
use super::config::Transports;
use super::link::{self, Greeted, Link};
use super::wire::{CODE_DONE, CODE_REPLACED, MAX_BETWEEN_PLAYERS, MAX_CONTROL};
use crate::transport::Inbox;

pub(super) struct Shared {
    pub(super) name: PlayerName,
    pub(super) roster: Arc<Roster>,
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) limits: Limits,
    pub(super) transports: Transports,
    pub(super) caller: Caller,
    pub(super) endpoint: Endpoint,
    pub(super) local: SocketAddr,
    pub(super) runtime: Handle,
    pub(super) admission: Admission,
    /// All others of the roster, its driver included.
    pub(super) peers: HashMap<PlayerName, Peer>,
    /// Told of each new connection, and of closing.
    pub(super) changed: watch::Sender<()>,
    pub(super) closing: AtomicBool,
    pub(super) refused: Mutex<Refused>,
}

/// One of the others.
pub(super) struct Peer {
    /// Whether it is dialled; otherwise it is the one that dials.
    pub(super) dialled: bool,
    /// Held while it is dialled, so that all who ask for it get one connection.
    pub(super) dialling: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Arc<Link>>,
    /// Bytes sent and received over connections that are no more.
    past: (u64, u64),
}

/// A connection to another party, as far as there is one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LinkStatus {
    /// Where it leads and how long a packet takes there and back; `None` if there is no connection.
    pub live: Option<(SocketAddr, Duration)>,
    /// Bytes sent in UDP datagrams, over earlier connections too.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// Handshakes that failed on the accepting side.
#[derive(Debug, Default)]
pub(super) struct Refused {
    pub(super) count: u64,
    /// What the last one failed for. Nothing proves who it was with.
    pub(super) last: Option<String>,
}

impl Peer {
    pub(super) fn new(dialled: bool) -> Self {
        Self { dialled, dialling: tokio::sync::Mutex::default(), state: Mutex::default() }
    }

    pub(super) fn live(&self) -> Option<Arc<Link>> {
        lock(&self.state).live.clone()
    }

    pub(super) fn status(&self) -> LinkStatus {
        let (sent, received) = self.bytes();
        let live = self.live().map(|link| {
            let connection = link.connection();
            (connection.remote_address(), connection.rtt())
        });
        LinkStatus { live, sent, received }
    }

    /// Bytes sent and received so far.
    pub(super) fn bytes(&self) -> (u64, u64) {
        let state = lock(&self.state);
        let now = state.live.as_ref().map_or((0, 0), |link| link.bytes());
        (state.past.0 + now.0, state.past.1 + now.1)
    }
}

impl State {
    fn replace(&mut self, new: Option<Arc<Link>>) -> Option<Arc<Link>> {
        let old = std::mem::replace(&mut self.live, new);
        if let Some(old) = &old {
            old.retire();
            let (sent, received) = old.bytes();
            self.past = (self.past.0 + sent, self.past.1 + received);
        }
        old
    }
}

impl Shared {
    pub(super) fn live(&self, peer: &PlayerName) -> Option<Arc<Link>> {
        self.peers.get(peer)?.live()
    }

    /// Makes a connection the live one of `peer`, and serves it until it ends.
    pub(super) fn adopt(self: &Arc<Self>, peer: &PlayerName, greeted: Greeted) {
        let Some(slot) = self.peers.get(peer) else { return };
        if self.is_closing() {
            return greeted.connection.close(CODE_DONE, b"this side is closing");
        }
        let (link, work) = link::new(greeted);
        let replaced = lock(&slot.state).replace(Some(Arc::clone(&link)));
        if let Some(old) = replaced {
            // Told before anything comes over the new connection, which it is not about.
            old.connection().close(CODE_REPLACED, b"a newer connection has taken its place");
            self.inbox.on_lost(
                peer,
                "it connected anew, and what was on the way over the connection before is lost: \
                 it was restarted, or the network between was cut",
            );
        }
        let (shared, peer) = (Arc::clone(self), peer.clone());
        self.runtime.spawn(async move {
            let end = link::serve(&shared, &peer, &link, work).await;
            link.connection().close(end.code(), end.told().as_bytes());
            shared.forget(&peer, &link, &end.reason(shared.limits));
        });
        self.changed.send_replace(());
    }

    /// Reports a connection that has ended, unless another has taken its place.
    fn forget(&self, peer: &PlayerName, link: &Arc<Link>, reason: &str) {
        let Some(slot) = self.peers.get(peer) else { return };
        let was_live = {
            let mut state = lock(&slot.state);
            let live = state.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, link));
            if live {
                state.replace(None);
            }
            live
        };
        if was_live && !self.is_closing() {
            self.inbox.on_lost(peer, reason);
        }
    }

    /// Counts a handshake that failed.
    pub(super) fn refuse(&self, from: SocketAddr, why: &str) {
        let mut refused = lock(&self.refused);
        refused.count += 1;
        refused.last = Some(format!("a connection from {from} was refused meanwhile: {why}"));
    }

    /// Bytes of the longest control message that `peer` may send here.
    pub(super) fn longest_control(&self, peer: &PlayerName) -> usize {
        let of_driver = is_driver(peer) || is_driver(&self.name);
        if of_driver { MAX_CONTROL } else { MAX_BETWEEN_PLAYERS }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }
}

/// No lock here is held while anything can panic, so that a poisoned one is still sound.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
