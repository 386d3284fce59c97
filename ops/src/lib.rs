//! What nodes mean: ops, protocols, tensor kernels, datasets, layers.
//!
//! Read [`op`](mod@op) first: one op a file. [`kernel`] is what an op's kernel sees, [`value`] what it
//! computes with, [`tensor`] the loops inside. [`protocol`] lowers the placement `secure` to single
//! players, and [`nn`] has the layers that models are made of.

pub mod approximate;
pub mod buffer;
pub mod compare;
pub mod cross;
pub mod data;
pub mod extremes;
mod items;
pub mod kernel;
pub mod nn;
pub mod op;
pub mod optimise;
mod ordering;
pub mod plan;
pub mod planes;
pub mod protocol;
mod rules;
pub mod tensor;
#[cfg(test)]
mod testing;
pub mod truncation;
mod truth;
pub mod value;
pub mod variables;

pub use kernel::{Context, Host, Kernel, KernelError, Op};
pub use op::*;
pub use plan::{Plan, PlanError};
pub use value::Tensor;
pub use variables::{VariableError, Variables};
