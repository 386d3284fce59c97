//! Frames over QUIC: TLS 1.3 with both sides pinned by the roster, one UDP socket a party.
//!
//! Read [`QuicNetwork`]; then `quic/wire.rs` for the bytes, `quic/link.rs` for a live connection,
//! `quic/dial.rs` and `quic/accept.rs` for how it comes about, and `quic/config.rs` for what was
//! tuned.

mod accept;
mod admission;
mod config;
mod datagrams;
mod dial;
mod end;
mod error;
mod link;
mod receive;
mod shared;
mod wire;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::{Endpoint, Runtime as _, TokioRuntime};
use sordino_players::roster::is_driver;
use sordino_players::tls::{Caller, server_config};
use sordino_players::{Identity, PlayerName, Roster};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use self::admission::Admission;
pub use self::config::Limits;
use self::datagrams::Datagrams;
pub use self::error::TransportError;
pub use self::shared::LinkStatus;
use self::shared::{Peer, Refused, Shared, lock};
use self::wire::CODE_DONE;
#[doc(hidden)]
pub use self::wire::{Announcement, decode_control, encode_control};
use super::{Connected, Inbox, Network};
use crate::message::Frame;

/// How long a player that is not up yet is waited for.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long [`QuicNetwork::close`] takes at most.
const CLOSING: Duration = Duration::from_secs(1);

/// The connections of one party to the others of its roster.
///
/// Between two players there is one connection, which the one that is listed first in the roster
/// begins; the driver begins its own. Who connects is known by the certificate alone.
///
/// Control messages arrive in the order of sending, values in any; a value arrives after the
/// control messages that were sent before it. Whatever ends a connection is told once, with
/// [`Inbox::on_lost`], and [`connect`](Self::connect) makes a new one.
///
/// Lives in the tokio runtime that it was made in. Dropping it closes the connections without a
/// word more; [`close`](Self::close) first sends what is queued.
pub struct QuicNetwork {
    shared: Arc<Shared>,
}

impl QuicNetwork {
    /// Opens the socket and, if `listen` is given, accepts connections there. Without it the
    /// socket has any free port and only dials, as the driver does.
    ///
    /// # Errors
    /// [`TransportError`]: the roster pins another certificate for `identity`, or the socket
    /// cannot be had.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time enabled.
    #[allow(clippy::unused_async, reason = "async, so that it is called within a runtime")]
    pub async fn bind(
        identity: &Identity,
        roster: Arc<Roster>,
        listen: Option<SocketAddr>,
        inbox: Arc<dyn Inbox>,
    ) -> Result<Arc<Self>, TransportError> {
        Self::bind_with(identity, roster, listen, inbox, Limits::default()).await
    }

    /// As [`bind`](Self::bind), with other limits than the usual ones.
    ///
    /// # Errors
    /// As `bind`.
    ///
    /// # Panics
    /// As `bind`.
    #[allow(clippy::unused_async, reason = "async, so that it is called within a runtime")]
    pub async fn bind_with(
        identity: &Identity,
        roster: Arc<Roster>,
        listen: Option<SocketAddr>,
        inbox: Arc<dyn Inbox>,
        limits: Limits,
    ) -> Result<Arc<Self>, TransportError> {
        let name = identity.name().clone();
        let caller = Caller::new(identity, &roster)?;
        let accepting = match listen {
            Some(_) => Some(config::server(server_config(identity, &roster)?)?),
            None => None,
        };
        let all = roster.players().iter().map(|player| player.name().clone());
        let mut own_place_passed = is_driver(&name);
        let mut peers = HashMap::new();
        for peer in all {
            if peer == name {
                own_place_passed = true;
                continue;
            }
            peers.insert(peer, Peer::new(own_place_passed));
        }
        if !is_driver(&name) {
            let drivers = roster.drivers().iter().map(|(driver, _)| driver.clone());
            peers.extend(drivers.map(|driver| (driver, Peer::new(false))));
        }

        let transports = config::Transports::new(limits, peers.len());
        let admission = Admission::new(config::arriving(limits, peers.len()));
        let socket = config::socket(&name, listen)?;
        let at = listen.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
        let failed = |source| TransportError::Socket { address: at, source };
        let runtime = Arc::new(TokioRuntime);
        let socket = runtime.wrap_udp_socket(socket).map_err(failed)?;
        let socket = Datagrams::new(socket);
        let endpoint = Endpoint::new_with_abstract_socket(
            config::endpoint(),
            accepting.clone(),
            socket,
            runtime,
        )
        .map_err(failed)?;
        let local = endpoint.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            name,
            roster,
            inbox,
            limits,
            admission,
            transports,
            caller,
            endpoint,
            local,
            runtime: Handle::current(),
            peers,
            changed: watch::Sender::new(()),
            closing: AtomicBool::new(false),
            refused: Mutex::new(Refused::default()),
        });
        if let Some(accepting) = accepting {
            shared.runtime.spawn(accept::accept(Arc::clone(&shared), accepting));
        }
        Ok(Arc::new(Self { shared }))
    }

    /// The address of the socket.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local
    }

    /// Handshakes that failed on the accepting side so far: strangers, wrong certificates, and
    /// attempts that the other side gave up.
    #[must_use]
    pub fn refused_handshakes(&self) -> u64 {
        lock(&self.shared.refused).count
    }

    /// Waits until there is a live connection to `peer`; begins it, if that is this side's part.
    /// A peer that is not up yet is waited for as long as `patience`.
    ///
    /// Certificates that do not fit are reported at once by the side that dials. The side that
    /// waits for its peer cannot tell it from a stranger with a wrong certificate, so it waits
    /// on, and its error names the last one refused.
    ///
    /// # Errors
    /// [`TransportError`].
    pub async fn connect(
        &self,
        peer: &PlayerName,
        patience: Duration,
    ) -> Result<(), TransportError> {
        dial::reach(&self.shared, peer, patience).await
    }

    /// What is known of the connection to each of the others, in no order.
    #[must_use]
    pub fn links(&self) -> HashMap<PlayerName, LinkStatus> {
        let of = |(name, peer): (&PlayerName, &Peer)| (name.clone(), peer.status());
        self.shared.peers.iter().map(of).collect()
    }

    /// Sends what is queued, closes all connections with `reason`, which the peers are told, and
    /// waits until they have heard it: at most a second in all. Nothing is reported as lost from
    /// here on.
    pub async fn close(&self, reason: &str) {
        let deadline = Instant::now() + CLOSING;
        let shared = &self.shared;
        shared.closing.store(true, Ordering::Release);
        shared.changed.send_replace(());
        let mut flushing = tokio::task::JoinSet::new();
        for link in shared.peers.values().filter_map(Peer::live) {
            flushing.spawn(async move { link.flush().await });
        }
        let flushed = async { while flushing.join_next().await.is_some() {} };
        let _ = timeout(CLOSING / 2, flushed).await;
        shared.endpoint.close(CODE_DONE, reason.as_bytes());
        let _ = timeout_at(deadline, shared.endpoint.wait_idle()).await;
    }
}

impl Network for QuicNetwork {
    /// Waits as long as [`Limits::patience`].
    fn connect(&self, peer: &PlayerName, then: Connected) {
        let (shared, peer) = (Arc::clone(&self.shared), peer.clone());
        self.shared.runtime.spawn(async move {
            let reached = dial::reach(&shared, &peer, shared.limits.patience).await;
            then(reached.map_err(|error| error.to_string()));
        });
    }

    fn send(&self, to: &PlayerName, frame: Frame) {
        if let Some(link) = self.shared.live(to) {
            return link.send(frame);
        }
        if self.shared.is_closing() {
            return;
        }
        // From a task, since the caller may hold a lock that its inbox takes.
        let (inbox, to) = (Arc::clone(&self.shared.inbox), to.clone());
        self.shared.runtime.spawn(async move {
            inbox.on_lost(&to, "there is no connection to it: it has ended, or never was");
        });
    }

    fn wire_bytes(&self) -> Vec<(PlayerName, u64, u64)> {
        let of = |(name, peer): (&PlayerName, &Peer)| {
            let (sent, received) = peer.bytes();
            (name.clone(), sent, received)
        };
        self.shared.peers.iter().map(of).collect()
    }
}

impl Drop for QuicNetwork {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.endpoint.close(CODE_DONE, b"its process ends");
    }
}

impl std::fmt::Debug for QuicNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<QUIC of {} at {}>", self.shared.name, self.shared.local)
    }
}
