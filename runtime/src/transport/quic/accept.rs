//! Connections that others begin.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, ConnectionError, Incoming, ServerConfig};
use rustls::pki_types::CertificateDer;
use sordino_players::tls::{peer_name, refusal_text};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::config::MAX_HANDSHAKES;
use super::end::{End, explain, printable};
use super::link::{Greeted, greet};
use super::receive::greeting;
use super::shared::Shared;
use super::wire::{CODE_ORDER, CODE_PROTOCOL};

/// From the first packet to the control streams.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(5);

/// With more handshakes than this under way, those who come must first prove that they can hear
/// what is sent to their address.
const CROWD: usize = 16;

/// Accepts until the endpoint is closed.
pub(super) async fn accept(shared: Arc<Shared>, config: ServerConfig) {
    let mut handshakes = JoinSet::new();
    while let Some(incoming) = shared.endpoint.accept().await {
        while handshakes.try_join_next().is_some() {}
        if handshakes.len() >= MAX_HANDSHAKES {
            incoming.ignore();
        } else if handshakes.len() >= CROWD && !incoming.remote_address_validated() {
            // Never validated twice, so that this cannot fail.
            let _ = incoming.retry();
        } else {
            let mut config = config.clone();
            let transport = shared.transports.toward(incoming.remote_address());
            config.transport_config(Arc::clone(transport));
            handshakes.spawn(welcome(Arc::clone(&shared), incoming, config));
        }
    }
}

async fn welcome(shared: Arc<Shared>, incoming: Incoming, config: ServerConfig) {
    let from = incoming.remote_address();
    let handshake = async { incoming.accept_with(Arc::new(config))?.await };
    if timeout(HANDSHAKE, shake_hands(&shared, handshake, from)).await.is_err() {
        shared.refuse(from, "the handshake took too long");
    }
}

async fn shake_hands(
    shared: &Arc<Shared>,
    handshake: impl Future<Output = Result<Connection, ConnectionError>>,
    from: SocketAddr,
) {
    let connection = match handshake.await {
        Ok(connection) => connection,
        Err(error) => {
            let text = error.to_string();
            let why = refusal_text(&text).unwrap_or_else(|| printable(text.as_bytes()));
            return shared.refuse(from, &why);
        }
    };
    let Some(peer) = proven(&connection).and_then(|them| peer_name(&shared.roster, &them)) else {
        // rustls has checked the same pins: only a change of rules between the two gets here.
        return connection.close(CODE_PROTOCOL, b"not in the roster");
    };
    let Some(slot) = shared.peers.get(&peer) else {
        let why = "someone else with the own certificate";
        connection.close(CODE_PROTOCOL, why.as_bytes());
        return shared.refuse(from, why);
    };
    if slot.dialled {
        // Were both to dial, each might take the other's connection for the newer one.
        connection.close(CODE_ORDER, b"by the roster of this side, this side dials");
        let why = format!("{peer} dialled, and by this roster it is this side that dials");
        return shared.refuse(from, &why);
    }
    let streams = async {
        let control_in = greeting(&connection).await?;
        let control_out = greet(&connection).await.map_err(|error| match error {
            quinn::WriteError::ConnectionLost(error) => End::Gone(error),
            _ => End::Fault("the control stream is turned away".into()),
        })?;
        Ok(Greeted { connection: connection.clone(), control_out, control_in })
    };
    match streams.await {
        Ok(greeted) => shared.adopt(&peer, greeted),
        // One of several that the peer began at once, of which it took another.
        Err(End::Gone(error)) => shared.refuse(from, &explain(&error, shared.limits)),
        Err(end @ (End::Fault(_) | End::Bug(_))) => {
            connection.close(end.code(), end.told().as_bytes());
            shared.inbox.on_lost(&peer, &end.reason(shared.limits));
        }
    }
}

fn proven(connection: &Connection) -> Option<Vec<CertificateDer<'static>>> {
    connection.peer_identity()?.downcast().ok().map(|chain| *chain)
}
