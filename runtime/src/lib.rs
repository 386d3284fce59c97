//! Sessions: schedule, executor, wire format, transports, the player's server, the driver's side.
//!
//! Read [`driver`] first: what a program does with a [`Session`]. [`player`] is the other end, and
//! `session` its part in one session, turned by the state machine in [`machine`]. [`transport`]
//! carries what [`message`] lists, in memory or over QUIC.

pub mod audit;
pub mod checkpoint;
pub mod consent;
pub mod driver;
mod host;
mod local;
pub mod log;
pub mod machine;
pub mod memory;
pub mod message;
mod meter;
mod plans;
pub mod player;
pub mod policy;
pub mod remote;
pub mod report;
pub mod schedule;
pub mod serve;
mod session;
pub mod status;
pub mod transport;
mod turns;

pub use audit::Audit;
pub use checkpoint::Checkpoints;
pub use consent::{Consent, Flags};
pub use driver::{Event, Participation, Rounds, RoundsRun, Run, RunError, Session};
pub use log::{Level, Note};
pub use message::{Published, SessionId, Wait};
pub use player::{Player, PlayerOptions};
pub use policy::PolicyError;
pub use remote::RemoteError;
pub use report::{LinkReport, PlayerReport};
pub use serve::{ServeError, ServeOptions, serve, state_folder};
pub use status::{Status, StatusError};
