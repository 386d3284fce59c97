//! A step in flight: what is computed, and who waits for what.

use std::collections::{HashMap, VecDeque};

use sordino_ops::Tensor;

use crate::schedule::{Schedule, Task, TaskKind};

#[derive(Debug)]
pub(super) struct Step {
    pub(super) number: u64,
    pub(super) needs: Vec<usize>,
    pub(super) values: Vec<Vec<Cell>>,
    pub(super) sums: HashMap<usize, Sum>,
    /// Accesses of each variable that are not done.
    pub(super) touches: Vec<usize>,
    pub(super) ready: VecDeque<usize>,
    pub(super) sends: VecDeque<usize>,
    pub(super) left: usize,
}

/// An output: the value, from when it is computed until its last reader has taken it.
#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) value: Option<Tensor>,
    pub(super) readers: usize,
}

/// A sum in the making.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) total: Option<Tensor>,
    pub(super) terms: Vec<Tensor>,
    pub(super) busy: bool,
}

impl Sum {
    /// Values that it holds.
    pub(super) fn held(&self) -> usize {
        usize::from(self.total.is_some()) + self.terms.len()
    }
}

impl Step {
    /// A step in which nothing is done: what each task waits for is what it reads.
    pub(super) fn new(number: u64, schedule: &Schedule) -> Self {
        let tasks = &schedule.tasks;
        let cells = |task: &Task| {
            task.readers.iter().map(|&readers| Cell { value: None, readers }).collect()
        };
        let sums = tasks.iter().enumerate();
        let sums = sums.filter(|(_, task)| matches!(task.kind, TaskKind::Accumulate(_)));
        Self {
            number,
            needs: tasks.iter().map(|task| task.needs).collect(),
            values: tasks.iter().map(cells).collect(),
            sums: sums.map(|(task, _)| (task, Sum::default())).collect(),
            touches: schedule.variables.iter().map(Vec::len).collect(),
            ready: VecDeque::new(),
            sends: VecDeque::new(),
            left: tasks.len(),
        }
    }

    /// Takes an output for one of its readers: the last one gets the value itself.
    pub(super) fn take(&mut self, task: usize, slot: usize) -> Tensor {
        let cell = &mut self.values[task][slot];
        cell.readers -= 1;
        let value = if cell.readers == 0 { cell.value.take() } else { cell.value.clone() };
        value.expect("inputs are there when a task is ready")
    }
}
