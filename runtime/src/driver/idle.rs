//! What the driver does by itself while its program asks for nothing: a player that is told to stop
//! then need not wait for the next request.
//!
//! Nothing runs meanwhile, so that what all players keep is a consistent cut.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use sordino_graph::PlayerName;

use super::leave::TOLD;
use super::{RunError, SILENCE, Session};
use crate::message::{Control, Failure, Frame, SessionId};
use crate::transport::Network;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Idle {
    state: Mutex<State>,
    /// Told when a session has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Who says in a message that it was told to stop, which the session has not taken up.
    told: BTreeSet<PlayerName>,
    rest: Option<Rest>,
}

/// A session of which nothing is asked.
struct Rest {
    session: SessionId,
    network: Weak<dyn Network>,
    players: Vec<PlayerName>,
    /// Those of them who may not be missing.
    needed: BTreeSet<PlayerName>,
    /// What asks for the checkpoint that is due, if one is.
    checkpoint: Option<Control>,
    /// Whether all players keep the session as it is.
    kept: bool,
    farewell: Option<Farewell>,
}

/// The end of a session in which a player was told to stop.
struct Farewell {
    player: PlayerName,
    /// Who has not written the checkpoint yet.
    owed: BTreeSet<PlayerName>,
    over: bool,
}

/// What is to be sent once nothing is locked: a network within a process hands it over at once.
type Messages = Vec<(PlayerName, Control)>;

impl Idle {
    /// Nothing panics while it is locked, so that a poisoned state is still sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message, or leaves it to the session: then it is false.
    pub(super) fn hears(&self, from: &PlayerName, message: &Control) -> bool {
        self.visit(|State { told, rest }| {
            let of = rest.as_mut().filter(|rest| rest.session == message.session());
            let leaves = matches!(message, Control::Leaving { .. });
            match of {
                Some(rest) => rest.hear(from, message),
                None => {
                    told.extend(leaves.then(|| from.clone()));
                    (false, Messages::new())
                }
            }
        })
    }

    /// The connection to a player has ended.
    pub(super) fn loses(&self, player: &PlayerName) {
        self.visit(|State { rest, .. }| {
            let lost = rest.as_mut().filter(|rest| rest.needed.contains(player));
            ((), lost.map(Rest::fail).unwrap_or_default())
        });
    }

    /// The session takes up what `from` says.
    pub(super) fn takes_up(&self, from: &PlayerName, message: &Control) {
        if let Control::Leaving { .. } = message {
            self.lock().told.remove(from);
        }
    }

    fn begins(&self, new: Rest, leaving: Option<&PlayerName>) {
        self.visit(|State { told, rest }| {
            if rest.as_ref().is_some_and(|rest| rest.farewell.is_some()) {
                return ((), Messages::new());
            }
            let rest = rest.insert(new);
            let leaving = leaving.into_iter().cloned().chain(std::mem::take(told));
            ((), leaving.flat_map(|player| rest.leave(&player)).collect())
        });
    }

    /// Who has ended the session, if it was ended, and whether all players keep it.
    fn ends(&self) -> Option<(PlayerName, bool)> {
        let goes_on = |state: &mut State| state.farewell().is_some_and(|farewell| !farewell.over);
        let waited = self.ended.wait_timeout_while(self.lock(), SILENCE, goes_on);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Rest { farewell, kept, .. } = state.rest.take()?;
        farewell.map(|farewell| (farewell.player, farewell.over && kept))
    }

    fn visit<T>(&self, change: impl FnOnce(&mut State) -> (T, Messages)) -> T {
        let (result, messages, network) = {
            let mut state = self.lock();
            let (result, messages) = change(&mut state);
            (result, messages, state.rest.as_ref().and_then(|rest| rest.network.upgrade()))
        };
        self.ended.notify_all();
        for (to, message) in messages {
            if let Some(network) = &network {
                network.send(&to, Frame::Control(message));
            }
        }
        result
    }
}

impl State {
    fn farewell(&self) -> Option<&Farewell> {
        self.rest.as_ref()?.farewell.as_ref()
    }
}

impl Rest {
    fn hear(&mut self, from: &PlayerName, message: &Control) -> (bool, Messages) {
        match message {
            Control::Leaving { .. } => (self.needed.contains(from), self.leave(from)),
            Control::Abort { .. } if self.needed.contains(from) => (false, self.fail()),
            Control::Saved { problem, .. } => {
                let Some(farewell) = &mut self.farewell else { return (false, Messages::new()) };
                let last = farewell.owed.remove(from) && farewell.owed.is_empty();
                self.kept &= problem.is_none();
                (true, if last { self.end() } else { Messages::new() })
            }
            _ => (false, Messages::new()),
        }
    }

    /// A player was told to stop.
    fn leave(&mut self, player: &PlayerName) -> Messages {
        if !self.needed.contains(player) {
            return vec![(player.clone(), Control::Close { session: self.session })];
        }
        if self.farewell.is_some() {
            return Messages::new();
        }
        let farewell = Farewell { player: player.clone(), owed: BTreeSet::new(), over: false };
        let farewell = self.farewell.insert(farewell);
        let Some(checkpoint) = self.checkpoint.take() else { return self.end() };
        self.kept = true;
        farewell.owed.clone_from(&self.needed);
        self.needed.iter().map(|player| (player.clone(), checkpoint.clone())).collect()
    }

    /// Who is needed is gone: what is not kept by then, is not.
    fn fail(&mut self) -> Messages {
        if self.farewell.as_ref().is_none_or(|farewell| farewell.over) {
            return Messages::new();
        }
        self.kept = false;
        self.end()
    }

    fn end(&mut self) -> Messages {
        let Some(farewell) = &mut self.farewell else { return Messages::new() };
        farewell.over = true;
        let failure = Failure::new(farewell.player.as_str(), TOLD);
        let message = Control::Abort { session: self.session, failure };
        self.players.iter().map(|player| (player.clone(), message.clone())).collect()
    }
}

impl Session {
    /// Does what the program asks for; before and after it, the session looks after itself.
    pub(super) fn asked<T>(
        &mut self,
        request: impl FnOnce(&mut Self) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        if let Some((player, kept)) = self.arrivals.idle.ends() {
            let session = self.id();
            self.give_up(&Failure::new(player.as_str(), TOLD));
            return Err(RunError::Stopped { player, session, kept });
        }
        let result = request(self);
        self.rest();
        result
    }

    /// From now on the program asks for nothing.
    pub(super) fn rest(&self) {
        if self.over {
            return;
        }
        let needed = |player: &&PlayerName| !self.roll.knows(player);
        let rest = Rest {
            session: self.id,
            network: Arc::downgrade(&self.network),
            players: self.setup.players.clone(),
            needed: self.setup.players.iter().filter(needed).cloned().collect(),
            checkpoint: self.checkpoints.is_due().then(|| self.next_checkpoint()),
            kept: self.checkpoints.is_kept(),
            farewell: None,
        };
        self.arrivals.idle.begins(rest, self.leaving.as_ref());
    }
}
