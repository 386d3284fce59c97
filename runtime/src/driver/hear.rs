//! What the driver makes of what it hears.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sordino_graph::PlayerName;
use sordino_players::roster::driver_name;

use super::{Arrival, Event, News, RunError, SILENCE, Session};
use crate::message::{Control, Failure};

/// How long who noticed a failure has for telling the driver, after another did.
const FIRST_HAND: Duration = Duration::from_millis(500);

impl Session {
    /// The next message of this session, while the players `needed` are.
    pub(super) fn receive(
        &mut self,
        waiting: &BTreeSet<PlayerName>,
        needed: &[PlayerName],
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(PlayerName, Control), RunError> {
        loop {
            let failure = match self.news(SILENCE, watch)? {
                News::Said(from, message) => {
                    self.note_leaving(&from, &message, needed);
                    return Ok((from, message));
                }
                News::Failed(from, failure) if !self.is_dispensable(&from, needed) => {
                    self.first_hand(&from, failure)
                }
                News::Lost(from, reason) if !self.is_dispensable(&from, needed) => {
                    Failure::new(from.as_str(), reason)
                }
                News::Failed(..) | News::Lost(..) => continue,
                News::Nothing => return Err(self.silence(waiting)),
            };
            let mut failure = self.waits.explain(failure);
            let owes = waiting.iter().any(|player| player.as_str() == failure.player);
            if owes && !failure.reason.contains(" waits ") {
                failure.reason += "; the driver waits for its answer";
            }
            self.give_up(&failure);
            return Err(RunError::Failed(failure));
        }
    }

    /// A failure that ends the session, as told by who noticed it: players tell each other of it, and
    /// one that has heard of it may be the first to tell the driver.
    pub(super) fn first_hand(&self, from: &PlayerName, failure: Failure) -> Failure {
        let (hearsay, until) = (failure.heard_from.is_some(), Instant::now() + FIRST_HAND);
        let told = failure.told_by(from);
        let left = || until.saturating_duration_since(Instant::now());
        while hearsay && let Some((from, arrival)) = self.arrivals.next(left()) {
            match arrival {
                Arrival::Control(Control::Abort { session, failure })
                    if session == self.id
                        && failure.player == told.player
                        && failure.heard_from.is_none() =>
                {
                    return failure.told_by(&from);
                }
                Arrival::Lost(reason) if from.as_str() == told.player => {
                    return Failure::new(told.player, reason);
                }
                _ => {}
            }
        }
        told
    }

    pub(super) fn is_dispensable(&self, player: &PlayerName, needed: &[PlayerName]) -> bool {
        !self.setup.players.contains(player) || self.roll.knows(player) && !needed.contains(player)
    }

    /// Ends the session because nobody says anything.
    pub(super) fn silence(&mut self, waiting: &BTreeSet<PlayerName>) -> RunError {
        let seconds = SILENCE.as_secs();
        self.blame(&driver_name(), format!("heard nothing for {seconds} s"));
        RunError::Silence { players: waiting.iter().cloned().collect(), seconds }
    }

    /// What happens next, within `patience`. Notes who waits and who is there.
    pub(super) fn news(
        &mut self,
        patience: Duration,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<News, RunError> {
        if self.over {
            return Err(RunError::Over);
        }
        let until = Instant::now() + patience;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some((from, arrival)) = self.arrivals.next(left) else {
                return Ok(News::Nothing);
            };
            match arrival {
                Arrival::Control(message) if message.session() != self.id => {}
                Arrival::Control(Control::Abort { failure, .. }) => {
                    let by_itself = failure.player == from.as_str();
                    let told = failure.clone().told_by(&from);
                    self.roll.failed(&from, by_itself, &told.to_string());
                    return Ok(News::Failed(from, failure));
                }
                Arrival::Control(message) => {
                    self.roll.heard(&from);
                    if let Control::Missing { failure, .. } = &message
                        && let Ok(owner) = PlayerName::new(&failure.player)
                    {
                        self.roll.leave(&owner, &failure.clone().told_by(&from).account());
                    }
                    self.note_wait(&from, &message, watch)?;
                    return Ok(News::Said(from, message));
                }
                Arrival::Lost(reason) => {
                    self.roll.cut(&from, &reason);
                    return Ok(News::Lost(from, reason));
                }
                Arrival::Dialled(reached) => self.roll.dialled(&from, reached.is_ok()),
            }
        }
    }

    fn note_wait(
        &mut self,
        from: &PlayerName,
        message: &Control,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let wait = match message {
            Control::Pulse { wait, .. } => wait,
            Control::Progress { .. } => &None,
            _ => {
                self.waits.forget(from);
                return Ok(());
            }
        };
        self.waits.note(from, wait.clone());
        if let Some(wait) = wait {
            watch(Event::Waits { player: from, wait });
        }
        let is_owner = |player: &str| PlayerName::new(player).is_ok_and(|p| self.roll.knows(&p));
        if let Some(failure) = self.waits.at_fault(from)
            && !(self.in_rounds && is_owner(&failure.player))
        {
            self.give_up(&failure);
            return Err(RunError::Failed(failure));
        }
        Ok(())
    }
}
