//! The bytes of the protocol: what the first byte of a stream says, the header of a value, the
//! frame of a control message, and the codes of closed connections.
//!
//! ```text
//! control stream, one each way   01 | frame | frame | …     frame = length u32 | postcard
//! value, a stream each           02 | session 16 | plan u32 | step u64 | edge u32
//!                                   | length u64 | after u64 | `length` bytes
//! ```
//!
//! All numbers are little-endian. The first stream that a side opens is its control stream.
//! `after` is the number of control messages that the sender sent before the value: the receiver
//! takes in so many first. Streams overtake each other; this keeps a value behind the messages
//! that announce its plan.

use quinn::VarInt;
use zeroize::Zeroizing;

use crate::message::{Control, DataHeader, SessionId};

/// First byte of a control stream.
pub(super) const CONTROL: u8 = 1;
/// First byte of a value's stream.
pub(super) const VALUE: u8 = 2;

/// The longest control message from or to the driver, in bytes. The longest one in use is a
/// graph's text.
pub(super) const MAX_CONTROL: usize = 16 << 20;
/// The longest control message between players, in bytes: they have greetings and failures to tell.
pub(super) const MAX_BETWEEN_PLAYERS: usize = 32 << 10;

/// Closed on purpose, nothing is wrong.
pub(super) const CODE_DONE: VarInt = VarInt::from_u32(0);
/// The peer broke the protocol.
pub(super) const CODE_PROTOCOL: VarInt = VarInt::from_u32(1);
/// A newer connection of the same peer has taken the place.
pub(super) const CODE_REPLACED: VarInt = VarInt::from_u32(2);
/// By the roster of the closing side, the peer is the one that waits.
pub(super) const CODE_ORDER: VarInt = VarInt::from_u32(3);
/// Something went wrong on the closing side.
pub(super) const CODE_INTERNAL: VarInt = VarInt::from_u32(4);
/// Of a stream: the value is not wanted.
pub(super) const CODE_REFUSED: VarInt = VarInt::from_u32(5);

/// What precedes the elements of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    pub(super) header: DataHeader,
    /// Bytes of the elements.
    pub(super) length: u64,
    /// Control messages sent before.
    pub(super) after: u64,
}

impl Announcement {
    /// Bytes on the wire, the stream's first byte included.
    pub const BYTES: usize = 49;

    /// As it crosses the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = VALUE;
        bytes[1..17].copy_from_slice(&self.header.session.0);
        bytes[17..21].copy_from_slice(&self.header.plan.to_le_bytes());
        bytes[21..29].copy_from_slice(&self.header.step.to_le_bytes());
        bytes[29..33].copy_from_slice(&self.header.edge.to_le_bytes());
        bytes[33..41].copy_from_slice(&self.length.to_le_bytes());
        bytes[41..49].copy_from_slice(&self.after.to_le_bytes());
        bytes
    }

    /// The first byte is the caller's to check.
    #[must_use]
    pub fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let header = DataHeader {
            session: SessionId(part(bytes, 1)),
            plan: u32::from_le_bytes(part(bytes, 17)),
            step: u64::from_le_bytes(part(bytes, 21)),
            edge: u32::from_le_bytes(part(bytes, 29)),
        };
        let length = u64::from_le_bytes(part(bytes, 33));
        let after = u64::from_le_bytes(part(bytes, 41));
        Self { header, length, after }
    }
}

fn part<const N: usize>(bytes: &[u8; Announcement::BYTES], from: usize) -> [u8; N] {
    bytes[from..from + N].try_into().expect("N bytes")
}

/// A control message with its length in front, or why it cannot be sent. Wiped when dropped: it
/// may hold secrets.
///
/// # Errors
/// A sentence: it is too long, or there is a bug.
pub fn encode_control(message: &Control) -> Result<Zeroizing<Vec<u8>>, String> {
    let bug = |error: postcard::Error| format!("a message cannot be written: {error}");
    let length = postcard::experimental::serialized_size(message).map_err(bug)?;
    let prefix = u32::try_from(length).ok().filter(|_| length <= MAX_CONTROL).ok_or_else(|| {
        format!("a message of {length} bytes is longer than the {MAX_CONTROL} that peers accept")
    })?;
    // With room for all of it, so that no copy is left behind by a vector that grows.
    let mut frame = Zeroizing::new(vec![0; 4 + length]);
    frame[..4].copy_from_slice(&prefix.to_le_bytes());
    postcard::to_slice(message, &mut frame[4..]).map_err(bug)?;
    Ok(frame)
}

/// The control message that fills `bytes`; `None` if they are none or more than one.
#[must_use]
pub fn decode_control(bytes: &[u8]) -> Option<Control> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Some(message),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId([7; 16]);

    #[test]
    fn announcements_are_read_as_written() {
        let header = DataHeader { session: SESSION, plan: 1, step: u64::MAX - 2, edge: 3 };
        let announcement = Announcement { header, length: 1 << 40, after: 5 };
        let bytes = announcement.encode();
        assert_eq!(bytes[0], VALUE);
        assert_eq!(Announcement::decode(&bytes), announcement);
    }

    #[test]
    fn control_messages_are_read_as_written() {
        let frame =
            encode_control(&Control::Run { session: SESSION, plan: 1, steps: 300 }).unwrap();
        assert_eq!(frame[..4], u32::try_from(frame.len() - 4).unwrap().to_le_bytes());
        let read = decode_control(&frame[4..]);
        assert!(matches!(read, Some(Control::Run { session: SESSION, plan: 1, steps: 300 })));
        assert!(decode_control(&frame[4..frame.len() - 1]).is_none(), "cut");
        assert!(decode_control(&[&frame[4..], &[0]].concat()).is_none(), "more than one");
    }

    #[test]
    fn a_message_that_no_peer_would_accept_is_not_written() {
        let text = "x".repeat(MAX_CONTROL);
        let error = encode_control(&Control::Prepare {
            session: SESSION,
            plan: 0,
            first: 0,
            optional: crate::message::Optional::default(),
            text: text.into(),
        })
        .unwrap_err();
        assert!(error.contains("longer than the 16777216"), "{error}");
    }
}
