//! The computation graph: types, recording, verifier, text form, partition.
//!
//! Read [`record`](mod@record) first (how a program becomes a graph), then [`graph`] (what a
//! graph is), [`verify`](mod@verify) (what it must hold), [`review`](mod@review) (whom it tells what)
//! and [`text`] (how it reads).
//!
//! This crate is pure: no I/O, no clock, no randomness. It knows names of players, never
//! addresses, and ops by their static side, never their kernels.

pub mod attribute;
mod check;
pub mod function;
pub mod gradients;
pub mod graph;
mod link;
pub mod op;
pub mod partition;
pub mod passes;
mod player;
pub mod record;
pub mod review;
pub mod setup;
#[cfg(test)]
mod testing;
pub mod text;
pub mod types;
pub mod verify;

pub use attribute::{Attribute, AttributeKind, Attributes};
pub use function::Function;
pub use gradients::{GradientOps, gradients};
pub use graph::{Graph, Node, NodeId, Place, Port, SourceLine, Stage};
pub use link::{RECEIVE, SEND, TRANSFER, transfer};
pub use op::{GradientRule, OpSet, OpSpec, Role, Signature, TypeError, TypeRule};
pub use partition::{Parts, join, split};
pub use passes::{Emitter, Rewriter};
pub use player::{InvalidPlayerName, PlayerName};
pub use record::{Backward, Expanding, OpBuilder, RecordError, Recording, Value, expand, record};
pub use review::{Exit, Input, Mixed, Review, ReviewError, exits, review, traffic};
pub use setup::{Policy, RevealRule, Secure, Setup};
pub use sordino_macros::secure_function;
pub use text::{Digest, ParseError, digest, parse, print, print_with_sources};
pub use types::{Element, Fixed, Secrecy, Shape, Type, Width};
pub use verify::{VerifyError, Violation, verify, verify_parts};
