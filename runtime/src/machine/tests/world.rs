//! All machines of a plan, joined by hand, and what they have of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use sordino_graph::{Element, NodeId, PlayerName, Shape, Type};
use sordino_ops::data::BatchRequest;
use sordino_ops::tensor::pad::{Pad, PadId, PadKey};
use sordino_ops::{Context, Host, KernelError, Plan, Tensor};

use super::{machine, player, vector};
use crate::machine::step::{Step, Sum};
use crate::machine::{Action, IN_FLIGHT, Job, Machine};
use crate::schedule::{Schedule, TaskKind};

/// Variables and what was published; pads from the names of their holders.
#[derive(Default)]
pub(super) struct Own {
    pub(super) variables: Mutex<BTreeMap<String, Tensor>>,
    pub(super) published: Mutex<Vec<(u64, Vec<f64>)>>,
}

impl Host for Own {
    fn pad(&self, who: &[PlayerName], pad: u32, lane: u32, step: u64) -> Result<Pad, KernelError> {
        let mut secret = [0; 32];
        for (i, byte) in who.iter().flat_map(|name| name.as_str().bytes()).enumerate() {
            secret[i % 32] ^= byte;
        }
        let id = PadId { plan: [0; 32], step, node: pad, lane };
        Ok(PadKey::from_bytes(secret).stream(&id))
    }

    fn read_variable(&self, name: &str) -> Result<Tensor, KernelError> {
        Ok(self.variables.lock().unwrap()[name].clone())
    }

    fn assign_variable(&self, name: &str, value: Tensor) {
        self.variables.lock().unwrap().insert(name.into(), value);
    }

    fn update_variable(
        &self,
        name: &str,
        change: &mut dyn FnMut(&mut Tensor) -> Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        change(self.variables.lock().unwrap().get_mut(name).unwrap())
    }

    fn batch(&self, request: &BatchRequest, _: u64) -> Result<(Tensor, Tensor), KernelError> {
        let zeros = |element, axes: &[usize]| {
            Tensor::zeros(&Type::plain(element, Shape::new(axes).unwrap()))
        };
        let n = request.batch;
        Ok((zeros(Element::F32, &[n, 28, 28, 1]), zeros(Element::I32, &[n])))
    }

    fn folder(&self) -> &std::path::Path {
        unreachable!("no test loads or saves tensors")
    }

    fn publish(&self, _: &str, step: u64, value: Tensor) {
        self.published.lock().unwrap().push((step, value.to_f64().unwrap()));
    }
}

pub(super) fn compute(schedule: &Schedule, own: &Own, job: Job) -> Vec<Tensor> {
    let node = schedule.graph.node(NodeId::new(job.task));
    match &schedule.tasks[job.task].kind {
        TaskKind::Compute(op) => {
            (op.kernel)(&Context { node, step: job.step, host: own }, job.inputs).unwrap()
        }
        TaskKind::Accumulate(op) => {
            let mut terms = job.inputs.into_iter();
            let mut total = terms.next().unwrap();
            terms.for_each(|term| op.accumulate.unwrap()(&mut total, term).unwrap());
            vec![total]
        }
        kind => panic!("{kind:?} is no job"),
    }
}

impl Machine {
    /// Values that it holds, for steps in flight and later ones.
    pub(in crate::machine) fn held(&self) -> usize {
        let in_step = |step: &Step| {
            let cells = step.values.iter().flatten().filter(|cell| cell.value.is_some()).count();
            cells + step.sums.values().map(Sum::held).sum::<usize>()
        };
        self.early.len() + self.steps.iter().map(in_step).sum::<usize>()
    }

    /// Fails when a value is kept that nobody will read.
    pub(in crate::machine) fn check(&self) {
        for cell in self.steps.iter().flat_map(|step| step.values.iter().flatten()) {
            assert!(cell.value.is_none() || cell.readers > 0, "a value outlives its last reader");
        }
        assert!(self.steps.len() <= IN_FLIGHT);
    }
}

/// All machines of a plan, with what is on the way between them and what they compute.
pub(super) struct World {
    pub(super) machines: Vec<(PlayerName, Machine, Own)>,
    pub(super) wire: Vec<(PlayerName, Action)>,
    pub(super) jobs: Vec<(usize, Job)>,
}

impl World {
    pub(in crate::machine) fn new(plan: &Plan, steps: u64) -> Self {
        let machines = plan.parts.keys().map(|name| {
            let own = Own::default();
            let zeros = Tensor::zeros(&vector(3));
            own.variables.lock().unwrap().insert("w".into(), zeros);
            (name.clone(), machine(plan, name.as_str(), steps), own)
        });
        Self { machines: machines.collect(), wire: Vec::new(), jobs: Vec::new() }
    }

    /// Lets one thing happen, chosen by `choice`; false when nothing is left to happen.
    pub(in crate::machine) fn happen(&mut self, choice: usize) -> bool {
        let mut quiet = BTreeSet::new();
        loop {
            let machines = self.machines.len() - quiet.len();
            let events = machines + self.wire.len() + self.jobs.len();
            if events == 0 {
                return false;
            }
            let event = choice % events;
            if event < machines {
                let i = (0..self.machines.len()).filter(|i| !quiet.contains(i)).nth(event).unwrap();
                let (name, machine, _) = &mut self.machines[i];
                machine.can_act();
                let next_job = machine.next_job();
                let action = machine.next();
                let job = match &action {
                    Action::Run(job) => Some((job.task, job.inputs.len())),
                    _ => None,
                };
                assert_eq!(next_job, job);
                match action {
                    Action::Wait | Action::Done => {
                        quiet.insert(i);
                        continue;
                    }
                    Action::Run(job) => self.jobs.push((i, job)),
                    message => self.wire.push((name.clone(), message)),
                }
                machine.check();
            } else if event < machines + self.wire.len() {
                self.deliver(event - machines);
            } else {
                let (i, job) = self.jobs.swap_remove(event - machines - self.wire.len());
                let (_, machine, own) = &mut self.machines[i];
                let (step, task) = (job.step, job.task);
                let outputs = compute(&machine.schedule, own, job);
                machine.on_kernel_done(step, task, outputs);
                machine.check();
            }
            return true;
        }
    }

    pub(in crate::machine) fn deliver(&mut self, place: usize) {
        let (from, message) = self.wire.swap_remove(place);
        let (Action::Send { to, .. } | Action::Credit { to, .. }) = &message else {
            panic!("{message:?} is no message")
        };
        let target = self.machines.iter_mut().find(|(name, ..)| name == to);
        let (_, machine, _) = target.unwrap();
        match message {
            Action::Send { step, edge, value, .. } => {
                machine.on_received(&from, step, edge, value).unwrap();
            }
            Action::Credit { done, .. } => {
                machine.on_credit(&from, done).unwrap();
            }
            _ => {}
        }
        machine.check();
    }

    /// Everything published by m, by step.
    pub(in crate::machine) fn published(&self) -> Vec<(u64, Vec<f64>)> {
        let (.., own) = self.machines.iter().find(|(name, ..)| *name == player("m")).unwrap();
        let mut published = own.published.lock().unwrap().clone();
        published.sort_by_key(|(step, _)| *step);
        published
    }
}
