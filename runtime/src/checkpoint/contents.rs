//! The bytes of a checkpoint: a header that may be seen, and the variables, which are sealed.
//!
//! ```text
//! variables   number u32 | a variable | a variable | …
//! a variable  bytes of the name u16 | name | element u8 | axes u8 | each axis u32 | elements
//! ```
//!
//! Numbers and elements are little-endian; variables are sorted by name. The header is postcard.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use sordino_graph::{Element, Fixed, Shape, Type};
use sordino_ops::Tensor;
use zeroize::Zeroizing;

use crate::message::SessionId;

/// Values of variables, by name.
pub type Variables = HashMap<String, Tensor>;

/// What a checkpoint says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Whose it is.
    pub player: String,
    /// Who asked for it.
    pub driver: String,
    /// The session that the run began with: by it a run is resumed, however often.
    pub session: SessionId,
    /// Checkpoints of the run up to this one.
    pub number: u64,
    /// The session that wrote it: two that were resumed from one checkpoint do not mix.
    pub writer: SessionId,
    /// SHA-256 of the setup's text: players, protocol, servers, policy.
    pub setup: [u8; 32],
    /// Fingerprints of the certificates of players and driver.
    pub certificates: BTreeMap<String, [u8; 32]>,
    /// Steps that were run of each plan, by the digest of its recorded graph.
    pub steps: BTreeMap<[u8; 32], u64>,
}

/// What is wrong with the contents of a checkpoint, as the rest of a sentence about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidContents {
    /// The header is none.
    #[error("has a head that is none of a checkpoint's: another version of Sordino wrote it")]
    Header,
    /// The variables are none.
    #[error("holds no variables as a checkpoint does: another version of Sordino wrote it")]
    Variables,
    /// There is too much to write.
    #[error(
        "cannot hold these variables: a name is longer than 65,535 bytes, or an axis than 2^32"
    )]
    TooLarge,
}

pub(super) fn encode_header(header: &Header) -> Result<Vec<u8>, InvalidContents> {
    postcard::to_stdvec(header).map_err(|_| InvalidContents::Header)
}

/// Reads a header that fills `bytes`.
///
/// # Errors
/// [`InvalidContents::Header`].
pub fn decode_header(bytes: &[u8]) -> Result<Header, InvalidContents> {
    match postcard::take_from_bytes(bytes) {
        Ok((header, [])) => Ok(header),
        _ => Err(InvalidContents::Header),
    }
}

pub(super) fn encode_variables(
    variables: &Variables,
) -> Result<Zeroizing<Vec<u8>>, InvalidContents> {
    let mut sorted: Vec<_> = variables.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    let size = |(name, value): &(&String, &Tensor)| {
        4 + name.len() + 4 * value.axes().len() + value.as_bytes().len()
    };
    // With room for the tag as well: what a vector that grows leaves behind, nobody wipes.
    let size = 4 + sorted.iter().map(size).sum::<usize>();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 64));
    let too_large = |_| InvalidContents::TooLarge;
    bytes.extend(u32::try_from(sorted.len()).map_err(too_large)?.to_le_bytes());
    for (name, value) in sorted {
        bytes.extend(u16::try_from(name.len()).map_err(too_large)?.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.push(code(value));
        bytes.push(u8::try_from(value.axes().len()).map_err(too_large)?);
        for axis in value.axes() {
            bytes.extend(u32::try_from(*axis).map_err(too_large)?.to_le_bytes());
        }
        bytes.extend(value.as_bytes());
    }
    Ok(bytes)
}

/// Reads variables that fill `bytes`. Memory is taken for no more than there are bytes.
///
/// # Errors
/// [`InvalidContents::Variables`].
pub fn decode_variables(bytes: &[u8]) -> Result<Variables, InvalidContents> {
    let mut reader = Reader(bytes);
    let variables = reader.variables().filter(|_| reader.0.is_empty());
    variables.ok_or(InvalidContents::Variables)
}

fn code(value: &Tensor) -> u8 {
    match value {
        Tensor::F32(_) => 0,
        Tensor::F64(_) => 1,
        Tensor::I32(_) => 2,
        Tensor::Ring64(_) => 3,
        Tensor::Ring128(_) => 4,
    }
}

/// A type whose tensors have the code and the shape: of ring elements, how they are read is the
/// business of the node that reads them.
fn of_code(code: u8, shape: Shape) -> Option<Type> {
    let element = match code {
        0 => Element::F32,
        1 => Element::F64,
        2 => Element::I32,
        3 => Element::Fixed(Fixed::LOW),
        4 => Element::Fixed(Fixed::HIGH),
        _ => return None,
    };
    Some(Type::plain(element, shape))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn variables(&mut self) -> Option<Variables> {
        let number = u32::from_le_bytes(self.number()?);
        let (mut variables, mut last) = (Variables::new(), None);
        for _ in 0..number {
            let (name, value) = self.variable()?;
            // In the order that they are written in, which also tells doubles.
            if last.as_ref().is_some_and(|last| *last >= name) {
                return None;
            }
            last = Some(name.clone());
            variables.insert(name, value);
        }
        Some(variables)
    }

    fn variable(&mut self) -> Option<(String, Tensor)> {
        let length = u16::from_le_bytes(self.number()?);
        let name = std::str::from_utf8(self.take(length.into())?).ok()?.to_owned();
        let [code, rank] = self.number()?;
        let mut axes = Vec::new();
        for _ in 0..rank {
            axes.push(usize::try_from(u32::from_le_bytes(self.number()?)).ok()?);
        }
        let ty = of_code(code, Shape::new(&axes).ok()?)?;
        // The bytes are there before memory is taken for them.
        let elements = self.take(ty.bytes())?;
        let mut value = Tensor::zeros(&ty);
        value.as_bytes_mut().copy_from_slice(elements);
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tensor() -> impl Strategy<Value = Tensor> {
        let axes = prop::collection::vec(0usize..4, 0..4);
        (0u8..5, axes, any::<u8>()).prop_map(|(code, axes, byte)| {
            let mut value = Tensor::zeros(&of_code(code, Shape::new(&axes).unwrap()).unwrap());
            value.as_bytes_mut().fill(byte);
            value
        })
    }

    proptest! {
        #[test]
        fn variables_are_read_as_written_and_no_part_of_them(
            variables in prop::collection::hash_map("[a-z/é]{0,9}", tensor(), 0..6),
        ) {
            let bytes = encode_variables(&variables).unwrap();
            prop_assert_eq!(decode_variables(&bytes), Ok(variables));
            for cut in 0..bytes.len() {
                prop_assert_eq!(decode_variables(&bytes[..cut]), Err(InvalidContents::Variables));
            }
            let longer = [&bytes[..], &[0]].concat();
            prop_assert_eq!(decode_variables(&longer), Err(InvalidContents::Variables));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(variables) = decode_variables(&bytes) {
                prop_assert_eq!(&encode_variables(&variables).unwrap()[..], &bytes[..]);
            }
            let _ = decode_header(&bytes);
        }

        #[test]
        fn headers_are_read_as_written_and_no_part_of_them(
            number: u64,
            steps in prop::collection::btree_map(any::<[u8; 32]>(), any::<u64>(), 0..3),
        ) {
            let header = Header {
                player: "ann".to_owned(),
                driver: "driver".to_owned(),
                session: SessionId([1; 16]),
                number,
                writer: SessionId([2; 16]),
                setup: [3; 32],
                certificates: [("ann".to_owned(), [4; 32])].into(),
                steps,
            };
            let bytes = encode_header(&header).unwrap();
            for cut in 0..bytes.len() {
                prop_assert_eq!(decode_header(&bytes[..cut]), Err(InvalidContents::Header));
            }
            prop_assert_eq!(decode_header(&bytes), Ok(header));
        }
    }

    /// A variable `x` with these axes, and that many bytes of elements.
    fn one(code: u8, axes: &[u32], bytes: usize) -> Vec<u8> {
        let axes: Vec<_> = axes.iter().flat_map(|axis| axis.to_le_bytes()).collect();
        let rank = (axes.len() / 4) as u8;
        [&[1, 0, 0, 0, 1, 0, b'x', code, rank][..], &axes, &vec![0; bytes]].concat()
    }

    #[test]
    fn what_is_no_list_of_variables_takes_no_memory() {
        assert!(decode_variables(&one(0, &[2], 8)).is_ok());
        let cases = [
            one(5, &[2], 8),
            one(0, &[2], 4),
            one(0, &[u32::MAX, u32::MAX], 8),
            one(4, &[1 << 31], 8),
            one(0, &[0, u32::MAX], 0),
            one(0, &[1; 9], 4),
            [&[2, 0, 0, 0][..], &one(0, &[], 4)[4..], &one(0, &[], 4)[4..]].concat(),
            u32::MAX.to_le_bytes().to_vec(),
            vec![1, 0, 0, 0, 1, 0, 0xff, 0, 0, 0, 0, 0, 0],
        ];
        for bytes in cases {
            assert_eq!(decode_variables(&bytes), Err(InvalidContents::Variables), "{bytes:?}");
        }
    }
}
