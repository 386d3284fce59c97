//! The socket and quinn's settings. What decides speed here was measured: `benches/quic.rs`.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{EndpointConfig, IdleTimeout, MtuDiscoveryConfig, TransportConfig, VarInt};
use socket2::{Domain, Protocol, Socket, Type};
use sordino_players::PlayerName;

use super::TransportError;

/// How long a peer may take to come up, a connection be silent, and a message unfinished; and how
/// much may arrive at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A peer that is not heard from for so long is lost. Peers that have nothing to say say so
    /// four times in this span.
    pub silence: Duration,
    /// A value or control message that has begun and of which no byte comes for so long breaks
    /// the protocol.
    pub stall: Duration,
    /// How long [`Network::connect`](crate::transport::Network::connect) waits for a peer that is
    /// not up.
    pub patience: Duration,
    /// Bytes of a session's values that arrive at a time, over all connections; a longer value
    /// arrives alone. With more than 16 peers a sixteenth of it, since connections take memory too.
    pub arriving: u32,
}

impl Default for Limits {
    /// 4 s of silence, 10 s of stalling, 10 s of patience, 256 MiB.
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(4),
            stall: Duration::from_secs(10),
            patience: Duration::from_secs(10),
            arriving: 256 << 20,
        }
    }
}

/// Greatest UDP payload: what a loopback's largest IPv6 packet holds. Each packet costs as much as
/// copying some kilobytes, so the larger the better.
pub(super) const MAX_PAYLOAD: u16 = 65_488;
/// Greatest UDP payload between hosts: what an Ethernet frame of 9,000 bytes holds. Discovery
/// searches up to it for what the network takes. On a loopback as well where there are many peers,
/// since a connection keeps a buffer as large as the largest packet that it has sent.
const MAX_PAYLOAD_BETWEEN_HOSTS: u16 = 8952;
/// On a loopback, discovery tries the greatest size and nothing in between, or, where packets may be
/// lost in the crowd, one size in between: it searches by halving as long as the halves are at least
/// this large, and tries the upper end when they are not. A search would cost each new connection a
/// dozen datagrams of padding, which is parsed byte by byte.
const LOOPBACK_CHANGE: u16 = 40_000;
const LOOPBACK_CHANGE_OF_MANY: u16 = 3000;

/// With more peers than these, a connection has less of everything, since there is so much of it.
const FEW: usize = 16;
/// A peer's streams that may be open at once. Each has a place in a table from the beginning.
const MAX_STREAMS: u32 = 256;
const MAX_STREAMS_OF_MANY: u32 = 32;
/// Bytes of one stream that are received before they are read. A value of no more is there before it
/// is [admitted](super::admission).
const STREAM_WINDOW: u32 = 4 << 20;
const STREAM_WINDOW_OF_MANY: u32 = 64 << 10;
/// Bytes of one connection that are received before they are read: as many as all streams of many, so
/// that a value which waits holds up no other and no message.
const CONNECTION_WINDOW: u32 = 16 << 20;
const CONNECTION_WINDOW_OF_MANY: u32 = (MAX_STREAMS_OF_MANY + 1) * STREAM_WINDOW_OF_MANY;
/// Bytes of a connection that are kept until the peer has acknowledged them.
const SEND_WINDOW: u64 = 16 << 20;
/// Bytes sent before the first acknowledgement.
const INITIAL_WINDOW: u64 = 256 << 10;
/// Bytes that the kernel buffers each way.
const SOCKET_BUFFER: usize = 4 << 20;

/// Handshakes with strangers and peers that may be under way at once before more are ignored.
pub(super) const MAX_HANDSHAKES: usize = 256;

pub(super) fn endpoint() -> EndpointConfig {
    let mut config = EndpointConfig::default();
    config.max_udp_payload_size(MAX_PAYLOAD).expect("a legal size");
    config
}

/// Without settings of connections, which depend on where they come from.
pub(super) fn server(tls: rustls::ServerConfig) -> Result<quinn::ServerConfig, TransportError> {
    let tls = QuicServerConfig::try_from(tls).map_err(|_| TransportError::NoInitialCipher)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls));
    config.max_incoming(MAX_HANDSHAKES);
    Ok(config)
}

/// Without settings of connections, which depend on where they lead.
pub(super) fn client(tls: rustls::ClientConfig) -> Result<quinn::ClientConfig, TransportError> {
    let tls = QuicClientConfig::try_from(tls).map_err(|_| TransportError::NoInitialCipher)?;
    Ok(quinn::ClientConfig::new(Arc::new(tls)))
}

/// Settings of connections, by where they lead.
#[derive(Debug, Clone)]
pub(super) struct Transports {
    loopback: Arc<TransportConfig>,
    between_hosts: Arc<TransportConfig>,
}

impl Transports {
    pub(super) fn new(limits: Limits, peers: usize) -> Self {
        let mut between_hosts = MtuDiscoveryConfig::default();
        between_hosts.upper_bound(MAX_PAYLOAD_BETWEEN_HOSTS);
        let mut loopback = between_hosts.clone();
        if peers > FEW {
            loopback.minimum_change(LOOPBACK_CHANGE_OF_MANY);
        } else {
            loopback.upper_bound(MAX_PAYLOAD).minimum_change(LOOPBACK_CHANGE);
        }
        Self {
            loopback: transport(limits, peers, loopback),
            between_hosts: transport(limits, peers, between_hosts),
        }
    }

    /// Those of a connection with `remote`.
    pub(super) fn toward(&self, remote: SocketAddr) -> &Arc<TransportConfig> {
        if remote.ip().to_canonical().is_loopback() { &self.loopback } else { &self.between_hosts }
    }
}

fn transport(limits: Limits, peers: usize, mtu: MtuDiscoveryConfig) -> Arc<TransportConfig> {
    let mut cubic = CubicConfig::default();
    cubic.initial_window(INITIAL_WINDOW);
    let silence = IdleTimeout::try_from(limits.silence).ok();
    let (streams, stream, connection) = match peers > FEW {
        true => (MAX_STREAMS_OF_MANY, STREAM_WINDOW_OF_MANY, CONNECTION_WINDOW_OF_MANY),
        false => (MAX_STREAMS, STREAM_WINDOW, CONNECTION_WINDOW),
    };

    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(streams))
        .stream_receive_window(VarInt::from_u32(stream))
        .receive_window(VarInt::from_u32(connection))
        .send_window(SEND_WINDOW)
        // Values go out one after the other: the first is then of use before the last has come.
        .send_fairness(false)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(silence)
        .keep_alive_interval(Some(limits.silence / 4))
        // Only times the repeats of the handshake: a peer that starts up while it is dialled is
        // found after a tenth of a second rather than one.
        .initial_rtt(Duration::from_millis(33))
        .mtu_discovery_config(Some(mtu))
        .congestion_controller_factory(Arc::new(cubic));
    Arc::new(config)
}

/// A UDP socket for `name` at `listen`, or at any free port.
pub(super) fn socket(
    name: &PlayerName,
    listen: Option<SocketAddr>,
) -> Result<UdpSocket, TransportError> {
    let Some(address) = listen else {
        // Both families, unless the system has no IPv6.
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let only_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let refused = |source| TransportError::Socket { address: only_v4, source };
        return open(both).or_else(|_| open(only_v4)).map_err(refused);
    };
    open(address).map_err(|source| {
        let name = name.clone();
        match source.kind() {
            io::ErrorKind::AddrInUse => TransportError::PortInUse { name, address },
            io::ErrorKind::AddrNotAvailable => TransportError::ForeignAddress { name, address },
            io::ErrorKind::PermissionDenied => TransportError::Forbidden { name, address },
            _ => TransportError::Socket { address, source },
        }
    })
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // Buffers that hold a burst keep it from being lost. The kernel gives what it is allowed to.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Bytes of a session's values that arrive at a time, and of one that there is room for before.
pub(super) fn arriving(limits: Limits, peers: usize) -> (u32, u32) {
    match peers > FEW {
        true => (limits.arriving / FEW as u32, STREAM_WINDOW_OF_MANY),
        false => (limits.arriving, STREAM_WINDOW),
    }
}

/// Whether a socket bound to `local` can send to `remote`.
pub(super) fn reaches(local: SocketAddr, remote: SocketAddr) -> bool {
    match local {
        SocketAddr::V4(_) => remote.is_ipv4(),
        SocketAddr::V6(local) => remote.is_ipv6() || local.ip().is_unspecified(),
    }
}
