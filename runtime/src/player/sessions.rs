//! The sessions of a player, and what drivers and peers may fill of its memory with them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sordino_graph::PlayerName;

use crate::message::{Control, PlanIndex, SessionId};
use crate::session::PlayerSession;

/// Sessions of one driver that a player takes part in at a time.
pub(super) const MOST_SESSIONS: usize = 64;

/// Greetings of one peer kept for sessions that the driver has not opened here yet.
const MOST_EARLY: usize = MOST_SESSIONS;

/// Plans of one session.
const MOST_PLANS: usize = 256;

/// Bytes of the texts of all plans of all open sessions of one driver.
const MOST_TEXT: usize = 64 << 20;

#[derive(Default)]
pub(super) struct Sessions {
    pub(super) open: HashMap<SessionId, Open>,
    pub(super) early: Vec<(PlayerName, Control)>,
    /// Who has been complained of in the log.
    pub(super) blamed: HashSet<PlayerName>,
    /// Whether the player was told to stop.
    pub(super) leaving: bool,
}

/// A session, and what the driver has had it prepare.
pub(super) struct Open {
    pub(super) session: Arc<PlayerSession>,
    /// Bytes of the text of each plan.
    pub(super) plans: HashMap<PlanIndex, usize>,
}

impl Sessions {
    /// Counts in a plan of so many bytes, if there is room for it.
    pub(super) fn make_room(
        &mut self,
        id: SessionId,
        plan: PlanIndex,
        text: usize,
    ) -> Result<(), String> {
        let Some(open) = self.open.get(&id) else { return Ok(()) };
        let held = self.of_driver(open.session.driver()).flat_map(|open| open.plans.values());
        if held.sum::<usize>() + text > MOST_TEXT {
            return Err(format!("holds plans of {MOST_TEXT} bytes at most; close a session"));
        }
        let Some(open) = self.open.get_mut(&id) else { return Ok(()) };
        if open.plans.len() >= MOST_PLANS {
            return Err(format!("prepares {MOST_PLANS} plans a session at most"));
        }
        open.plans.insert(plan, text);
        Ok(())
    }

    pub(super) fn of_driver<'a>(
        &'a self,
        driver: &'a PlayerName,
    ) -> impl Iterator<Item = &'a Open> {
        self.open.values().filter(move |open| open.session.driver() == driver)
    }

    /// The session that a greeting is for. If there is none yet the greeting is kept; of one peer
    /// the latest ones, so that no peer can push out another's.
    pub(super) fn greeted(
        &mut self,
        from: &PlayerName,
        greeting: &Control,
    ) -> Option<Arc<PlayerSession>> {
        if let Some(open) = self.open.get(&greeting.session()) {
            return Some(Arc::clone(&open.session));
        }
        let of_peer = |(peer, _): &(PlayerName, Control)| peer == from;
        if self.early.iter().filter(|early| of_peer(early)).count() >= MOST_EARLY
            && let Some(oldest) = self.early.iter().position(of_peer)
        {
            self.early.remove(oldest);
        }
        self.early.push((from.clone(), greeting.clone()));
        None
    }
}
