//! The end of a run in which a player was told to stop.
//!
//! Players are not at the same step, and what one has begun others must finish. So all are held
//! first, and then told to end with the furthest step that any of them has begun. Who may be missing
//! is let go at once.

use std::collections::BTreeMap;

use sordino_graph::PlayerName;

use super::{Event, Prepared, RunError, Session};
use crate::message::{Control, Failure, Frame};

/// What a player says of itself, and is said of it.
pub(super) const TOLD: &str = "was told to stop";

/// With which step a request ends.
pub(super) struct Ending {
    /// The first step that is left out, as far as is known.
    end: u64,
    /// What each player has begun, once they are held.
    begun: Option<BTreeMap<PlayerName, u64>>,
}

impl Ending {
    /// Of a request that ends before step `end` unless a player leaves.
    pub(super) fn new(end: u64) -> Self {
        Self { end, begun: None }
    }

    /// The first step that is left out.
    pub(super) fn end(&self) -> u64 {
        self.end
    }
}

impl Session {
    /// Notes who was told to stop. Who is not among the players `needed`, and may be missing, is.
    pub(super) fn note_leaving(
        &mut self,
        from: &PlayerName,
        message: &Control,
        needed: &[PlayerName],
    ) {
        let Control::Leaving { session } = *message else { return };
        if self.is_dispensable(from, needed) {
            self.roll.failed(from, true, TOLD);
            self.network.send(from, Frame::Control(Control::Close { session }));
        } else {
            self.leaving.get_or_insert_with(|| from.clone());
        }
    }

    /// Holds all players if one of them leaves.
    pub(super) fn hold_if_leaving(&self, prepared: &Prepared, ending: &mut Ending) {
        if self.leaving.is_some() && ending.begun.is_none() {
            ending.begun = Some(BTreeMap::new());
            tell(self, prepared, &Control::Hold { session: self.id, plan: prepared.index });
        }
    }

    /// Takes in that a player is held; when all are, they are told with which step to end.
    pub(super) fn held(
        &self,
        prepared: &Prepared,
        ending: &mut Ending,
        from: &PlayerName,
        message: &Control,
    ) {
        let &Control::Held { session, plan, begun } = message else { return };
        let Some(all) = ending.begun.as_mut().filter(|_| plan == prepared.index) else { return };
        let new = all.insert(from.clone(), begun).is_none();
        if new && prepared.players.iter().all(|player| all.contains_key(player)) {
            let furthest = all.values().max().copied().unwrap_or(0);
            ending.end = furthest.clamp(prepared.steps, ending.end);
            tell(self, prepared, &Control::EndAt { session, plan, end: ending.end });
        }
    }

    /// Ends the session, between two requests, if a player was told to stop.
    pub(super) fn stop_if_leaving(
        &mut self,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let Some(player) = self.leaving.clone() else { return Ok(()) };
        if self.checkpoints.is_due() {
            self.write_checkpoint(watch)?;
        }
        let (session, kept) = (self.id(), self.checkpoints.is_kept());
        self.give_up(&Failure::new(player.as_str(), TOLD));
        Err(RunError::Stopped { player, session, kept })
    }
}

fn tell(session: &Session, prepared: &Prepared, message: &Control) {
    for player in &prepared.players {
        session.network.send(player, Frame::Control(message.clone()));
    }
}
