//! Rounds: steps of those owners who are there.
//!
//! Who takes part changes between plans. A plan is halted when an owner of it is missing, or one
//! that was missing can come back; the next one is recorded for those who are there. See
//! `ARCHITECTURE.md`, "Owners come and go", for what nobody learns by that.

mod chain;
mod halt;
mod look;

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, Instant};

use sordino_graph::{Graph, PlayerName, RecordError, Setup, digest};

pub(super) use self::chain::{Chain, key};
use self::chain::{Current, holders};
use super::publications::Publications;
use super::{Event, Run, RunError, SILENCE, Session};
use crate::message::{Control, Optional, Wait};

/// The least time that an owner has for getting ready after another waits for it.
const READY: Duration = Duration::from_secs(10);

/// How many owners a step needs, and how long it waits for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    /// With fewer, nothing runs.
    pub min_owners: usize,
    /// An owner is left out when another player has waited for it for so long: to 0.2 s.
    pub timeout: Duration,
}

/// The outcome of rounds.
#[derive(Debug, Clone, Default)]
pub struct RoundsRun {
    /// As of a function that is run by all. Owners that are gone have not said what steps cost them.
    pub run: Run,
    /// Who took part in each step that was done, in the order of steps.
    pub participation: Vec<Participation>,
}

/// Steps in which the same owners took part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participation {
    /// The steps, counted from 0 over all steps of the function that were done.
    pub steps: Range<u64>,
    /// The number under which players know the first of them: pads and batches go by it. Numbers
    /// between two participations were given up.
    pub number: u64,
    /// The owners.
    pub owners: Vec<PlayerName>,
}

/// What is asked for, and what came of it so far.
struct Request<'a> {
    owners: &'a [PlayerName],
    rounds: &'a Rounds,
    outcome: RoundsRun,
    watch: &'a mut dyn FnMut(Event<'_>),
}

impl Session {
    /// From now on these players may be missing: functions in which they have no part are run
    /// without them, and checkpoints are kept by the others.
    pub fn allow_missing(&mut self, owners: &[PlayerName]) {
        self.roll.enlist(owners);
    }

    /// A player that may be missing is, from the beginning.
    pub(crate) fn is_missing(&mut self, owner: &PlayerName, reason: &str) {
        self.roll.cut(owner, reason);
    }

    /// Has the players run `steps` steps of a function, each with those of `owners` who are there,
    /// for whom `record` makes the function.
    ///
    /// An owner that is lost, or waited for longer than the timeout, is left out from the next step
    /// on; it takes part again when it can be reached. Numbers of steps that were under way then are
    /// given up, and others are run for them. With fewer than `min_owners` nothing runs until enough
    /// are back. Owners hold no variables: what they need is transferred to them.
    ///
    /// # Errors
    /// [`RunError`]. The session is over when other players than owners have failed, and when too
    /// many owners say that they cannot take part.
    pub fn run_rounds<O: AsRef<PlayerName> + Clone>(
        &mut self,
        rounds: &Rounds,
        owners: &[O],
        record: impl Fn(&[O], &Setup) -> Result<Graph, RecordError>,
        steps: u64,
        mut watch: impl FnMut(Event<'_>),
    ) -> Result<RoundsRun, RunError> {
        self.asked(|session| session.run_in_rounds(rounds, owners, &record, steps, &mut watch))
    }

    fn run_in_rounds<O: AsRef<PlayerName> + Clone>(
        &mut self,
        rounds: &Rounds,
        owners: &[O],
        record: &impl Fn(&[O], &Setup) -> Result<Graph, RecordError>,
        steps: u64,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<RoundsRun, RunError> {
        let names: Vec<_> = owners.iter().map(|owner| owner.as_ref().clone()).collect();
        if !(1..=names.len()).contains(&rounds.min_owners) {
            let (min_owners, owners) = (rounds.min_owners, names.len());
            return Err(RunError::Rounds { min_owners, owners });
        }
        let (start, all) = (Instant::now(), digest(&record(owners, &self.setup)?));
        self.roll.enlist(&names);
        let outcome = RoundsRun::default();
        let mut chain = self.chain(&all);
        let mut request = Request { owners: &names, rounds, outcome, watch };
        for (player, reason) in &self.roll.newly_missing(&names) {
            (request.watch)(Event::Left { player, step: chain.done, reason });
        }
        let (first, mut done) = (chain.done, 0);
        self.in_rounds = true;
        let mut result = Ok(());
        while result.is_ok() && done < steps {
            result = self.go_on(&mut chain, owners, record, (done, steps - done), &mut request);
            let more = chain.done - first - done;
            done += more;
            result = result.and_then(|()| self.keep(key(&all), chain.done, more, &mut request));
        }
        self.in_rounds = false;
        self.chains.insert(all, chain);
        result?;
        (request.watch)(Event::Progress { done });
        let mut outcome = request.outcome;
        outcome.run.seconds = start.elapsed().as_secs_f64();
        self.sort(&mut outcome.run.reports);
        Ok(outcome)
    }

    /// Does what comes next: drops the plan of those who were there, waits for owners, prepares the
    /// plan of those who are there, or runs steps of it.
    fn go_on<O: AsRef<PlayerName> + Clone>(
        &mut self,
        chain: &mut Chain,
        owners: &[O],
        record: &impl Fn(&[O], &Setup) -> Result<Graph, RecordError>,
        (done, left): (u64, u64),
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        self.dial();
        self.roll.take_back();
        if self.leaving.is_some() && chain.current.is_none() {
            return self.stop_if_leaving(request.watch);
        }
        let there = |owner: &&O| !self.roll.is_away((*owner).as_ref());
        let there: Vec<O> = owners.iter().filter(there).cloned().collect();
        let named: Vec<_> = there.iter().map(|owner| owner.as_ref().clone()).collect();
        let others = chain.current.as_ref().is_some_and(|current| current.owners != named);
        if others || self.leaving.is_some() {
            self.halt(chain, Vec::new(), request)
        } else if named.len() < request.rounds.min_owners {
            self.wait_for_owners(request)
        } else if let Some(current) = &chain.current {
            let (piece, before) = (self.checkpoints.piece(left), chain.done);
            let variables = self.variables_after(&current.prepared, piece)?;
            self.advance(chain, done, piece, request)?;
            if chain.done > before {
                self.variables = variables;
            }
            Ok(())
        } else {
            let recorded = record(&there, &self.setup)?;
            self.begin(chain, recorded, named, request)
        }
    }

    /// Counts `more` steps, and has players keep what they have if it is time.
    fn keep(
        &mut self,
        key: [u8; 32],
        done: u64,
        more: u64,
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        self.checkpoints.count_rounds(key, done);
        if self.checkpoints.is_due_after(more) {
            self.write_checkpoint(&mut *request.watch)?;
        }
        Ok(())
    }

    /// Prepares the plan of those who are there. Leaves none if one of them gets lost meanwhile.
    fn begin(
        &mut self,
        chain: &mut Chain,
        recorded: Graph,
        owners: Vec<PlayerName>,
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        let optional = Optional {
            players: owners.iter().map(|owner| owner.as_str().to_owned()).collect(),
            timeout: u64::try_from(request.rounds.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let prepared = self.ask(recorded, Some(chain.next), &optional)?;
        let holders = holders(&prepared, &owners)?;
        let mut waiting: BTreeSet<_> = prepared.players.iter().cloned().collect();
        let publications = Publications::of(&prepared.plan, 0);
        let current = chain.current.insert(Current { publications, prepared, owners, holders });
        let mut heard = Instant::now();
        while !waiting.is_empty() {
            if let Some((from, message)) = self.look(request)? {
                heard = Instant::now();
                if self.is_ready(&current.prepared, &from, &message)? {
                    waiting.remove(&from);
                }
                let timeout = request.rounds.timeout.max(READY);
                if let Some((on, reason)) = late(&from, &message, &current.owners, timeout)
                    && !self.waits.works(on.as_str())
                {
                    self.roll.leave(&on, &reason);
                }
            }
            let gone = current.owners.iter().any(|owner| self.roll.is_away(owner));
            if gone || self.leaving.is_some() {
                return self.halt(chain, Vec::new(), request);
            }
            if heard.elapsed() >= SILENCE {
                return Err(self.silence(&waiting));
            }
        }
        for player in &self.roll.newly_back(&current.owners) {
            (request.watch)(Event::Returned { player, step: chain.done });
        }
        Ok(())
    }

    /// Runs steps of the current plan: all that are asked for, or as many as get done until owners
    /// go or can come back.
    fn advance(
        &mut self,
        chain: &mut Chain,
        before: u64,
        steps: u64,
        request: &mut Request<'_>,
    ) -> Result<(), RunError> {
        let Some(current) = &mut chain.current else { return Ok(()) };
        current.publications = Publications::of(&current.prepared.plan, steps);
        self.start(&current.prepared, steps);
        let mut waiting: BTreeSet<_> = current.prepared.players.iter().cloned().collect();
        let (mut furthest, mut heard, mut overdue) = (0, Instant::now(), Vec::new());
        while !waiting.is_empty() {
            if let Some((from, message)) = self.look(request)? {
                heard = Instant::now();
                overdue.extend(late(&from, &message, &current.owners, request.rounds.timeout));
                let (run, watch) = (&mut request.outcome.run, &mut *request.watch);
                let (index, publications) = (current.prepared.index, &mut current.publications);
                let told = run.take(index, &from, message, publications, &mut waiting, watch);
                let told = told.map_err(|reason| self.blame(&from, reason))?;
                let done = told.filter(|_| !current.owners.contains(&from));
                let done = done.unwrap_or(0).saturating_sub(chain.next).min(steps);
                if done > furthest {
                    furthest = done;
                    self.roll.progressed();
                    watch(Event::Progress { done: before + done });
                }
            }
            let gone = current.owners.iter().any(|owner| self.roll.is_away(owner));
            let gone = gone || self.leaving.is_some();
            if gone || !overdue.is_empty() || self.roll.take_back() {
                return self.halt(chain, overdue, request);
            }
            if heard.elapsed() >= SILENCE {
                return Err(self.silence(&waiting));
            }
        }
        let end = chain.next + steps;
        chain.count(end, end, &mut request.outcome.participation);
        Ok(())
    }
}

/// The owner that a message says is waited for longer than `timeout`, and how it says that.
fn late(
    from: &PlayerName,
    message: &Control,
    owners: &[PlayerName],
    timeout: Duration,
) -> Option<(PlayerName, String)> {
    let Control::Pulse { wait: Some(Wait { on, node, millis }), .. } = message else { return None };
    let owner = owners.iter().find(|owner| owner.as_str() == on)?;
    let seconds = *millis as f64 / 1e3;
    let reason = || format!("{from} waits {seconds:.1} s for it at {node}");
    (Duration::from_millis(*millis) >= timeout).then(|| (owner.clone(), reason()))
}

#[cfg(test)]
mod tests;
