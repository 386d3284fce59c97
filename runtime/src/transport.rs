//! How frames get from one party to another: in memory, or over QUIC.

pub mod memory;
pub mod quic;

use sordino_graph::{PlayerName, Type};
use sordino_ops::Tensor;

use crate::message::{Control, DataHeader, Frame};

/// The way out: where a party hands in what others shall get.
pub trait Network: Send + Sync {
    /// Queues a frame for `to` and returns at once. What cannot be delivered comes back as
    /// [`Inbox::on_lost`]. Control messages from one party arrive in the order of sending, and a
    /// value after the control messages sent before it; values may overtake each other.
    fn send(&self, to: &PlayerName, frame: Frame);

    /// Sees to it that `peer` can be reached, waiting for a stated time, and then calls `then`, from
    /// any thread: with a sentence for the operator if it cannot.
    fn connect(&self, peer: &PlayerName, then: Connected);

    /// Bytes handed to and received from the wire with each peer, framing and encryption
    /// included, where the transport knows them.
    fn wire_bytes(&self) -> Vec<(PlayerName, u64, u64)> {
        Vec::new()
    }
}

/// Called when a connection stands, or with the reason why it does not.
pub type Connected = Box<dyn FnOnce(Result<(), String>) + Send>;

/// The way in: what a transport calls. Calls may come from any thread and return soon.
pub trait Inbox: Send + Sync {
    /// A control message of `from`.
    fn on_control(&self, from: &PlayerName, message: Control);

    /// `from` announces a value of `length` bytes. Returns what it is to be, or why it is refused:
    /// the session of the header is then failed. Nothing is allocated before.
    fn on_announce(
        &self,
        from: &PlayerName,
        header: &DataHeader,
        length: u64,
    ) -> Result<Type, Refused>;

    /// A value of `from` is complete. It was announced unless sender and receiver share memory.
    fn on_data(&self, from: &PlayerName, header: DataHeader, value: Tensor);

    /// Nothing reaches `peer` any more, or nothing legible comes from it.
    fn on_lost(&self, peer: &PlayerName, reason: &str);
}

/// A value was refused: what is wrong with its header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);
