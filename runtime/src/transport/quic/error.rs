//! Why a player cannot listen or be reached.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use sordino_players::{Address, PlayerName, TlsError};

/// Why there is no endpoint, or no connection. Each message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum TransportError {
    /// The roster and the identity do not go together.
    #[error(transparent)]
    Tls(#[from] TlsError),

    /// rustls' configuration has no cipher that QUIC can begin with: our bug.
    #[error("a bug in Sordino: its TLS configuration has no cipher for QUIC's first packets")]
    NoInitialCipher,

    /// Another process listens there.
    #[error(
        "cannot listen at UDP {address}: the port is in use. Is {name} running already? Stop the \
         process that has it (`ss -ulpn sport = :{}` shows it), or give {name} another port in \
         config.json, at every party", .address.port()
    )]
    PortInUse { name: PlayerName, address: SocketAddr },

    /// The address is none of this machine.
    #[error(
        "cannot listen at UDP {address}: no interface of this machine has that address. Run \
         {name} on the machine that has it, or correct its address in config.json, at every party"
    )]
    ForeignAddress { name: PlayerName, address: SocketAddr },

    /// The system refuses the port.
    #[error(
        "cannot listen at UDP {address}: the system forbids it to this user. Give {name} a port \
         above 1023 in config.json, at every party"
    )]
    Forbidden { name: PlayerName, address: SocketAddr },

    /// There is no socket for another reason.
    #[error("cannot open a UDP socket at {address}: {source}")]
    Socket { address: SocketAddr, source: io::Error },

    /// The peer to connect to is in no roster.
    #[error("{peer} is neither a player of the roster nor its driver: add it to config.json")]
    UnknownPeer { peer: PlayerName },

    /// A connection to oneself was asked for: the caller's mistake.
    #[error("{name} was asked to connect to itself")]
    Oneself { name: PlayerName },

    /// The host of the peer has no address.
    #[error(
        "cannot look up {address}, the address of {peer} ({source}): check the host in \
         config.json and this machine's name resolution"
    )]
    Lookup { peer: PlayerName, address: Address, source: io::Error },

    /// The addresses of the peer are of the family that the own socket cannot reach.
    #[error(
        "{peer} at {address} cannot be reached from {local}, where this side listens: one has \
         an IPv4 address and the other an IPv6 address. Give both the same kind in config.json, \
         or listen at [::], which has both"
    )]
    OtherFamily { peer: PlayerName, address: Address, local: SocketAddr },

    /// Nobody answers, or none gets as far as a connection, until patience is over.
    #[error(
        "{peer} does not answer at {address} (waited {:.1} s{}): is it running? Start it with: \
         sordino player {peer} --config …. If it runs, check its address in config.json and that \
         UDP port {} is open between the machines", .waited.as_secs_f64(), after(.last),
        .address.port()
    )]
    Unreachable { peer: PlayerName, address: Address, waited: Duration, last: Option<String> },

    /// The peer, whose part it is to dial, did not come.
    #[error(
        "{peer}{} has not connected (waited {:.1} s{}): is it running? Start it with: \
         sordino player {peer} --config …. If it runs, see that its roster has the same players \
         in the same order as this one: of two players, the one listed first connects to the other",
        at(.address), .waited.as_secs_f64(), after(.last)
    )]
    NotArrived {
        peer: PlayerName,
        address: Option<Address>,
        waited: Duration,
        /// A handshake with someone else that failed meanwhile.
        last: Option<String>,
    },

    /// This side refuses the certificate of the one who answers.
    #[error("the certificate of the one who answers at {address} is refused: {text}")]
    PeerRefused { peer: PlayerName, address: Address, text: String },

    /// The peer refuses the certificate of this side.
    #[error("{peer} at {address} refuses the certificate of this side. It says: {text}")]
    RefusedByPeer { peer: PlayerName, address: Address, text: String },

    /// The peer was dialled and would rather dial.
    #[error(
        "{peer} at {address} has another order of players in its roster: make config.json the \
         same at every party"
    )]
    OtherOrder { peer: PlayerName, address: Address },

    /// The peer speaks QUIC, and not our protocol.
    #[error(
        "{peer} at {address} speaks another version of the protocol, or is no Sordino at all \
         ({reason}): install the same version of Sordino at every party"
    )]
    OtherVersion { peer: PlayerName, address: Address, reason: String },

    /// The network was closed before or while connecting.
    #[error("the connection to {peer} was given up: this side is closing")]
    Closing { peer: PlayerName },
}

fn after(last: &Option<String>) -> String {
    last.as_ref().map(|text| format!("; {text}")).unwrap_or_default()
}

fn at(address: &Option<Address>) -> String {
    address.as_ref().map(|address| format!(" ({address})")).unwrap_or_default()
}
