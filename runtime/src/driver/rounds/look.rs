//! What happens to owners while rounds go on.

use std::time::{Duration, Instant};

use sordino_graph::PlayerName;

use super::Request;
use crate::driver::{Event, News, RunError, Session};
use crate::message::{Control, Failure};
use crate::session::LONG;

/// How often it is looked after owners that are missing.
const LOOK: Duration = Duration::from_millis(200);

impl Session {
    /// Begins to look for owners that are gone.
    pub(super) fn dial(&mut self) {
        for owner in self.roll.due_for_dialling(Instant::now()) {
            self.network.connect(&owner, self.arrivals.dialled(owner.clone()));
        }
    }

    /// What happens next, or nothing for a while. What fails for others than owners is an error.
    pub(super) fn look(
        &mut self,
        request: &mut Request<'_>,
    ) -> Result<Option<(PlayerName, Control)>, RunError> {
        self.dial();
        let failure = match self.news(LOOK, request.watch)? {
            News::Said(from, message) => {
                self.note_leaving(&from, &message, &[]);
                return Ok(Some((from, message)));
            }
            News::Failed(from, failure) if !request.owners.contains(&from) => {
                self.first_hand(&from, failure)
            }
            News::Lost(from, reason)
                if self.setup.players.contains(&from) && !request.owners.contains(&from) =>
            {
                Failure::new(from.as_str(), reason)
            }
            News::Failed(..) | News::Lost(..) | News::Nothing => {
                let unable = self.roll.unable(request.owners);
                if request.owners.len() - unable.len() >= request.rounds.min_owners {
                    return Ok(None);
                }
                let Some((player, reason)) = unable.into_iter().next() else { return Ok(None) };
                Failure::new(player.as_str(), reason)
            }
        };
        let failure = self.waits.explain(failure);
        self.give_up(&failure);
        Err(RunError::Failed(failure))
    }

    /// Waits until owners can come back.
    pub(super) fn wait_for_owners(&mut self, request: &mut Request<'_>) -> Result<(), RunError> {
        let (start, mut told) = (Instant::now(), None::<Instant>);
        loop {
            let missing = self.roll.missing(request.owners);
            let there = request.owners.len() - missing.len();
            if self.roll.take_back() || self.leaving.is_some() {
                return Ok(());
            }
            if told.is_none_or(|told| told.elapsed() >= LONG) {
                told = Some(Instant::now());
                let (needed, waited) = (request.rounds.min_owners - there, start.elapsed());
                (request.watch)(Event::Short { missing: &missing, needed, waited });
            }
            self.look(request)?;
        }
    }
}
