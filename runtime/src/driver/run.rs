//! What a run tells while it goes on, and its outcome.

use std::collections::BTreeSet;
use std::time::Duration;

use sordino_graph::PlayerName;

use super::publications::Publications;
use crate::message::{Control, PlanIndex, Published, Wait};
use crate::report::PlayerReport;

/// What happens while a function runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many of the steps asked for are done.
    Progress {
        /// Steps done.
        done: u64,
    },
    /// A player did not write a checkpoint. The run goes on; it can be resumed from the last one
    /// that all players have.
    Unsaved {
        /// Who.
        player: &'a PlayerName,
        /// Why.
        reason: &'a str,
    },
    /// A player published a value.
    Published {
        /// Who.
        player: &'a PlayerName,
        /// What.
        value: &'a Published,
    },
    /// A player waits for another, for seconds.
    Waits {
        /// Who waits.
        player: &'a PlayerName,
        /// For whom, and where.
        wait: &'a Wait,
    },
    /// An owner is left out from this step on.
    Left {
        /// Who.
        player: &'a PlayerName,
        /// The first step without it.
        step: u64,
        /// Why.
        reason: &'a str,
    },
    /// An owner that was left out takes part again from this step on.
    Returned {
        /// Who.
        player: &'a PlayerName,
        /// The first step with it.
        step: u64,
    },
    /// Too few owners are there, and nothing runs; told every few seconds.
    Short {
        /// Who is missing, and why.
        missing: &'a [(PlayerName, String)],
        /// How many of them have to come back.
        needed: usize,
        /// How long the run has waited.
        waited: Duration,
    },
}

/// The outcome of a run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What was published, in the order of arrival.
    pub published: Vec<(PlayerName, Published)>,
    /// What it cost, a report a player.
    pub reports: Vec<PlayerReport>,
    /// Seconds from the request to the last player's end.
    pub seconds: f64,
}

impl Run {
    /// Takes what a player says of a plan that runs. Returns how many steps it has done, if it says
    /// that; who has finished waits no more.
    ///
    /// # Errors
    /// What is wrong with what the player says.
    pub(super) fn take(
        &mut self,
        index: PlanIndex,
        from: &PlayerName,
        message: Control,
        publications: &mut Publications,
        waiting: &mut BTreeSet<PlayerName>,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Option<u64>, String> {
        match message {
            Control::Progress { plan, done, .. } if plan == index => return Ok(Some(done)),
            Control::Published { plan, value, .. } if plan == index => {
                publications.take(from, &value)?;
                watch(Event::Published { player: from, value: &value });
                self.published.push((from.clone(), value));
            }
            Control::Finished { plan, report, .. } if plan == index && waiting.remove(from) => {
                self.count(from, report);
            }
            _ => {}
        }
        Ok(None)
    }

    /// Adds what some steps cost a player: what it says is told under the name that it proved.
    pub(super) fn count(&mut self, from: &PlayerName, mut report: PlayerReport) {
        from.as_str().clone_into(&mut report.player);
        match self.reports.iter_mut().find(|known| known.player == report.player) {
            Some(known) => known.add(report),
            None => self.reports.push(report),
        }
    }

    /// The mean of a published scalar over all steps; `None` when it was never published.
    #[must_use]
    pub fn mean(&self, name: &str) -> Option<f64> {
        let values: Vec<f64> = self
            .published
            .iter()
            .filter(|(_, value)| value.name == name)
            .filter_map(|(_, value)| value.elements.first().copied())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}
