//! What arrives at a machine from other players, checked before it is taken.

use sordino_graph::{PlayerName, Type};
use sordino_ops::Tensor;

use super::{IN_FLIGHT, Machine};
use crate::schedule::TaskKind;

/// What is wrong with a value that arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misdelivery {
    /// No such edge leads here.
    #[error("sent a value on edge {0}, which does not lead here")]
    NoEdge(u32),
    /// The edge belongs to another player.
    #[error("sent a value on edge {edge}, which is {owner}'s")]
    NotYours {
        /// The edge.
        edge: u32,
        /// Whose it is.
        owner: PlayerName,
    },
    /// The value has another size or type.
    #[error("sent {received} bytes on edge {edge}, not {expected}")]
    WrongSize {
        /// The edge.
        edge: u32,
        /// Bytes of the edge's type.
        expected: u64,
        /// Bytes announced.
        received: u64,
    },
    /// The value's step is over, or further ahead than the window lets a sender be.
    #[error("sent a value of step {step} while step {current} runs")]
    WrongStep {
        /// The value's step.
        step: u64,
        /// The receiver's step.
        current: u64,
    },
    /// The sender says that it has finished steps that it cannot have finished.
    #[error("says that it has finished {done} steps while step {current} runs")]
    FalseCredit {
        /// Steps that it says to have finished.
        done: u64,
        /// The step that runs here.
        current: u64,
    },
    /// The value is there already.
    #[error("sent the value of step {step} on edge {edge} twice")]
    Twice {
        /// The step.
        step: u64,
        /// The edge.
        edge: u32,
    },
}

impl Machine {
    /// Checks a value before it is read: returns the type of the tensor to fill.
    ///
    /// # Errors
    /// [`Misdelivery`] when the sender, edge, step or size is wrong, or the value is there already.
    pub fn on_announced(
        &self,
        from: &PlayerName,
        step: u64,
        edge: u32,
        bytes: u64,
    ) -> Result<&Type, Misdelivery> {
        let &task = self.schedule.incoming.get(&edge).ok_or(Misdelivery::NoEdge(edge))?;
        let TaskKind::Receive { from: owner, ty } = &self.schedule.tasks[task].kind else {
            return Err(Misdelivery::NoEdge(edge));
        };
        if owner != from {
            return Err(Misdelivery::NotYours { edge, owner: owner.clone() });
        }
        if ty.bytes() as u64 != bytes {
            let expected = ty.bytes() as u64;
            return Err(Misdelivery::WrongSize { edge, expected, received: bytes });
        }
        if step < self.done || step >= self.done + self.window {
            return Err(Misdelivery::WrongStep { step, current: self.done });
        }
        let begun = usize::try_from(step - self.done).ok().and_then(|at| self.steps.get(at));
        let there = match begun {
            Some(begun) => begun.needs[task] == 0,
            None => self.early.contains_key(&(step, edge)),
        };
        if there { Err(Misdelivery::Twice { step, edge }) } else { Ok(ty) }
    }

    /// Takes a value that has arrived.
    ///
    /// # Errors
    /// [`Misdelivery`] when it should not have.
    pub fn on_received(
        &mut self,
        from: &PlayerName,
        step: u64,
        edge: u32,
        value: Tensor,
    ) -> Result<(), Misdelivery> {
        let bytes = value.as_bytes().len() as u64;
        let fits = value.fits(self.on_announced(from, step, edge, bytes)?);
        if !fits {
            return Err(Misdelivery::WrongSize { edge, expected: bytes, received: bytes });
        }
        let task = self.schedule.incoming[&edge];
        let offset = usize::try_from(step - self.done).unwrap_or(usize::MAX);
        if offset < self.steps.len() {
            self.steps[offset].needs[task] = 0;
            self.finish(offset, task, vec![value]);
            self.retire();
        } else {
            self.early.insert((step, edge), value);
        }
        Ok(())
    }

    /// A target says how many steps it has finished. Returns whether it got further.
    ///
    /// # Errors
    /// [`Misdelivery::FalseCredit`] from who gets no values, or for steps that were not begun here:
    /// without their values nobody finishes them.
    pub fn on_credit(&mut self, from: &PlayerName, done: u64) -> Result<bool, Misdelivery> {
        if !self.schedule.targets.contains(from) || done > self.done + IN_FLIGHT as u64 {
            return Err(Misdelivery::FalseCredit { done, current: self.done });
        }
        let credit = self.credits.entry(from.clone()).or_default();
        let further = done > *credit;
        *credit = done.max(*credit);
        Ok(further)
    }
}
