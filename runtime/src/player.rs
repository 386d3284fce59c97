//! A player: answers to drivers, and runs its part of the plans of its sessions.

mod sessions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use sordino_graph::{PlayerName, Type};
use sordino_ops::Tensor;
use sordino_ops::data::DataStore;
use sordino_players::roster::is_driver;

use self::sessions::{MOST_SESSIONS, Open, Sessions};
use crate::audit::Audit;
use crate::checkpoint::Checkpoints;
use crate::consent::Consent;
use crate::log::Note;
use crate::memory::Room;
use crate::message::{Control, DataHeader, Failure, Frame, SessionId};
use crate::session::PlayerSession;
use crate::status::SessionStatus;
use crate::transport::{Inbox, Network, Refused};
use crate::turns::Order;

/// How often waits are looked at.
const WATCH: Duration = Duration::from_millis(200);

/// A player of this process. It is the [`Inbox`] of its network.
pub struct Player {
    me: PlayerName,
    options: PlayerOptions,
    room: Arc<Room>,
    network: OnceLock<Arc<dyn Network>>,
    sessions: Mutex<Sessions>,
    log: Box<dyn Fn(&Note<'_>) + Send + Sync>,
}

/// What a player has, and what it lets happen to it.
#[derive(Debug, Clone)]
pub struct PlayerOptions {
    /// Its own data.
    pub data: Arc<DataStore>,
    /// What may happen to its own data.
    pub consent: Consent,
    /// Bytes that sessions may take together: each for the values of one step of its largest plan, and
    /// for its variables.
    pub memory: u64,
    /// Where it keeps what sessions are to be resumed from.
    pub checkpoints: Option<Arc<Checkpoints>>,
    /// Notes every pad that is drawn, for tests.
    pub audit: Option<Arc<Audit>>,
}

impl Player {
    /// A player that lets drivers open sessions, which have nothing to do with each other's. What
    /// happens to it is told to `log`.
    pub fn new(
        me: PlayerName,
        options: PlayerOptions,
        log: impl Fn(&Note<'_>) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let player = Arc::new(Self {
            me,
            room: Room::new(options.memory),
            options,
            network: OnceLock::new(),
            sessions: Mutex::default(),
            log: Box::new(log),
        });
        watch(Arc::downgrade(&player));
        player
    }

    /// Gives the player its way out. Called once, before anything arrives.
    pub fn attach(&self, network: Arc<dyn Network>) {
        // A second call changes nothing.
        let _ = self.network.set(network);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &PlayerName {
        &self.me
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self, id: &SessionId) -> Option<Arc<PlayerSession>> {
        self.sessions().open.get(id).map(|open| Arc::clone(&open.session))
    }

    /// A session, for the driver that opened it.
    fn session_of(&self, driver: &PlayerName, id: &SessionId) -> Option<Arc<PlayerSession>> {
        self.session(id).filter(|session| session.driver() == driver)
    }

    /// The session of a message of a driver, opened if this is its first one.
    fn open(&self, driver: &PlayerName, id: SessionId) -> Result<Arc<PlayerSession>, String> {
        let network = self.network.get().ok_or("is not connected yet")?;
        let mut sessions = self.sessions();
        // One that has failed here goes on elsewhere: this player comes back to it.
        let open = sessions.open.get(&id);
        if let Some(open) = open.filter(|open| open.session.failure().is_none()) {
            let own = open.session.driver() == driver;
            return own.then(|| Arc::clone(&open.session)).ok_or_else(|| {
                "takes part in a session of this name already, which is another driver's".to_owned()
            });
        }
        if sessions.leaving {
            return Err("was told to stop: start it again, and then a session".to_owned());
        }
        if sessions.of_driver(driver).count() >= MOST_SESSIONS {
            return Err(format!("takes part in {MOST_SESSIONS} sessions already; close one"));
        }
        let session = PlayerSession::new(
            id,
            self.me.clone(),
            driver.clone(),
            Arc::clone(network),
            self.options.clone(),
            &self.room,
        );
        sessions.open.insert(id, Open { session: Arc::clone(&session), plans: HashMap::new() });
        (self.log)(&Note::SessionOpened { session: id, driver });
        let (now, later): (Vec<_>, _) =
            sessions.early.drain(..).partition(|(_, message)| message.session() == id);
        sessions.early = later;
        drop(sessions);
        for (from, message) in now {
            self.on_control(&from, message);
        }
        Ok(session)
    }

    /// As [`open`](Self::open); the driver is told why not.
    fn opened(&self, driver: &PlayerName, session: SessionId) -> Option<Arc<PlayerSession>> {
        let refused = |reason: String| {
            let failure = Failure::new(self.me.as_str(), reason);
            let message = Control::Abort { session, failure };
            if let Some(network) = self.network.get() {
                network.send(driver, Frame::Control(message));
            }
        };
        self.open(driver, session).map_err(refused).ok()
    }

    fn on_driver(&self, driver: &PlayerName, message: Control) {
        match message {
            Control::Prepare { session, plan, first, optional, text } => {
                let Some(opened) = self.opened(driver, session) else { return };
                let room = self.sessions().make_room(session, plan, text.len());
                match room {
                    Ok(()) => opened.spawn(Order::Then, move |session| {
                        session.prepare(plan, first, &optional, &text);
                    }),
                    Err(reason) => opened.fail(&self.me, &reason),
                }
            }
            Control::Recall { session, of } => {
                if let Some(session) = self.opened(driver, session) {
                    session.guard(|session| session.recall(of));
                }
            }
            Control::Restore { session, of, number } => {
                if let Some(session) = self.opened(driver, session) {
                    session.guard(|session| session.restore(of, number));
                }
            }
            Control::Checkpoint { session, number, keep, rounds } => {
                if let Some(session) = self.session_of(driver, &session) {
                    session.guard(|session| session.checkpoint(number, keep, rounds));
                }
            }
            Control::Run { session, plan, steps } => {
                if let Some(session) = self.session_of(driver, &session) {
                    session.guard(|session| session.run(plan, steps));
                }
            }
            Control::Halt { session: id, plan } => {
                if let Some(session) = self.session_of(driver, &id) {
                    session.guard(|session| session.halt(plan));
                    if let Some(open) = self.sessions().open.get_mut(&id) {
                        open.plans.remove(&plan);
                    }
                }
            }
            Control::Hold { session, plan } => {
                if let Some(session) = self.session_of(driver, &session) {
                    session.guard(|session| session.hold(plan));
                }
            }
            Control::EndAt { session, plan, end } => {
                if let Some(session) = self.session_of(driver, &session) {
                    session.guard(|session| session.end_at(plan, end));
                }
            }
            Control::Close { session } => {
                if self.session_of(driver, &session).is_some() {
                    self.sessions().open.remove(&session);
                    (self.log)(&Note::SessionClosed { session });
                }
            }
            other => {
                let session = self.session_of(driver, &other.session());
                self.blame(driver, session, "sent what only players may send");
            }
        }
    }

    /// `peer` sent what is not its to send: fails the session, if there is one.
    fn blame(&self, peer: &PlayerName, session: Option<Arc<PlayerSession>>, what: &str) {
        if let Some(session) = session {
            return session.fail(peer, what);
        }
        // Once: a log is no place for as many lines as a peer likes.
        if self.sessions().blamed.insert(peer.clone()) {
            (self.log)(&Note::Misconduct { peer, what });
        }
    }

    /// Forgets sessions that have failed, and says so.
    fn sweep(&self) {
        let mut failed = Vec::new();
        self.sessions().open.retain(|id, open| {
            let failure = open.session.failure();
            let goes_on = failure.is_none();
            failed.extend(failure.map(|failure| (*id, failure)));
            goes_on
        });
        for (session, failure) in &failed {
            let (at_fault, reason) = (&failure.player, &failure.account());
            (self.log)(&Note::SessionFailed { session: *session, at_fault, reason });
        }
    }

    /// Takes part in no new session from now on, and has those that there are end with the steps that
    /// have begun. Returns how many there are.
    pub(crate) fn leave(&self) -> usize {
        self.sessions().leaving = true;
        self.each_session(PlayerSession::leave);
        self.sweep();
        self.sessions().open.len()
    }

    /// Whether it was told to stop, and what it takes part in.
    pub(crate) fn status(&self) -> (bool, Vec<SessionStatus>) {
        let (leaving, sessions): (_, Vec<_>) = {
            let sessions = self.sessions();
            let open = sessions.open.values().map(|open| Arc::clone(&open.session));
            (sessions.leaving, open.collect())
        };
        let mut sessions: Vec<_> = sessions.iter().map(|session| session.status()).collect();
        sessions.sort_by(|a, b| (b.seconds, &a.session).cmp(&(a.seconds, &b.session)));
        (leaving, sessions)
    }

    /// Whether it takes part in no session.
    pub(crate) fn is_idle(&self) -> bool {
        self.sessions().open.is_empty()
    }

    fn each_session(&self, visit: impl Fn(&Arc<PlayerSession>)) {
        let open = |open: &Open| Arc::clone(&open.session);
        let sessions: Vec<_> = self.sessions().open.values().map(open).collect();
        sessions.iter().for_each(|session| session.guard(&visit));
    }
}

impl Inbox for Player {
    fn on_control(&self, from: &PlayerName, message: Control) {
        match message {
            Control::Abort { session, failure } => {
                if let Some(session) = self.session(&session) {
                    session.guard(|session| session.on_abort(from, failure));
                    self.sweep();
                }
            }
            message if is_driver(from) => self.on_driver(from, message),
            greeting @ Control::Hello { .. } => {
                let session = self.sessions().greeted(from, &greeting);
                if let (Some(session), Control::Hello { plan, digests, secrets, .. }) =
                    (session, greeting)
                {
                    session.guard(|session| session.on_hello(from, plan, digests, secrets));
                }
            }
            Control::Credit { session, plan, done } => {
                if let Some(session) = self.session(&session) {
                    session.guard(|session| session.on_credit(from, plan, done));
                }
            }
            other => {
                let session = self.session(&other.session());
                self.blame(from, session, "sent what only the driver may send");
            }
        }
    }

    fn on_announce(
        &self,
        from: &PlayerName,
        header: &DataHeader,
        length: u64,
    ) -> Result<Type, Refused> {
        match self.session(&header.session) {
            Some(session) => {
                let mut answer = Err(Refused("a bug".into()));
                session.guard(|session| answer = session.on_announce(from, header, length));
                answer
            }
            None => Err(Refused("there is no such session".into())),
        }
    }

    fn on_data(&self, from: &PlayerName, header: DataHeader, value: Tensor) {
        if let Some(session) = self.session(&header.session) {
            session.guard(|session| session.on_data(from, header, value));
        }
    }

    fn on_lost(&self, peer: &PlayerName, reason: &str) {
        (self.log)(&Note::PeerLost { peer, reason });
        self.each_session(|session| session.on_lost(peer, reason));
        self.sweep();
    }
}

/// Looks after the sessions of a player until it is dropped.
fn watch(player: Weak<Player>) {
    let look = move || {
        while let Some(player) = player.upgrade() {
            player.each_session(|session| {
                if let Some(wait) = session.check_patience() {
                    (player.log)(&Note::Waiting { session: session.id(), wait: &wait });
                }
            });
            player.sweep();
            drop(player);
            std::thread::sleep(WATCH);
        }
    };
    // Without the thread, waits have no deadline: better not to start at all.
    std::thread::Builder::new()
        .name("sordino-watch".into())
        .spawn(look)
        .expect("the system can start a thread");
}
