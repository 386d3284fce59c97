//! A session whose players are processes of their own, reached over QUIC.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use sordino_graph::{PlayerName, Setup};
use sordino_players::roster::driver_name;
use sordino_players::{Identity, IdentityError, Roster, RosterError};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::driver::{DriverInbox, RunError, Session};
use crate::transport::Inbox;
use crate::transport::quic::{PATIENCE, QuicNetwork, TransportError};
use crate::turns::brief;

/// Why a session over QUIC cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The list of players is not as it should be.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The driver has no certificate or key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The driver's socket.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Players cannot be reached.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unreachable(Vec<TransportError>),
    /// The system gives no thread or no event loop.
    #[error("cannot start the network's thread: {0}")]
    Thread(std::io::Error),
    /// The session itself.
    #[error(transparent)]
    Session(#[from] RunError),
}

impl Session {
    /// Opens a session with the players that `config` lists, which must be up, or come up within
    /// [`PATIENCE`]. The driver's own certificate and key are found beside `config`.
    ///
    /// # Errors
    /// [`RemoteError`], which names every player that is missing, wrong or not up.
    pub fn remote(setup: Setup, config: &Path) -> Result<Self, RemoteError> {
        Self::remote_as(&driver_name(), setup, config)
    }

    /// As [`remote`](Self::remote), as the driver of this name.
    ///
    /// # Errors
    /// [`RemoteError`], as `remote`.
    pub fn remote_as(
        driver: &PlayerName,
        setup: Setup,
        config: &Path,
    ) -> Result<Self, RemoteError> {
        Self::remote_without(&[], driver, setup, config)
    }

    /// As [`remote_as`](Self::remote_as), without those of `owners` who are not up: they
    /// [may be missing](Self::allow_missing).
    ///
    /// # Errors
    /// [`RemoteError`], as `remote`.
    pub fn remote_without(
        owners: &[PlayerName],
        driver: &PlayerName,
        setup: Setup,
        config: &Path,
    ) -> Result<Self, RemoteError> {
        let roster = Arc::new(Roster::load(config)?);
        roster.require(&setup.players)?;
        let identity = Identity::load(&folder(config), driver)?;
        let (inbox, arrivals) = DriverInbox::new();
        let (needed, owners): (Vec<_>, Vec<_>) =
            setup.players.iter().cloned().partition(|player| !owners.contains(player));
        let dialled = (needed, owners.clone());
        let (network, away, thread) = NetworkThread::start(identity, roster, inbox, dialled)?;
        let mut session = Self::new(setup, network, arrivals, Box::new(thread))?;
        session.allow_missing(&owners);
        for (owner, reason) in away {
            session.is_missing(&owner, &reason);
        }
        Ok(session)
    }
}

/// The folder that a roster's file is in: certificates and keys are found there.
pub(crate) fn folder(config: &Path) -> PathBuf {
    match config.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Players that cannot be reached, and why.
type Away = Vec<(PlayerName, String)>;

/// The thread on which the driver's network lives. Dropping it closes the connections.
struct NetworkThread {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl NetworkThread {
    fn start(
        identity: Identity,
        roster: Arc<Roster>,
        inbox: Arc<DriverInbox>,
        dialled: (Vec<PlayerName>, Vec<PlayerName>),
    ) -> Result<(Arc<QuicNetwork>, Away, Self), RemoteError> {
        let (report, reported) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let runtime = event_loop().map_err(RemoteError::Thread)?;
        let run = move || {
            runtime.block_on(async move {
                let (network, away) = match open(&identity, roster, inbox, dialled).await {
                    Ok(opened) => opened,
                    // Whoever asked waits for the answer below.
                    Err(error) => return drop(report.send(Err(error))),
                };
                let _ = report.send(Ok((Arc::clone(&network), away)));
                let _ = stopped.await;
                network.close("the driver is done").await;
            });
        };
        let builder = std::thread::Builder::new().name("sordino-driver".into());
        let thread = builder.spawn(run).map_err(RemoteError::Thread)?;
        let (network, away) = match reported.recv() {
            Ok(opened) => opened?,
            Err(_) => {
                let ended = std::io::Error::other("it ended before it began");
                return Err(RemoteError::Thread(ended));
            }
        };
        Ok((network, away, Self { stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for NetworkThread {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A tokio runtime of one thread: it moves bytes, and takes [brief turns](crate::turns::brief) in a player's
/// process; other kernels run on a rayon pool.
pub(crate) fn event_loop() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().on_thread_park(brief::rests).build()
}

/// Reaches the players that are `needed`, and those `owners` that are up.
async fn open(
    identity: &Identity,
    roster: Arc<Roster>,
    inbox: Arc<DriverInbox>,
    (needed, owners): (Vec<PlayerName>, Vec<PlayerName>),
) -> Result<(Arc<QuicNetwork>, Away), RemoteError> {
    let inbox: Arc<dyn Inbox> = inbox;
    let network = QuicNetwork::bind(identity, roster, None, inbox).await?;
    let mut dialling = JoinSet::new();
    for player in needed.iter().chain(&owners).cloned() {
        let network = Arc::clone(&network);
        dialling.spawn(async move {
            let connected = network.connect(&player, PATIENCE).await;
            connected.map_err(|error| (player, error))
        });
    }
    let failed = dialling.join_all().await.into_iter().filter_map(Result::err);
    let (away, failed): (Vec<_>, Vec<_>) = failed.partition(|(player, _)| owners.contains(player));
    if failed.is_empty() {
        let away = away.into_iter().map(|(player, error)| (player, error.to_string()));
        return Ok((network, away.collect()));
    }
    network.close("the driver could not reach every player").await;
    Err(RemoteError::Unreachable(failed.into_iter().map(|(_, error)| error).collect()))
}
