//! A player's part of a plan, prepared for running many times.

use std::collections::HashMap;

use sordino_graph::{Graph, NodeId, PlayerName, Role, Secrecy, SourceLine, Type};
use sordino_ops::{Op, op};

/// What a player runs in each step: tasks in an order of execution, with who waits for whom.
#[derive(Debug)]
pub struct Schedule {
    /// The local graph; a task has the index of its node.
    pub graph: Graph,
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Readable names of the tasks, for messages.
    pub names: Vec<String>,
    /// The task that receives each incoming edge.
    pub incoming: HashMap<u32, usize>,
    /// For each variable, the tasks that read or assign it.
    pub variables: Vec<Vec<usize>>,
    /// Players that values come from, sorted.
    pub sources: Vec<PlayerName>,
    /// Players that values go to, sorted.
    pub targets: Vec<PlayerName>,
}

/// A node, as the machine sees it.
#[derive(Debug)]
pub struct Task {
    /// What it does.
    pub kind: TaskKind,
    /// Outputs that it reads: task and slot.
    pub inputs: Vec<(usize, usize)>,
    /// How many things it waits for: inputs and control edges.
    pub needs: usize,
    /// Tasks that read an output, once for each input, and tasks that come after it.
    pub wakes: Vec<(usize, Wake)>,
    /// For each output, how many inputs read it.
    pub readers: Vec<usize>,
    /// The variable that it reads or assigns.
    pub variable: Option<usize>,
}

/// Why a task is told that another is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// This output is an input of it.
    Input(usize),
    /// It comes after the other.
    Control,
}

/// What a task does.
#[derive(Debug, Clone)]
pub enum TaskKind {
    /// Runs the kernel when all inputs are there.
    Compute(&'static Op),
    /// Adds each input when it arrives.
    Accumulate(&'static Op),
    /// Sends its input.
    Send {
        /// The edge.
        edge: u32,
        /// The receiver.
        to: PlayerName,
    },
    /// Is done when the value has arrived.
    Receive {
        /// Who sends it.
        from: PlayerName,
        /// What it must be.
        ty: Type,
    },
}

/// A local graph has a node that cannot be run: a bug, since only verified graphs get here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bug: node {node} of a verified plan cannot be run{}", .source_line.as_ref().map(|s| format!(" ({s})")).unwrap_or_default())]
pub struct NotRunnable {
    node: String,
    source_line: Option<SourceLine>,
}

impl Task {
    /// What the time of its kernel grows with: the terms that a sum of so many `inputs` adds to another, or 1.
    pub(crate) fn terms(&self, inputs: usize) -> u32 {
        let terms = match self.kind {
            TaskKind::Accumulate(_) => inputs.saturating_sub(1),
            _ => 1,
        };
        u32::try_from(terms).unwrap_or(u32::MAX).max(1)
    }
}

impl Schedule {
    /// Prepares a verified local graph.
    ///
    /// # Errors
    /// [`NotRunnable`] for a node without a kernel.
    pub fn new(graph: Graph) -> Result<Self, NotRunnable> {
        let names = graph.node_names();
        let mut tasks: Vec<Task> = Vec::with_capacity(graph.len());
        let mut incoming = HashMap::new();
        let mut variables: Vec<Vec<usize>> = Vec::new();
        let mut variable_index: HashMap<&str, usize> = HashMap::new();
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for (id, node) in graph.nodes() {
            let index = id.index();
            let faulty =
                || NotRunnable { node: names[index].clone(), source_line: node.source.clone() };
            let edge = node.attributes.int("edge").and_then(|edge| u32::try_from(edge).ok());
            let shares = node.outputs.iter().all(|ty| ty.secrecy == Secrecy::Share);
            let kind = match node.op.role {
                Role::Send => {
                    let to = node.attributes.player("to").ok_or_else(faulty)?.clone();
                    targets.push(to.clone());
                    TaskKind::Send { edge: edge.ok_or_else(faulty)?, to }
                }
                Role::Receive => {
                    let from = node.attributes.player("from").ok_or_else(faulty)?.clone();
                    sources.push(from.clone());
                    incoming.insert(edge.ok_or_else(faulty)?, index);
                    let ty = node.outputs.first().ok_or_else(faulty)?.clone();
                    TaskKind::Receive { from, ty }
                }
                _ => match op(node.op.name).ok_or_else(faulty)? {
                    // The sum of shares does not depend on their order. That of floats does, and
                    // waits for all, so that runs repeat bit for bit.
                    op if op.accumulate.is_some() && shares && node.inputs.len() > 1 => {
                        TaskKind::Accumulate(op)
                    }
                    op => TaskKind::Compute(op),
                },
            };
            let variable = node.attributes.text("variable").map(|name| {
                *variable_index.entry(name).or_insert_with(|| {
                    variables.push(Vec::new());
                    variables.len() - 1
                })
            });
            if let Some(variable) = variable {
                variables[variable].push(index);
            }
            let inputs: Vec<(usize, usize)> =
                node.inputs.iter().map(|port| (port.node.index(), port.slot as usize)).collect();
            let needs =
                inputs.len() + node.after.len() + usize::from(node.op.role == Role::Receive);
            for (place, &(from, slot)) in inputs.iter().enumerate() {
                tasks[from].wakes.push((index, Wake::Input(place)));
                tasks[from].readers[slot] += 1;
            }
            for before in &node.after {
                tasks[before.index()].wakes.push((index, Wake::Control));
            }
            let readers = vec![0; node.outputs.len()];
            tasks.push(Task { kind, inputs, needs, wakes: Vec::new(), readers, variable });
        }
        for players in [&mut sources, &mut targets] {
            players.sort_unstable();
            players.dedup();
        }
        Ok(Self { graph, tasks, names, incoming, variables, sources, targets })
    }

    /// The name of a task with the program's line, for messages.
    #[must_use]
    pub fn place_of(&self, task: usize) -> String {
        let source = &self.graph.node(NodeId::new(task)).source;
        let line = source.as_ref().map(|line| format!(" ({line})")).unwrap_or_default();
        format!("{}{line}", self.names[task])
    }
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Fixed, Recording, Setup, record, transfer};
    use sordino_ops::{Plan, add_n, publish, random_normal, reveal, share};

    use super::*;

    fn player(name: &str) -> PlayerName {
        PlayerName::new(name).unwrap()
    }

    /// What a player runs of a program of a, b and c with three servers.
    fn schedule(name: &str, program: impl FnOnce(&Recording<'_>)) -> Schedule {
        let names = ["a", "b", "c", "s0", "s1", "s2"].map(player);
        let setup = Setup::new(names.clone()).secure("ABY3", names[3..].to_vec(), Fixed::LOW);
        let setup = names.iter().fold(setup, |s, name| s.reveal(name, 1).release(name));
        let plan = Plan::new(record("test", &setup, |g| program(g)).unwrap()).unwrap();
        Schedule::new(plan.parts[&player(name)].clone()).unwrap()
    }

    fn count(schedule: &Schedule, kind: fn(&TaskKind) -> bool) -> usize {
        schedule.tasks.iter().filter(|task| kind(&task.kind)).count()
    }

    #[test]
    fn sums_of_shares_take_terms_as_they_come_and_sums_of_floats_wait() {
        let sums = |kind: &TaskKind| matches!(kind, TaskKind::Accumulate(_));
        let shares = |g: &Recording<'_>| {
            let shares = ["a", "b"].map(|name| share(random_normal(g, &player(name), &[3], 1)));
            publish("sum", reveal(add_n(shares), &player("c")));
        };
        assert_eq!(count(&schedule("s2", shares), sums), 1);
        let floats = |g: &Recording<'_>| {
            let c = player("c");
            let values = ["a", "b"].map(|n| transfer(random_normal(g, &player(n), &[3], 1), &c));
            publish("sum", add_n(values));
        };
        assert_eq!(count(&schedule("c", floats), sums), 0);
    }

    #[test]
    fn a_task_waits_for_its_inputs_and_tells_its_readers() {
        let c = player("c");
        let schedule = schedule("c", |g| {
            let x = transfer(random_normal(g, &player("b"), &[3], 1), &c);
            let y = transfer(random_normal(g, &player("a"), &[3], 1), &c);
            publish("sum", add_n([x, y, x]));
        });
        assert_eq!(schedule.sources, [player("a"), player("b")]);
        assert!(schedule.targets.is_empty());
        assert_eq!(schedule.incoming.len(), 2);
        let sum = schedule.names.iter().position(|name| name == "add_n").unwrap();
        assert_eq!((schedule.tasks[sum].needs, schedule.tasks[sum].inputs.len()), (3, 3));
        let twice = &schedule.tasks[schedule.tasks[sum].inputs[0].0];
        assert_eq!(twice.needs, 1, "a receive waits for its value");
        assert_eq!(twice.readers, [2]);
        assert_eq!(twice.wakes, [(sum, Wake::Input(0)), (sum, Wake::Input(2))]);
    }

    #[test]
    fn only_local_graphs_of_known_ops_can_be_run() {
        let setup = Setup::new([player("a"), player("b")]).release(&player("a"));
        let graph = record("test", &setup, |g| {
            let x = g.scope("here", || random_normal(g, &player("a"), &[3], 1));
            g.scope("there", || transfer(x, &player("b")));
        });
        let error = Schedule::new(graph.unwrap()).unwrap_err().to_string();
        assert!(error.contains("there/transfer") && error.contains("schedule.rs:"), "{error}");
    }
}
