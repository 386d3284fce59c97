//! How threads turn a session's machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sordino_graph::Role;
use sordino_ops::{Context, KernelError, Tensor};

use super::{PROGRESS, PlanState, PlayerSession, SIGN, Turn, guarded};
use crate::host::PlanHost;
use crate::machine::{Action, Job};
use crate::message::{Control, DataHeader, Frame, PlanIndex};
use crate::schedule::TaskKind;
use crate::turns::{Order, brief};

impl PlayerSession {
    /// Sets a thread to work if there is something to do for one more, or if what there is should not wait
    /// as long as those who are set to work would.
    pub(super) fn kick(self: &Arc<Self>, order: Order) {
        let spawn = {
            let mut state = self.state();
            let wanted = state.jobs().clamp(1, brief::threads());
            let there = match order {
                Order::First => state.workers - state.queued,
                Order::Then => state.workers,
            };
            let spawn = there < wanted && state.failed.is_none() && state.can_act();
            state.workers += usize::from(spawn);
            state.queued += usize::from(spawn && order == Order::Then);
            spawn
        };
        if spawn && !brief::take(order, || self.guard(|session| session.pump(order))) {
            self.spawn(order, move |session| session.pump(order));
        }
    }

    fn pump(self: &Arc<Self>, order: Order) {
        self.state().queued -= usize::from(order == Order::Then);
        self.turn();
    }

    /// Does what the machine says until there is nothing to do, or, in a brief turn, until what comes next is
    /// for the pool.
    fn turn(self: &Arc<Self>) {
        loop {
            let (Turn { plan, action, host, ended }, more) = {
                let mut state = self.state();
                if brief::is_on() && !state.is_brief() {
                    return self.spawn(Order::First, |session| session.turn());
                }
                let Some(turn) = state.next() else {
                    state.workers -= 1;
                    return;
                };
                (turn, state.jobs() > 0)
            };
            if let Some(mut meter) = ended {
                let wire = self.network.wire_bytes();
                let report = meter.report(&self.me, &mut self.state().reported, &wire);
                let message = Control::Finished { session: self.id, plan, report };
                self.network.send(&self.driver, Frame::Control(message));
            }
            match action {
                Action::Run(job) => {
                    if more && !brief::is_on() {
                        self.kick(Order::First);
                    }
                    self.compute(plan, &host, job);
                }
                Action::Send { step, edge, to, value } => {
                    let start = Instant::now();
                    let header = DataHeader { session: self.id, plan, step, edge };
                    self.network.send(&to, Frame::Data(header, value));
                    brief::sends();
                    self.state().meter.sending(start.elapsed());
                }
                Action::Credit { to, done } => {
                    let message = Control::Credit { session: self.id, plan, done };
                    self.network.send(&to, Frame::Control(message));
                }
                Action::Done | Action::Wait => {}
            }
            self.tell_progress(plan);
        }
    }

    fn compute(self: &Arc<Self>, plan: PlanIndex, host: &Arc<PlanHost>, job: Job) {
        let schedule = {
            let state = self.state();
            let Some(plan) = state.plans.get(&plan) else { return };
            Arc::clone(plan.machine.schedule())
        };
        let Job { step, task, inputs } = job;
        let terms = schedule.tasks[task].terms(inputs.len());
        let start = Instant::now();
        let node = schedule.graph.node(sordino_graph::NodeId::new(task));
        if let (Role::AssignVariable, Some(name)) = (node.op.role, node.attributes.text("variable"))
        {
            host.journal.keep(step, name, &host.variables);
        }
        let outputs = guarded(|| match &schedule.tasks[task].kind {
            TaskKind::Compute(op) => {
                let context = Context { node, step, host: &**host };
                (op.kernel)(&context, inputs)
            }
            TaskKind::Accumulate(op) => accumulate(op.accumulate, inputs),
            _ => Err(KernelError::Bug("sends and receives are no kernels".into())),
        });
        let outputs = outputs.unwrap_or_else(|bug| Err(KernelError::Bug(bug)));
        let took = start.elapsed();
        let alone = match node.op.role {
            // Disks are slow, if not each time.
            Role::PrivateInput => Duration::MAX,
            _ if node.op.name == "save_tensor" => Duration::MAX,
            _ => brief::alone(took) / terms,
        };
        match outputs {
            Ok(outputs) => {
                let mut state = self.state();
                state.moved = Instant::now();
                state.meter.computed(took);
                let mut halting = false;
                if let Some(plan) = state.plans.get_mut(&plan) {
                    plan.took[task] = alone;
                    plan.machine.on_kernel_done(step, task, outputs);
                    host.journal.forget(plan.machine.done());
                    halting = plan.halting;
                }
                let idle = state.is_idle();
                state.meter.idle(idle);
                drop(state);
                if halting {
                    self.end_halt(plan);
                }
            }
            Err(error) => {
                let place = schedule.place_of(task);
                self.fail(&self.me, &format!("{place} failed in step {step}: {error}"));
            }
        }
    }

    /// Tells the driver how far it is and, less often, those who may be ahead.
    fn tell_progress(&self, plan: PlanIndex) {
        let (done, sources) = {
            let state = &mut *self.state();
            if state.told.elapsed() < PROGRESS {
                return;
            }
            state.told = Instant::now();
            let Some(PlanState { machine, .. }) = state.plans.get(&plan) else { return };
            let mut sources = Vec::new();
            if state.signed.elapsed() >= SIGN {
                state.signed = state.told;
                sources.clone_from(&machine.schedule().sources);
            }
            (machine.done(), sources)
        };
        for to in sources {
            let message = Control::Credit { session: self.id, plan, done };
            self.network.send(&to, Frame::Control(message));
        }
        let message = Control::Progress { session: self.id, plan, done };
        self.network.send(&self.driver, Frame::Control(message));
    }
}

fn accumulate(
    add: Option<sordino_ops::kernel::Accumulate>,
    inputs: Vec<Tensor>,
) -> Result<Vec<Tensor>, KernelError> {
    let Some(add) = add else { return Err(KernelError::Bug("no sum".into())) };
    let mut inputs = inputs.into_iter();
    let Some(mut total) = inputs.next() else { return Err(KernelError::Bug("empty sum".into())) };
    inputs.try_for_each(|term| add(&mut total, term))?;
    Ok(vec![total])
}
