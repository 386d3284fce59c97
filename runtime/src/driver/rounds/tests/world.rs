//! Players of one process whose connections can be cut and held up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use sordino_graph::{PlayerName, Setup};
use sordino_ops::data::DataStore;
use sordino_players::Identity;
use sordino_players::roster::driver_name;

use crate::audit::Audit;
use crate::checkpoint::Checkpoints;
use crate::consent::Consent;
use crate::driver::{DriverInbox, Session};
use crate::message::Frame;
use crate::player::{Player, PlayerOptions};
use crate::transport::{Connected, Inbox, Network};

/// Whether a frame from one to the other gets lost.
type Lossy = Box<dyn Fn(&str, &str, &Frame) -> bool + Send>;

/// See the [module](self).
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
    pub audit: Arc<Audit>,
    folder: Option<PathBuf>,
}

#[derive(Default)]
struct State {
    inboxes: BTreeMap<PlayerName, Weak<dyn Inbox>>,
    players: BTreeMap<PlayerName, Arc<Player>>,
    cut: BTreeSet<PlayerName>,
    held: BTreeSet<PlayerName>,
    /// What was on the way to or from those who are held up.
    queue: Vec<(PlayerName, PlayerName, Frame)>,
    lossy: Option<Lossy>,
    /// Plan, step, sender and receiver of each value that has arrived.
    arrived: Vec<(u32, u64, String, String)>,
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// A session of the players of `setup`.
    pub fn open(setup: &Setup) -> (Arc<Self>, Session) {
        let world = Arc::new(Self::default());
        setup.players.iter().for_each(|player| world.start(player, Consent::ALL));
        let session = world.session(setup);
        (world, session)
    }

    /// As [`open`](Self::open), with checkpoints in `folder`.
    pub fn keeping(folder: &Path, setup: &Setup) -> (Arc<Self>, Session) {
        let world = Arc::new(Self { folder: Some(folder.to_owned()), ..Self::default() });
        setup.players.iter().for_each(|player| world.start(player, Consent::ALL));
        let session = world.session(setup);
        (world, session)
    }

    /// Another session of the same players: the driver is started again.
    pub fn session(self: &Arc<Self>, setup: &Setup) -> Session {
        let (inbox, arrivals) = DriverInbox::new();
        let reached: Arc<dyn Inbox> = inbox.clone();
        self.state().inboxes.insert(driver_name(), Arc::downgrade(&reached));
        let network = self.network(&driver_name());
        Session::new(setup.clone(), network, arrivals, Box::new(inbox)).unwrap()
    }

    fn checkpoints(&self, name: &PlayerName) -> Option<Arc<Checkpoints>> {
        let folder = self.folder.as_ref()?.join(name.as_str());
        let identity = Identity::load(&folder, name).unwrap_or_else(|_| {
            let new = Identity::generate(name, 1).unwrap();
            new.save(&folder, false).unwrap();
            new
        });
        Some(Arc::new(Checkpoints::among(&folder, &identity, BTreeMap::new())))
    }

    fn network(self: &Arc<Self>, me: &PlayerName) -> Arc<dyn Network> {
        Arc::new(Wire { me: me.clone(), world: Arc::downgrade(self) })
    }

    /// Starts a player's process, in the place of one that is gone.
    pub fn start(self: &Arc<Self>, name: &PlayerName, consent: Consent) {
        let data = Arc::new(DataStore::new("no data".into()));
        let audit = Some(Arc::clone(&self.audit));
        let checkpoints = self.checkpoints(name);
        let options = PlayerOptions { data, consent, memory: u64::MAX, checkpoints, audit };
        let player = Player::new(name.clone(), options, |_| {});
        player.attach(self.network(name));
        let inbox: Arc<dyn Inbox> = player.clone();
        let mut state = self.state();
        state.inboxes.insert(name.clone(), Arc::downgrade(&inbox));
        state.cut.remove(name);
        state.players.insert(name.clone(), player);
    }

    /// A player is told to stop.
    pub fn tell_to_stop(&self, name: &PlayerName) {
        let player = Arc::clone(&self.state().players[name]);
        player.leave();
    }

    /// Whether a player takes part in no session.
    pub fn is_idle(&self, name: &PlayerName) -> bool {
        self.state().players[name].is_idle()
    }

    /// Cuts a player off: all others lose it, and it loses them.
    pub fn cut(&self, name: &PlayerName) {
        let lost: Vec<_> = {
            let mut state = self.state();
            state.cut.insert(name.clone());
            let inboxes = state.inboxes.iter();
            inboxes.filter_map(|(peer, inbox)| Some((peer.clone(), inbox.upgrade()?))).collect()
        };
        let own = lost.iter().find(|(peer, _)| peer == name).map(|(_, inbox)| inbox);
        for (peer, inbox) in lost.iter().filter(|(peer, _)| peer != name) {
            inbox.on_lost(name, "its process was killed");
            if let Some(own) = own {
                own.on_lost(peer, "the network is cut");
            }
        }
    }

    /// The network heals: the same process can be reached again.
    pub fn heal(&self, name: &PlayerName) {
        self.state().cut.remove(name);
    }

    /// Nothing more gets to or from a player until it is let go.
    pub fn hold(&self, name: &PlayerName) {
        self.state().held.insert(name.clone());
    }

    /// Lets a player go; what was held up arrives.
    pub fn release(&self, name: &PlayerName) {
        let queue = {
            let mut state = self.state();
            state.held.remove(name);
            std::mem::take(&mut state.queue)
        };
        queue.into_iter().for_each(|(from, to, frame)| self.carry(&from, &to, frame));
    }

    /// From now on frames get lost for which this holds.
    pub fn lose(&self, lossy: impl Fn(&str, &str, &Frame) -> bool + Send + 'static) {
        self.state().lossy = Some(Box::new(lossy));
    }

    /// From now on nothing gets lost.
    pub fn lose_nothing(&self) {
        self.state().lossy = None;
    }

    /// Values that have arrived so far.
    pub fn arrived(&self) -> Vec<(u32, u64, String, String)> {
        self.state().arrived.clone()
    }

    fn carry(&self, from: &PlayerName, to: &PlayerName, frame: Frame) {
        let inbox = {
            let mut state = self.state();
            if state.held.contains(from) || state.held.contains(to) {
                return state.queue.push((from.clone(), to.clone(), frame));
            }
            let lost = |lossy: &Lossy| lossy(from.as_str(), to.as_str(), &frame);
            let lost = state.lossy.as_ref().is_some_and(lost);
            if lost || state.cut.contains(from) || state.cut.contains(to) {
                return;
            }
            state.inboxes.get(to).and_then(Weak::upgrade)
        };
        let Some(inbox) = inbox else { return };
        match frame {
            Frame::Control(message) => inbox.on_control(from, message),
            Frame::Data(header, value) => {
                inbox.on_data(from, header, value);
                let names = (from.as_str().to_owned(), to.as_str().to_owned());
                self.state().arrived.push((header.plan, header.step, names.0, names.1));
            }
        }
    }
}

/// One party's way out.
struct Wire {
    me: PlayerName,
    world: Weak<World>,
}

impl Network for Wire {
    fn send(&self, to: &PlayerName, frame: Frame) {
        if let Some(world) = self.world.upgrade() {
            world.carry(&self.me, to, frame);
        }
    }

    fn connect(&self, peer: &PlayerName, then: Connected) {
        let Some(world) = self.world.upgrade() else { return };
        let cut = {
            let state = world.state();
            state.cut.contains(peer) || state.cut.contains(&self.me)
        };
        then(if cut { Err(format!("{peer} is not up")) } else { Ok(()) });
    }
}
