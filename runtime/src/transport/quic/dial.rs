//! Connections that this side begins.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, Connection, ConnectionError, WriteError};
use sordino_players::tls::{SERVER_NAME, refusal_text};
use sordino_players::{Address, Player, PlayerName};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::TransportError;
use super::accept::HANDSHAKE;
use super::config::{self, reaches};
use super::end::{End, explain, printable};
use super::link::{Greeted, greet};
use super::receive::greeting;
use super::shared::{Shared, lock};
use super::wire::CODE_ORDER;

/// Between one attempt and the next: the first pause, and what it grows to.
const PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_millis(500);
/// How long one attempt waits for the first packet of the peer. Within it quinn repeats its own.
const ANSWER: Duration = Duration::from_secs(1);
/// A host with several addresses is dialled at one after the other, so much apart.
const STAGGER: Duration = Duration::from_millis(50);

/// Why an attempt failed.
enum Miss {
    /// Another attempt would fail in the same way.
    Final(TransportError),
    /// The peer may not be up yet.
    Later(Later),
}

enum Later {
    Silent,
    Failed(String),
    Lookup(std::io::Error),
}

/// See [`QuicNetwork::connect`](super::QuicNetwork::connect).
pub(super) async fn reach(
    shared: &Arc<Shared>,
    peer: &PlayerName,
    patience: Duration,
) -> Result<(), TransportError> {
    let begun = Instant::now();
    if *peer == shared.name {
        return Err(TransportError::Oneself { name: peer.clone() });
    }
    let unknown = || TransportError::UnknownPeer { peer: peer.clone() };
    let slot = shared.peers.get(peer).ok_or_else(unknown)?;
    if !slot.dialled {
        return wait_for(shared, peer, begun, patience).await;
    }
    let player = shared.roster.get(peer).ok_or_else(unknown)?;
    let turn = timeout_at(begun + patience, slot.dialling.lock()).await;
    if slot.live().is_some() {
        return Ok(());
    }
    if turn.is_err() {
        return Err(given_up(player, begun, Later::Silent));
    }
    let config = config::client(shared.caller.config(peer)?)?;
    dial(shared, player, &config, begun, patience).await
}

/// Waits until `peer`, whose part it is, has connected.
async fn wait_for(
    shared: &Arc<Shared>,
    peer: &PlayerName,
    begun: Instant,
    patience: Duration,
) -> Result<(), TransportError> {
    let refused_before = lock(&shared.refused).count;
    let mut changed = shared.changed.subscribe();
    loop {
        if shared.live(peer).is_some() {
            return Ok(());
        }
        if shared.is_closing() {
            return Err(TransportError::Closing { peer: peer.clone() });
        }
        if timeout_at(begun + patience, changed.changed()).await.is_err() {
            let refused = lock(&shared.refused);
            let news = refused.count > refused_before;
            return Err(TransportError::NotArrived {
                peer: peer.clone(),
                address: shared.roster.get(peer).map(|player| player.address().clone()),
                waited: begun.elapsed(),
                last: refused.last.clone().filter(|_| news),
            });
        }
    }
}

/// Dials `player` until there is a connection, which then is the live one.
async fn dial(
    shared: &Arc<Shared>,
    player: &Player,
    config: &ClientConfig,
    begun: Instant,
    patience: Duration,
) -> Result<(), TransportError> {
    let deadline = begun + patience;
    let mut pause = PAUSE;
    let mut last = Later::Silent;
    loop {
        match timeout_at(deadline, attempt(shared, player, config)).await {
            Ok(Ok(greeted)) => {
                shared.adopt(player.name(), greeted);
                return Ok(());
            }
            Ok(Err(Miss::Final(error))) => return Err(error),
            Ok(Err(Miss::Later(cause))) => last = cause,
            Err(_) => return Err(given_up(player, begun, last)),
        }
        if Instant::now() + pause >= deadline {
            return Err(given_up(player, begun, last));
        }
        sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

fn given_up(player: &Player, begun: Instant, last: Later) -> TransportError {
    let (peer, address) = (player.name().clone(), player.address().clone());
    let last = match last {
        Later::Lookup(source) => return TransportError::Lookup { peer, address, source },
        Later::Failed(text) => Some(text),
        Later::Silent => None,
    };
    TransportError::Unreachable { peer, address, waited: begun.elapsed(), last }
}

async fn attempt(
    shared: &Arc<Shared>,
    player: &Player,
    config: &ClientConfig,
) -> Result<Greeted, Miss> {
    let missed = |error| miss(shared, player, error);
    let addresses = look_up(shared, player).await?;
    let connection = knock_at_all(shared, config, addresses).await.map_err(missed)?;
    // Until the peer's control stream has begun, it may still refuse the certificate of this
    // side: in TLS 1.3 the handshake is over here before the peer has seen it.
    let greetings = async {
        let control_out = greet(&connection).await.map_err(|error| match error {
            WriteError::ConnectionLost(error) => End::Gone(error),
            _ => End::Fault("the control stream is turned away".into()),
        })?;
        let control_in = greeting(&connection).await?;
        Ok((control_out, control_in))
    };
    match timeout(HANDSHAKE, greetings).await {
        Ok(Ok((control_out, control_in))) => Ok(Greeted { connection, control_out, control_in }),
        Ok(Err(End::Gone(error))) => Err(missed(Some(error))),
        Ok(Err(end)) => {
            connection.close(end.code(), end.told().as_bytes());
            Err(Miss::Later(Later::Failed(end.reason(shared.limits))))
        }
        Err(_) => Err(Miss::Later(Later::Failed("it answered, and then no more".into()))),
    }
}

/// The addresses that can be reached; at least one.
async fn look_up(shared: &Shared, player: &Player) -> Result<Vec<SocketAddr>, Miss> {
    let address = player.address();
    let found = tokio::net::lookup_host((address.host(), address.port()))
        .await
        .map_err(|error| Miss::Later(Later::Lookup(error)))?;
    let reachable: Vec<_> = found.filter(|&remote| reaches(shared.local, remote)).collect();
    if reachable.is_empty() {
        let (peer, address) = (player.name().clone(), address.clone());
        let local = shared.local;
        return Err(Miss::Final(TransportError::OtherFamily { peer, address, local }));
    }
    Ok(reachable)
}

/// The connection of the first address that completes a handshake. `None` is silence.
async fn knock_at_all(
    shared: &Shared,
    config: &ClientConfig,
    addresses: Vec<SocketAddr>,
) -> Result<Connection, Option<ConnectionError>> {
    let mut attempts = JoinSet::new();
    for (wait, address) in (0..).map(|index| STAGGER * index).zip(addresses) {
        let (endpoint, mut config) = (shared.endpoint.clone(), config.clone());
        config.transport_config(Arc::clone(shared.transports.toward(address)));
        attempts.spawn(async move {
            // Even a sleep of nothing takes a millisecond.
            if !wait.is_zero() {
                sleep(wait).await;
            }
            // Fails only for a closed endpoint and for what the configuration rules out.
            let mut connecting = endpoint
                .connect_with(config, address, SERVER_NAME)
                .map_err(|_| Some(ConnectionError::LocallyClosed))?;
            timeout(ANSWER, connecting.handshake_data()).await.map_err(|_| None)?.map_err(Some)?;
            timeout(HANDSHAKE, connecting).await.map_err(|_| None)?.map_err(Some)
        });
    }
    let mut failed = None;
    while let Some(done) = attempts.join_next().await {
        match done {
            // The others are dropped, which tells the peer.
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => failed = failed.or(error),
            Err(_) => {}
        }
    }
    Err(failed)
}

/// Sorts out what is worth another attempt.
fn miss(shared: &Shared, player: &Player, error: Option<ConnectionError>) -> Miss {
    let Some(error) = error else { return Miss::Later(Later::Silent) };
    let (peer, address): (_, Address) = (player.name().clone(), player.address().clone());
    let text = error.to_string();
    Miss::Final(match (&error, refusal_text(&text)) {
        (ConnectionError::TransportError(_), Some(text)) => {
            TransportError::PeerRefused { peer, address, text }
        }
        (ConnectionError::ConnectionClosed(_), Some(text)) => {
            TransportError::RefusedByPeer { peer, address, text }
        }
        (ConnectionError::ApplicationClosed(close), _) if close.error_code == CODE_ORDER => {
            TransportError::OtherOrder { peer, address }
        }
        (ConnectionError::LocallyClosed, _) => TransportError::Closing { peer },
        (ConnectionError::TimedOut, _) => return Miss::Later(Later::Silent),
        _ if speaks_otherwise(&error) => {
            let reason = printable(text.as_bytes());
            TransportError::OtherVersion { peer, address, reason }
        }
        _ => {
            let last = explain(&error, shared.limits);
            return Miss::Later(Later::Failed(format!("the last attempt: {last}")));
        }
    })
}

/// Whether the two sides have no protocol in common: QUIC's version, or the TLS alert
/// `no_application_protocol`.
fn speaks_otherwise(error: &ConnectionError) -> bool {
    let no_protocol = quinn::TransportErrorCode::crypto(120);
    match error {
        ConnectionError::VersionMismatch => true,
        ConnectionError::TransportError(error) => error.code == no_protocol,
        ConnectionError::ConnectionClosed(close) => close.error_code == no_protocol,
        _ => false,
    }
}
