//! A session whose players all live in this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Weak};

use sordino_graph::{PlayerName, Setup};
use sordino_ops::data::DataStore;
use sordino_players::{Identity, IdentityError, identity};

use crate::audit::Audit;
use crate::checkpoint::Checkpoints;
use crate::consent::Consent;
use crate::driver::{DriverInbox, RunError, Session};
use crate::memory;
use crate::player::{Player, PlayerOptions};
use crate::transport::Inbox;
use crate::transport::memory::Hub;

impl Session {
    /// Opens a session with every player of `setup` in this process, all of them reading their
    /// data below `data`.
    ///
    /// Values are handed over in memory. The players are as separate as their code: use it to
    /// develop and to test, not to protect anything.
    ///
    /// # Errors
    /// [`RunError::NoRandomness`] when the system gives no random bytes.
    pub fn local(setup: Setup, data: &Path, audit: Option<Arc<Audit>>) -> Result<Self, RunError> {
        Self::local_with(setup, data, audit, |_| Ok(None))
    }

    /// As [`local`](Self::local), with checkpoints below `state`, in a folder for each player, where
    /// the keys that seal them are as well.
    ///
    /// # Errors
    /// [`RunError::NoRandomness`]; [`RunError::Identity`] when a key cannot be read or made.
    pub fn local_in(
        setup: Setup,
        data: &Path,
        audit: Option<Arc<Audit>>,
        state: &Path,
    ) -> Result<Self, RunError> {
        Self::local_with(setup, data, audit, |name| {
            let identity = match Identity::load(state, name) {
                Err(IdentityError::CertificateMissing { .. }) => {
                    let new = Identity::generate(name, identity::DEFAULT_VALID_DAYS)?;
                    new.save(state, false)?;
                    new
                }
                loaded => loaded?,
            };
            let folder = state.join("checkpoints").join(name.as_str());
            Ok(Some(Arc::new(Checkpoints::among(&folder, &identity, BTreeMap::new()))))
        })
    }

    fn local_with(
        setup: Setup,
        data: &Path,
        audit: Option<Arc<Audit>>,
        checkpoints: impl Fn(&PlayerName) -> Result<Option<Arc<Checkpoints>>, RunError>,
    ) -> Result<Self, RunError> {
        let hub: Arc<Hub> = Arc::default();
        let driver = sordino_players::roster::driver_name();
        let data = Arc::new(DataStore::new(data.to_owned()));
        let new = |name: &PlayerName| -> Result<_, RunError> {
            let (data, audit, checkpoints) = (data.clone(), audit.clone(), checkpoints(name)?);
            let options = PlayerOptions {
                data,
                consent: Consent::ALL,
                memory: memory::of_machine(),
                checkpoints,
                audit,
            };
            let player = Player::new(name.clone(), options, |_| {});
            player.attach(hub.network(name));
            Ok(player)
        };
        let players: Vec<Arc<Player>> =
            setup.players.iter().map(new).collect::<Result<_, RunError>>()?;
        let (inbox, arrivals) = DriverInbox::new();
        let driver_inbox: Arc<dyn Inbox> = inbox.clone();
        let inboxes = players.iter().map(|player| {
            let inbox: Arc<dyn Inbox> = player.clone();
            (player.name().clone(), Arc::downgrade(&inbox))
        });
        let own: (PlayerName, Weak<dyn Inbox>) = (driver.clone(), Arc::downgrade(&driver_inbox));
        hub.open(inboxes.chain([own]));
        let network = hub.network(&driver);
        Self::new(setup, network, arrivals, Box::new((players, inbox)))
    }
}
