//! A session whose players all live in this process.

use std::path::Path;
use std::sync::{Arc, Weak};

use sordino_graph::{PlayerName, Setup};
use sordino_ops::data::DataStore;

use crate::audit::Audit;
use crate::consent::Consent;
use crate::driver::{DriverInbox, RunError, Session};
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
        let hub: Arc<Hub> = Arc::default();
        let driver = sordino_players::roster::driver_name();
        let data = Arc::new(DataStore::new(data.to_owned()));
        let options = PlayerOptions { data, consent: Consent::ALL, audit };
        let new = |name: &PlayerName| {
            let player = Player::new(name.clone(), driver.clone(), options.clone(), |_| {});
            player.attach(hub.network(name));
            player
        };
        let players: Vec<Arc<Player>> = setup.players.iter().map(new).collect();
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
