//! When a session is kept on the players' disks, and how a run is resumed from there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use sordino_graph::{Digest, Function, PlayerName, digest};
use sordino_players::roster::driver_name;

use super::rounds::key;
use super::{Event, Run, RunError, Session};
use crate::message::{Control, Cut, Failure, Frame, SessionId};

/// What a driver knows of the checkpoints of its run.
pub(super) struct Checkpointing {
    /// The session that the run began with.
    session: SessionId,
    /// The last checkpoint that all players have; 0 for none.
    agreed: u64,
    /// The last one that was asked for.
    asked: u64,
    /// Steps between two of them; 0 for none at all.
    every: u64,
    /// Steps since the last one.
    since: u64,
    /// Steps of each plan in the checkpoint that the run was resumed from.
    steps: BTreeMap<[u8; 32], u64>,
    /// Steps of functions that are run in rounds.
    rounds: BTreeMap<[u8; 32], u64>,
}

impl Checkpointing {
    pub(super) fn of(session: SessionId) -> Self {
        let (steps, rounds) = (BTreeMap::new(), BTreeMap::new());
        Self { session, agreed: 0, asked: 0, every: 0, since: 0, steps, rounds }
    }

    /// Whether the session goes on with what an earlier one began.
    pub(super) fn is_resumed(&self, session: SessionId) -> bool {
        self.session != session
    }

    /// Whether there is something to keep, and players are to keep it.
    pub(super) fn is_due(&self) -> bool {
        self.every > 0 && self.since > 0
    }

    /// Whether all players keep the session as it is.
    pub(super) fn is_kept(&self) -> bool {
        self.since == 0 && self.agreed > 0 && self.agreed == self.asked
    }

    /// Steps of a plan that were run before the session was resumed.
    pub(super) fn steps_of(&self, recorded: &Digest) -> u64 {
        self.steps_of_key(&recorded.0).unwrap_or(0)
    }

    /// Steps that were counted under a key before the session was resumed, if any were.
    pub(super) fn steps_of_key(&self, key: &[u8; 32]) -> Option<u64> {
        self.steps.get(key).copied()
    }

    /// Steps of a function that is run in rounds, if it is.
    pub(super) fn rounds_of(&self, all: &Digest) -> Option<u64> {
        let key = key(all);
        self.rounds.get(&key).or_else(|| self.steps.get(&key)).copied()
    }

    /// So many steps are done of a function that is run in rounds.
    pub(super) fn count_rounds(&mut self, key: [u8; 32], done: u64) {
        self.rounds.insert(key, done);
    }

    /// Counts steps; true when it is time for a checkpoint.
    pub(super) fn is_due_after(&mut self, steps: u64) -> bool {
        self.since += steps;
        self.every > 0 && self.since >= self.every
    }

    /// How many of `left` steps to run before the next checkpoint.
    pub(super) fn piece(&self, left: u64) -> u64 {
        if self.every == 0 { left } else { left.min(self.every - self.since) }
    }
}

impl Session {
    /// The name by which the run can be resumed: that of the session which it began with.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.checkpoints.session
    }

    /// From now on has all players keep, after each `steps` steps of whatever functions, what it
    /// takes to resume from there; 0 for never, as it is in the beginning.
    pub fn checkpoint_every(&mut self, steps: u64) {
        self.checkpoints.every = steps;
        self.checkpoints.since = 0;
        self.rest();
    }

    /// How many steps of a function were run, those before the run was resumed included.
    ///
    /// # Errors
    /// [`RunError::Record`] when the program is wrong.
    pub fn steps_of(&self, function: &Function<'_>) -> Result<u64, RunError> {
        if let Some(prepared) = self.prepared.get(function.signature()) {
            return Ok(prepared.steps);
        }
        let recorded = digest(&function.record(&self.setup)?);
        let rounds = self.checkpoints.rounds_of(&recorded);
        Ok(rounds.unwrap_or_else(|| self.checkpoints.steps_of(&recorded)))
    }

    /// Goes on with the run that `session` began: variables are what they were at the last
    /// checkpoint that all players have, and functions go on with the steps after it. Secrets are
    /// fresh: this is a session of its own, in which nothing may have been prepared yet.
    ///
    /// # Errors
    /// [`RunError::NotResumed`] when players have no common checkpoint;
    /// [`RunError::Failed`] when one of them cannot use it.
    pub fn resume(&mut self, session: SessionId) -> Result<(), RunError> {
        self.asked(|resumed| resumed.go_on_with(session))
    }

    fn go_on_with(&mut self, session: SessionId) -> Result<(), RunError> {
        let recall = |id| Control::Recall { session: id, of: session };
        let answers = self.ask_all(recall, |message| match message {
            Control::Recalled { cuts, problems, .. } => Some((cuts, problems)),
            _ => None,
        })?;
        let (number, writer) = match last_common(&answers) {
            Some(common) => common,
            None => {
                let reason = what_is_missing(&answers);
                self.give_up(&Failure::new(driver_name().as_str(), &reason));
                return Err(RunError::NotResumed { session, reason });
            }
        };
        let restore = |id| Control::Restore { session: id, of: session, number };
        let done = |message| matches!(message, Control::Restored { .. }).then_some(());
        self.ask_all(restore, done)?;
        let steps = steps_at(&answers, number, writer);
        let every = self.checkpoints.every;
        self.checkpoints = Checkpointing {
            agreed: number,
            asked: number,
            every,
            steps,
            ..Checkpointing::of(session)
        };
        Ok(())
    }

    /// Has all players write a checkpoint now.
    ///
    /// # Errors
    /// [`RunError`]; the session is over when players have failed. A player that cannot write is
    /// told of as [`Event::Unsaved`].
    pub fn checkpoint(&mut self, mut watch: impl FnMut(Event<'_>)) -> Result<(), RunError> {
        self.asked(|session| session.write_checkpoint(&mut watch))
    }

    pub(super) fn write_checkpoint(
        &mut self,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RunError> {
        let save = self.next_checkpoint();
        self.checkpoints.asked += 1;
        let number = self.checkpoints.asked;
        let take = |message| match message {
            Control::Saved { number: of, problem, .. } if of == number => Some(problem),
            _ => None,
        };
        let answers = self.ask_all(|_| save.clone(), take)?;
        let mut whole = true;
        for (player, problem) in &answers {
            if let Some(reason) = problem {
                whole = false;
                watch(Event::Unsaved { player, reason });
            }
        }
        if whole {
            self.checkpoints.agreed = number;
        }
        self.checkpoints.since = 0;
        Ok(())
    }

    /// What asks for the checkpoint behind the last one.
    pub(super) fn next_checkpoint(&self) -> Control {
        let Checkpointing { asked, agreed, rounds, .. } = &self.checkpoints;
        let rounds = rounds.iter().map(|(key, done)| (*key, *done)).collect();
        Control::Checkpoint { session: self.id, number: asked + 1, keep: *agreed, rounds }
    }

    /// As [`run`](Self::run), telling `watch` what happens meanwhile.
    ///
    /// # Errors
    /// [`RunError`]; the session is over when players have failed.
    pub fn run_with(
        &mut self,
        function: &Function<'_>,
        steps: u64,
        mut watch: impl FnMut(Event<'_>),
    ) -> Result<Run, RunError> {
        self.asked(|session| session.run_steps(function, steps, &mut watch))
    }

    fn run_steps(
        &mut self,
        function: &Function<'_>,
        steps: u64,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> Result<Run, RunError> {
        let (mut run, mut before) = (Run::default(), 0);
        loop {
            self.stop_if_leaving(watch)?;
            let piece = self.checkpoints.piece(steps - before);
            let mut see = |event: Event<'_>| match event {
                Event::Progress { done } => watch(Event::Progress { done: before + done }),
                other => watch(other),
            };
            let (part, done) = self.run_piece(function, piece, &mut see)?;
            run.add(part);
            before += done;
            let due = self.checkpoints.is_due_after(done);
            if due || self.leaving.is_some() && self.checkpoints.is_due() {
                let start = Instant::now();
                self.write_checkpoint(watch)?;
                run.seconds += start.elapsed().as_secs_f64();
            }
            if before >= steps {
                return Ok(run);
            }
        }
    }

    /// Sends all players but those who may be missing a message, and waits until each has given the
    /// answer that `take` wants.
    fn ask_all<T>(
        &mut self,
        message: impl Fn(SessionId) -> Control,
        take: impl Fn(Control) -> Option<T>,
    ) -> Result<BTreeMap<PlayerName, T>, RunError> {
        let stays = |player: &&PlayerName| !self.roll.knows(player);
        let all: Vec<_> = self.setup.players.iter().filter(stays).cloned().collect();
        for player in &all {
            self.network.send(player, Frame::Control(message(self.id)));
        }
        let mut waiting: BTreeSet<_> = all.iter().cloned().collect();
        let mut answers = BTreeMap::new();
        while !waiting.is_empty() {
            let (from, message) = self.receive(&waiting, &all, &mut |_| {})?;
            if let Some(answer) = take(message)
                && waiting.remove(&from)
            {
                answers.insert(from, answer);
            }
        }
        Ok(answers)
    }
}

impl Run {
    /// Adds later steps of the same function.
    fn add(&mut self, later: Self) {
        self.published.extend(later.published);
        self.seconds += later.seconds;
        for report in later.reports {
            match self.reports.iter_mut().find(|known| known.player == report.player) {
                Some(known) => known.add(report),
                None => self.reports.push(report),
            }
        }
    }
}

/// What each player answered: the checkpoints that it has, and what is wrong with others.
type Recalled = BTreeMap<PlayerName, (Vec<Cut>, Vec<String>)>;

/// The newest checkpoint that all have: its number, and the session that wrote it.
fn last_common(answers: &Recalled) -> Option<(u64, SessionId)> {
    let mut all = answers
        .values()
        .map(|(cuts, _)| cuts.iter().map(|cut| (cut.number, cut.writer)).collect::<BTreeSet<_>>());
    let first = all.next()?;
    all.fold(first, |common, cuts| &common & &cuts).last().copied()
}

/// Steps of each plan at a checkpoint: who has no part in a plan knows nothing of its steps.
fn steps_at(answers: &Recalled, number: u64, writer: SessionId) -> BTreeMap<[u8; 32], u64> {
    let cuts = answers.values().flat_map(|(cuts, _)| cuts);
    let mut steps = BTreeMap::new();
    for (plan, done) in
        cuts.filter(|c| (c.number, c.writer) == (number, writer)).flat_map(|c| &c.steps)
    {
        let most: &mut u64 = steps.entry(*plan).or_default();
        *most = (*done).max(*most);
    }
    steps
}

/// Why there is none, player by player.
fn what_is_missing(answers: &Recalled) -> String {
    let mut lines = vec!["there is no checkpoint of it that all players have".to_owned()];
    for (player, (cuts, problems)) in answers {
        let numbers: Vec<_> = cuts.iter().map(|cut| cut.number.to_string()).collect();
        let has = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
        lines.push(format!("{player} has {has}"));
        lines.extend(problems.iter().map(|problem| format!("{player}: {problem}")));
    }
    lines.join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(number: u64, writer: u8) -> Cut {
        Cut { number, writer: SessionId([writer; 16]), steps: vec![([1; 32], number * 5)] }
    }

    fn answers(of: &[&[Cut]]) -> Recalled {
        let player = |i: usize| PlayerName::new(&format!("p{i}")).unwrap();
        of.iter().enumerate().map(|(i, cuts)| (player(i), (cuts.to_vec(), vec![]))).collect()
    }

    #[test]
    fn players_go_on_from_the_newest_checkpoint_that_all_have() {
        let newest = |of: &[&[Cut]]| last_common(&answers(of)).map(|(number, _)| number);
        assert_eq!(newest(&[&[cut(1, 7), cut(2, 7)], &[cut(1, 7), cut(2, 7)]]), Some(2));
        assert_eq!(newest(&[&[cut(1, 7), cut(2, 7)], &[cut(1, 7)]]), Some(1));
        assert_eq!(newest(&[&[cut(1, 7)], &[cut(1, 7), cut(2, 7)]]), Some(1));
        assert_eq!(newest(&[&[cut(2, 7)], &[cut(1, 7)]]), None);
        assert_eq!(newest(&[&[cut(1, 7)], &[]]), None);
        assert_eq!(newest(&[]), None);
        // Two sessions that were resumed from one checkpoint wrote different seconds.
        assert_eq!(newest(&[&[cut(1, 7), cut(2, 8)], &[cut(1, 7), cut(2, 9)]]), Some(1));
    }

    #[test]
    fn the_steps_of_a_plan_are_those_of_who_ran_it() {
        let other = Cut { steps: vec![([1; 32], 3), ([2; 32], 9)], ..cut(2, 7) };
        let answers = answers(&[&[cut(2, 7), cut(3, 7)], &[other], &[cut(2, 8)]]);
        let steps = steps_at(&answers, 2, SessionId([7; 16]));
        assert_eq!(steps, [([1; 32], 10), ([2; 32], 9)].into());
    }

    #[test]
    fn what_is_missing_is_said_of_each_player() {
        let mut answers = answers(&[&[cut(1, 7), cut(2, 7)], &[]]);
        answers.values_mut().last().unwrap().1.push("x.sealed was altered".to_owned());
        let text = what_is_missing(&answers);
        for part in ["p0 has 1, 2", "p1 has none", "p1: x.sealed was altered"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
