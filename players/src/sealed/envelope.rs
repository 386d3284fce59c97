//! The parts of a sealed file.

use aws_lc_rs::aead::NONCE_LEN;

/// Bytes before the head.
pub(super) const PREFIX: usize = 24;

/// Bytes of tag and nonce.
pub(super) const OVERHEAD: usize = 16 + NONCE_LEN;

/// The longest body, overhead included.
pub(super) const MOST_BODY: u64 = 4 << 30;

/// The longest head.
const MOST_HEAD: u32 = 4 << 20;

const MAGIC: &[u8; 8] = b"SORDINO\0";
const VERSION: u32 = 1;

/// What is wrong with the bytes of a file, as the rest of a sentence about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum Malformed {
    /// It begins as no sealed file does.
    #[error("is no sealed file of Sordino: remove it, or put the right file there")]
    Foreign,

    /// A newer version of Sordino wrote it.
    #[error(
        "has the form {version} of a newer Sordino, and this one reads {VERSION}: use that one"
    )]
    Newer { version: u32 },

    /// Bytes are missing, or there are too many.
    #[error(
        "has {length} bytes, not the {expected} that it should: restore it from a backup, or remove it"
    )]
    Length { expected: u64, length: u64 },

    /// Its lengths are beyond what is ever written.
    #[error("says of itself to be larger than any file that Sordino writes: remove it")]
    TooLarge,
}

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    head: u32,
    body: u64,
}

impl Prefix {
    /// Of a file with a head of so many bytes and a body of so many before it is sealed; `None` if
    /// that is too much.
    pub(super) fn of(head: usize, body: usize) -> Option<Self> {
        let (head, body) = (u32::try_from(head).ok()?, (body + OVERHEAD) as u64);
        (head <= MOST_HEAD && body <= MOST_BODY).then_some(Self { head, body })
    }

    pub(super) fn encode(self) -> [u8; PREFIX] {
        let mut bytes = [0; PREFIX];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.head.to_le_bytes());
        bytes[16..].copy_from_slice(&self.body.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        if !bytes.starts_with(MAGIC) {
            // Also a file that ends within the first eight bytes: nothing says what it was.
            return Err(Malformed::Foreign);
        }
        let Some(bytes) = bytes.first_chunk::<PREFIX>() else {
            let (expected, length) = (PREFIX as u64, bytes.len() as u64);
            return Err(Malformed::Length { expected, length });
        };
        let number = |at: usize| [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        let version = u32::from_le_bytes(number(8));
        if version != VERSION {
            let newer = Malformed::Newer { version };
            return Err(if version > VERSION { newer } else { Malformed::Foreign });
        }
        let head = u32::from_le_bytes(number(12));
        let (low, high) = (u32::from_le_bytes(number(16)), u32::from_le_bytes(number(20)));
        let body = u64::from(high) << 32 | u64::from(low);
        if head > MOST_HEAD || body > MOST_BODY || body < OVERHEAD as u64 {
            return Err(Malformed::TooLarge);
        }
        Ok(Self { head, body })
    }

    /// Bytes of the whole file, which has `length`.
    pub(super) fn fits(self, length: u64) -> Result<usize, Malformed> {
        let expected = PREFIX as u64 + u64::from(self.head) + self.body;
        if expected != length {
            return Err(Malformed::Length { expected, length });
        }
        usize::try_from(expected).map_err(|_| Malformed::TooLarge)
    }
}

/// Head and sealed body of the bytes of a file: what can be told of them without the key.
///
/// # Errors
/// [`Malformed`].
#[doc(hidden)]
pub fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let prefix = Prefix::decode(bytes)?;
    prefix.fits(bytes.len() as u64)?;
    Ok(bytes[PREFIX..].split_at(prefix.head as usize))
}
