//! A player as a process: listens, and takes part in sessions until it is told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sordino_graph::PlayerName;
use sordino_ops::data::DataStore;
use sordino_players::{Identity, IdentityError, Roster, RosterError, SignedPlans};

use crate::checkpoint::Checkpoints;
use crate::consent::Consent;
use crate::player::{Player, PlayerOptions};
use crate::remote::{event_loop, folder};
use crate::transport::Inbox;
use crate::transport::quic::{QuicNetwork, TransportError};

/// What a player needs to be told.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Who it is.
    pub name: PlayerName,
    /// The list of players; certificates, and the player's key, are found beside it.
    pub config: PathBuf,
    /// The folder of its own data.
    pub data: PathBuf,
    /// The folder where it keeps what sessions are resumed from; `state/NAME` beside the list of
    /// players, if not given.
    pub state: Option<PathBuf>,
    /// What may happen to its own data; plans that it has signed may run as well.
    pub consent: Consent,
    /// Where to listen, if not at the address that the list gives: behind a port forwarding, say.
    pub listen: Option<SocketAddr>,
}

/// Why a player does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The list of players is not as it should be.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The player has no certificate or key, or wrong ones.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The player's socket.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The address of the list cannot be resolved.
    #[error(
        "the address {address} of {player} does not resolve: {source}. Correct it, or say where to listen with --listen"
    )]
    Address {
        /// The player.
        player: PlayerName,
        /// Its address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no event loop.
    #[error("cannot start the event loop: {0}")]
    EventLoop(std::io::Error),
}

/// Runs a player until `stop` is done; what happens is told to `log`, a line each.
///
/// # Errors
/// [`ServeError`], before it listens.
pub fn serve<S: Future<Output = ()>>(
    options: &ServeOptions,
    log: impl Fn(&str) + Send + Sync + Clone + 'static,
    stop: impl FnOnce() -> S,
) -> Result<(), ServeError> {
    let roster = Arc::new(Roster::load(&options.config)?);
    roster.require(std::slice::from_ref(&options.name))?;
    let identity = Identity::load(&folder(&options.config), &options.name)?;
    let listen = match options.listen {
        Some(listen) => listen,
        None => own_address(&roster, &options.name)?,
    };
    let data = Arc::new(DataStore::new(options.data.clone()));
    let signed = SignedPlans::of(&identity, &folder(&options.config));
    let consent = options.consent.clone().with_signed(signed);
    let state = options.state.clone();
    let state =
        state.unwrap_or_else(|| folder(&options.config).join("state").join(options.name.as_str()));
    let checkpoints = Checkpoints::new(&state, &identity, &roster);
    let checkpoints = Some(Arc::new(checkpoints));
    let own = PlayerOptions { data, consent, checkpoints, audit: None };
    let player = Player::new(options.name.clone(), own, log.clone());
    event_loop().map_err(ServeError::EventLoop)?.block_on(async {
        let inbox: Arc<dyn Inbox> = player.clone();
        let network = QuicNetwork::bind(&identity, roster, Some(listen), inbox).await?;
        player.attach(network.clone());
        let print = identity.fingerprint();
        log(&format!("{} listens at {} with {print}", options.name, network.local_addr()));
        stop().await;
        log("stopping");
        network.close(&format!("{} was stopped", options.name)).await;
        Ok(())
    })
}

fn own_address(roster: &Roster, name: &PlayerName) -> Result<SocketAddr, ServeError> {
    // `require` has found the player.
    let address = roster.get(name).map(sordino_players::Player::address);
    let resolved = address.map(|address| address.resolve());
    let failed = |source| {
        let address = address.map(ToString::to_string).unwrap_or_default();
        ServeError::Address { player: name.clone(), address, source }
    };
    let found = resolved.unwrap_or_else(|| Ok(Vec::new())).map_err(failed)?;
    let none = || failed(std::io::Error::other("it has no address"));
    found.into_iter().next().ok_or_else(none)
}
