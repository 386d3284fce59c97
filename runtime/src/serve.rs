//! A player as a process: listens, and takes part in sessions until it is told to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sordino_graph::PlayerName;
use sordino_ops::data::DataStore;
use sordino_players::{Identity, IdentityError, Roster, RosterError, SignedPlans};

use crate::checkpoint::Checkpoints;
use crate::consent::Consent;
use crate::log::Note;
use crate::player::{Player, PlayerOptions};
use crate::remote::{event_loop, folder};
use crate::status;
use crate::transport::Inbox;
use crate::transport::quic::{QuicNetwork, TransportError};
use crate::turns::brief;

/// What a player needs to be told.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Who it is.
    pub name: PlayerName,
    /// The list of players; certificates, and the player's key, are found beside it.
    pub config: PathBuf,
    /// The folder of its own data.
    pub data: PathBuf,
    /// See [`state_folder`].
    pub state: Option<PathBuf>,
    /// What may happen to its own data; plans that it has signed may run as well.
    pub consent: Consent,
    /// See [`PlayerOptions::memory`].
    pub memory: u64,
    /// Where to listen, if not at the address that the list gives: behind a port forwarding, say.
    pub listen: Option<SocketAddr>,
    /// How long sessions may take to end when the player is told to stop.
    pub stop_within: Duration,
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

/// How often it is looked whether all sessions have ended.
const LOOK: Duration = Duration::from_millis(10);

/// Runs a player until it is told to stop: what `stop` makes is called, in the player's event loop,
/// for each time. The first time sessions end with the steps that have begun, which drivers that keep
/// checkpoints have all players keep; the second time, or when [`ServeOptions::stop_within`] is over,
/// they are cut off. What happens is told to `log`. From then on, what rayon does on the thread that calls
/// this stays on it.
///
/// # Errors
/// [`ServeError`], before it listens.
pub fn serve<S: AsyncFnMut()>(
    options: &ServeOptions,
    log: impl Fn(&Note<'_>) + Send + Sync + Clone + 'static,
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
    let beside = folder(&options.config);
    let consent = options.consent.clone().with_signed(SignedPlans::of(&identity, &beside));
    let state = state_folder(&options.config, &options.name, options.state.as_deref());
    let checkpoints = Some(Arc::new(Checkpoints::new(&state, &identity, &roster)));
    let own = PlayerOptions { data, consent, memory: options.memory, checkpoints, audit: None };
    let player = Player::new(options.name.clone(), own, log.clone());
    let fixed = status::Fixed::new(&identity, &roster, &beside);
    brief::begin();
    event_loop().map_err(ServeError::EventLoop)?.block_on(async {
        let inbox: Arc<dyn Inbox> = player.clone();
        let network = QuicNetwork::bind(&identity, roster, Some(listen), inbox).await?;
        player.attach(network.clone());
        let certificate = identity.fingerprint().to_string();
        let (me, address) = (&options.name, network.local_addr());
        let asked = status::Listener::open(&state);
        log(&Note::Listens { me, address, certificate: &certificate });
        let asked = asked.map_err(|error| log(&Note::NoStatus { reason: &error.to_string() })).ok();
        let answers = async {
            match &asked {
                Some(asked) => status::answer(asked, || fixed.status(&player, &network)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = answers => {}
            () = until_stopped(options, &player, &log, stop()) => {}
        }
        network.close(&format!("{} was stopped", options.name)).await;
        Ok(())
    })
}

/// Waits until the player is told to stop, and then until its sessions have ended.
async fn until_stopped(
    options: &ServeOptions,
    player: &Player,
    log: &impl Fn(&Note<'_>),
    mut stop: impl AsyncFnMut(),
) {
    stop().await;
    let (sessions, within) = (player.leave(), options.stop_within);
    log(&Note::Stopping { sessions, seconds: within.as_secs() });
    let ended = async {
        while !player.is_idle() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let cut_off = tokio::select! {
        () = ended => None,
        () = stop() => Some("told to stop again"),
        () = tokio::time::sleep(within) => Some("it took too long"),
    };
    if let Some(reason) = cut_off {
        log(&Note::CutOff { reason });
    }
}

/// The folder where a player keeps what sessions are resumed from, and where it is asked for its
/// status: `state/NAME` beside the list of players, unless `given`.
#[must_use]
pub fn state_folder(config: &Path, name: &PlayerName, given: Option<&Path>) -> PathBuf {
    let beside = || folder(config).join("state").join(name.as_str());
    given.map_or_else(beside, Path::to_owned)
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
