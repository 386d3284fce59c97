//! One player's run of a plan, as a state machine without I/O, threads or clocks.
//!
//! Whoever drives it hands in what arrives ([`Machine::on_received`]) and what was computed
//! ([`Machine::on_kernel_done`]) and asks what to do [`next`](Machine::next). Values are freed at
//! their last use. Two steps are in flight, as far as variables allow: while a step waits for the
//! values of others, the next one may load its batch and draw its pads.

mod arrivals;
mod step;
mod waits;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use sordino_graph::PlayerName;
use sordino_ops::Tensor;

pub use self::arrivals::Misdelivery;
use self::step::Step;
use crate::schedule::{Schedule, TaskKind, Wake};

/// Steps that a sender may be ahead of its receiver: bounds what early values take in memory.
pub const WINDOW: u64 = 8;

/// The same where there are more than 16 players: no value comes before its step.
pub const WINDOW_OF_MANY: u64 = IN_FLIGHT as u64;

/// See [`WINDOW_OF_MANY`].
const FEW: usize = 16;

/// Steps that a player works on at a time.
const IN_FLIGHT: usize = 2;

/// See the [module](self).
#[derive(Debug)]
pub struct Machine {
    schedule: Arc<Schedule>,
    /// Steps that a sender may be ahead of its receiver.
    window: u64,
    /// Steps before this one may be started.
    asked: u64,
    /// None may be, until it is said with which one to end.
    held: bool,
    /// Steps before this one are finished.
    done: u64,
    /// The steps in flight: the first is number `done`.
    steps: VecDeque<Step>,
    /// Values of steps that have not started.
    early: HashMap<(u64, u32), Tensor>,
    /// Steps that each target says it has finished.
    credits: HashMap<PlayerName, u64>,
    /// Credits to send.
    owed: VecDeque<(PlayerName, u64)>,
    /// Jobs handed out and not done.
    running: usize,
}

/// What to do next.
#[derive(Debug)]
pub enum Action {
    /// Compute this and report it by [`Machine::on_kernel_done`].
    Run(Job),
    /// Send a value.
    Send {
        /// The step.
        step: u64,
        /// The edge.
        edge: u32,
        /// The receiver.
        to: PlayerName,
        /// The value.
        value: Tensor,
    },
    /// Tell a source how many steps are finished.
    Credit {
        /// The source.
        to: PlayerName,
        /// Steps finished.
        done: u64,
    },
    /// Nothing can be done before something arrives, or is computed.
    Wait,
    /// All the steps asked for are finished.
    Done,
}

/// A kernel to run.
#[derive(Debug)]
pub struct Job {
    /// The step.
    pub step: u64,
    /// The task.
    pub task: usize,
    /// Its inputs; for a sum, the total so far comes first.
    pub inputs: Vec<Tensor>,
}

impl Machine {
    /// A machine that has run no step; its first one is number `first`.
    #[must_use]
    pub fn new(schedule: Arc<Schedule>, first: u64) -> Self {
        let many = schedule.graph.setup().players.len() > FEW;
        let window = if many { WINDOW_OF_MANY } else { WINDOW };
        Self {
            window,
            asked: first,
            held: false,
            done: first,
            credits: schedule.targets.iter().map(|target| (target.clone(), first)).collect(),
            schedule,
            steps: VecDeque::new(),
            early: HashMap::new(),
            owed: VecDeque::new(),
            running: 0,
        }
    }

    /// What it runs.
    #[must_use]
    pub fn schedule(&self) -> &Arc<Schedule> {
        &self.schedule
    }

    /// Steps finished.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Asks for `steps` more steps.
    pub fn ask(&mut self, steps: u64) {
        self.asked = self.asked.saturating_add(steps);
    }

    /// Starts no further step until [`end_at`](Self::end_at). Returns the first one that is not
    /// started; 0 if nothing is done in steps.
    pub fn hold(&mut self) -> u64 {
        self.held = true;
        if self.schedule.tasks.is_empty() { 0 } else { self.begun() }
    }

    /// What was asked for ends before step `end`. False, and without effect, unless the machine is
    /// held, was asked for all steps before that one, and has started none from there on.
    pub fn end_at(&mut self, end: u64) -> bool {
        let idle = self.schedule.tasks.is_empty();
        if !self.held || end > self.asked || (end < self.begun() && !idle) {
            return false;
        }
        (self.held, self.asked) = (false, end);
        self.done = self.done.min(end);
        true
    }

    fn begun(&self) -> u64 {
        self.done + self.steps.len() as u64
    }

    /// Takes the outputs of a job.
    pub fn on_kernel_done(&mut self, step: u64, task: usize, outputs: Vec<Tensor>) {
        self.running -= 1;
        let offset = usize::try_from(step - self.done).unwrap_or(usize::MAX);
        let state = &mut self.steps[offset];
        if let Some(sum) = state.sums.get_mut(&task) {
            sum.total = outputs.into_iter().next();
            sum.busy = false;
            self.advance_sum(offset, task);
        } else {
            self.finish(offset, task, outputs);
        }
        self.retire();
    }

    /// What to do next.
    #[allow(clippy::should_implement_trait, reason = "a machine waits; an iterator would end")]
    pub fn next(&mut self) -> Action {
        self.start_steps();
        if let Some((to, done)) = self.owed.pop_front() {
            return Action::Credit { to, done };
        }
        for offset in 0..self.steps.len() {
            if let Some(task) = self.steps[offset].sends.pop_front() {
                return self.send(offset, task);
            }
        }
        for offset in 0..self.steps.len() {
            let Some(task) = self.steps[offset].ready.pop_front() else { continue };
            let step = self.steps[offset].number;
            self.running += 1;
            let inputs = self.take_inputs(offset, task);
            return Action::Run(Job { step, task, inputs });
        }
        if self.is_done() { Action::Done } else { Action::Wait }
    }

    /// Whether [`next`](Self::next) has more to say than to wait.
    pub fn can_act(&mut self) -> bool {
        self.start_steps();
        !self.owed.is_empty() || self.ready_jobs() > 0 || self.is_done()
    }

    /// The task of the job that [`next`](Self::next) would hand out now, and how many inputs it would have.
    pub(crate) fn next_job(&self) -> Option<(usize, usize)> {
        let sends = self.steps.iter().any(|step| !step.sends.is_empty());
        if sends || !self.owed.is_empty() {
            return None;
        }
        let step = self.steps.iter().find(|step| !step.ready.is_empty())?;
        let &task = step.ready.front()?;
        let inputs = match step.sums.get(&task) {
            Some(sum) => sum.held(),
            None => self.schedule.tasks[task].inputs.len(),
        };
        Some((task, inputs))
    }

    /// Jobs that could run now beside those handed out.
    #[must_use]
    pub fn ready_jobs(&self) -> usize {
        self.steps.iter().map(|step| step.ready.len() + step.sends.len()).sum()
    }

    /// Whether jobs are handed out and not done.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running > 0
    }

    /// Steps asked for and not finished.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.asked - self.done
    }

    fn is_done(&self) -> bool {
        self.done == self.asked && self.steps.is_empty() && !self.held
    }

    fn credit(&self, target: &PlayerName) -> u64 {
        self.credits.get(target).copied().unwrap_or(0)
    }

    fn start_steps(&mut self) {
        if self.held {
            return;
        }
        if self.schedule.tasks.is_empty() {
            self.done = self.asked;
        }
        while self.steps.len() < IN_FLIGHT {
            let number = self.begun();
            let allowed = |target: &PlayerName| number < self.credit(target) + self.window;
            if number >= self.asked || !self.schedule.targets.iter().all(allowed) {
                return;
            }
            self.start(number);
            self.retire();
        }
    }

    fn start(&mut self, number: u64) {
        let schedule = Arc::clone(&self.schedule);
        let mut step = Step::new(number, &schedule);
        for (task, state) in schedule.tasks.iter().enumerate() {
            // The accesses of the step before come first.
            let before = self.steps.back();
            let held = |variable| before.is_some_and(|before| before.touches[variable] > 0);
            if state.variable.is_some_and(held) {
                step.needs[task] += 1;
            }
            if step.needs[task] == 0 {
                step.ready.push_back(task);
            }
        }
        self.steps.push_back(step);
        let offset = self.steps.len() - 1;
        let mut arrived: Vec<_> = schedule.incoming.iter().collect();
        arrived.sort_unstable();
        for (&edge, &task) in arrived {
            if let Some(value) = self.early.remove(&(number, edge)) {
                self.steps[offset].needs[task] = 0;
                self.finish(offset, task, vec![value]);
            }
        }
    }

    fn take_inputs(&mut self, offset: usize, task: usize) -> Vec<Tensor> {
        let schedule = Arc::clone(&self.schedule);
        let step = &mut self.steps[offset];
        if let Some(sum) = step.sums.get_mut(&task) {
            sum.busy = true;
            return sum.total.take().into_iter().chain(sum.terms.drain(..)).collect();
        }
        schedule.tasks[task].inputs.iter().map(|&(from, slot)| step.take(from, slot)).collect()
    }

    fn send(&mut self, offset: usize, task: usize) -> Action {
        let value = self.take_inputs(offset, task).pop().expect("a send has one input");
        let TaskKind::Send { edge, to } = &self.schedule.tasks[task].kind else {
            unreachable!("only sends are queued as sends")
        };
        let (edge, to, step) = (*edge, to.clone(), self.steps[offset].number);
        self.finish(offset, task, Vec::new());
        self.retire();
        Action::Send { step, edge, to, value }
    }

    /// A task is done: keeps its outputs for their readers and wakes who waits for it.
    fn finish(&mut self, offset: usize, task: usize, outputs: Vec<Tensor>) {
        let schedule = Arc::clone(&self.schedule);
        let state = &schedule.tasks[task];
        let step = &mut self.steps[offset];
        for (cell, value) in step.values[task].iter_mut().zip(outputs) {
            if cell.readers > 0 {
                cell.value = Some(value);
            }
        }
        step.left -= 1;
        for &(woken, wake) in &state.wakes {
            let step = &mut self.steps[offset];
            if let (Wake::Input(place), true) = (wake, step.sums.contains_key(&woken)) {
                let (from, slot) = schedule.tasks[woken].inputs[place];
                let term = step.take(from, slot);
                step.needs[woken] -= 1;
                if let Some(sum) = step.sums.get_mut(&woken) {
                    sum.terms.push(term);
                }
                self.advance_sum(offset, woken);
            } else {
                self.wake(offset, woken);
            }
        }
        if let Some(variable) = state.variable {
            self.steps[offset].touches[variable] -= 1;
            if self.steps[offset].touches[variable] == 0 && offset + 1 < self.steps.len() {
                for &next in &schedule.variables[variable] {
                    self.wake(offset + 1, next);
                }
            }
        }
    }

    fn wake(&mut self, offset: usize, task: usize) {
        let step = &mut self.steps[offset];
        step.needs[task] -= 1;
        if step.needs[task] == 0 {
            match self.schedule.tasks[task].kind {
                TaskKind::Send { .. } => step.sends.push_back(task),
                _ => step.ready.push_back(task),
            }
        }
    }

    /// Queues a sum when it has terms to add and nobody is adding, and ends it when all are in.
    fn advance_sum(&mut self, offset: usize, task: usize) {
        let step = &mut self.steps[offset];
        let complete = step.needs[task] == 0;
        let Some(sum) = step.sums.get_mut(&task) else { return };
        let queued = step.ready.contains(&task);
        if sum.busy || queued {
            return;
        }
        let addable = sum.terms.len() + usize::from(sum.total.is_some()) > 1;
        if addable {
            step.ready.push_back(task);
        } else if complete {
            let total = sum.total.take().or_else(|| sum.terms.pop());
            step.sums.remove(&task);
            self.finish(offset, task, total.into_iter().collect());
        }
    }

    /// Ends the first steps that have nothing left to do.
    fn retire(&mut self) {
        while self.steps.front().is_some_and(|step| step.left == 0) {
            self.steps.pop_front();
            self.done += 1;
            if self.done.is_multiple_of(self.window / 2) {
                let done = self.done;
                self.owed.extend(self.schedule.sources.iter().map(|to| (to.clone(), done)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
