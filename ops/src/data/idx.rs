//! Gzipped IDX files, the format of MNIST: big-endian `0, 0, type, rank`, `rank` sizes of 32 bits,
//! then the elements, here always bytes (type 8).
//!
//! A file is read only if it is, to the byte, the one that is expected: its compressed length and
//! its SHA-256 are known beforehand. So nothing that decompresses is unknown, and no size is taken
//! from a header before it is compared with the one expected.

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A file that is known to the byte.
#[derive(Clone, Copy, Debug)]
pub struct IdxFile {
    /// Its name, without folder.
    pub name: &'static str,
    /// Bytes of the compressed file.
    pub compressed_len: u64,
    /// SHA-256 of the compressed file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The sizes in its header: items first, then what an item is made of.
    pub sizes: &'static [u32],
}

/// Why a dataset cannot be loaded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no such file.
    #[error(
        "no file {}: the datasets are in the folder data of the Sordino repository, \
         pass the folder that holds {name}", .path.display()
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
        /// Its name.
        name: &'static str,
    },
    /// The operating system does not let us read the file.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file ends too early, as after an interrupted copy.
    #[error("{} is truncated: {received} bytes instead of {expected}; copy it again", .path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that it should have.
        expected: u64,
        /// Bytes that it has.
        received: u64,
    },
    /// The file is longer than it should be: it is another one.
    #[error(
        "{} has more than the {expected} bytes that it should have: it is another file",
        .path.display()
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes that it should have.
        expected: u64,
    },
    /// The file has the right length and other bytes.
    #[error("{} is corrupt: its SHA-256 is {received} instead of {expected}", .path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Checksum that it should have.
        expected: &'static str,
        /// Checksum that it has.
        received: String,
    },
    /// The file is the expected one but does not decompress: our bug, its checksum was taken of a
    /// broken file.
    #[error("{} does not decompress", .path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decompressor says.
        source: io::Error,
    },
    /// The header says other sizes than expected: our bug, the sizes belong to another file.
    #[error("{} holds {received}, not {expected}", .path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// The header that it should have, in words.
        expected: String,
        /// The header that it has, in words.
        received: String,
    },
    /// Items are asked for that the file does not have.
    #[error("items {}..{} of {name} are asked for, it has {available}", .range.start, .range.end)]
    OutOfRange {
        /// The file's name.
        name: &'static str,
        /// What was asked for.
        range: Range<usize>,
        /// Items that it has.
        available: usize,
    },
}

impl IdxFile {
    /// Bytes of an item.
    pub fn item_len(&self) -> usize {
        self.sizes[1..].iter().map(|&size| size as usize).product()
    }

    /// The items of `range`, one after the other.
    ///
    /// Memory: the compressed file and the range. Decompresses up to the end of the range only.
    ///
    /// # Errors
    /// See [`DataError`].
    pub fn load(&self, dir: &Path, range: Range<usize>) -> Result<Vec<u8>, DataError> {
        let available = self.sizes[0] as usize;
        if range.start > range.end || range.end > available {
            return Err(DataError::OutOfRange { name: self.name, range, available });
        }
        let path = dir.join(self.name);
        let compressed = self.read(&path)?;
        self.verify(&path, &compressed)?;
        self.decompress(&path, &compressed, range)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, DataError> {
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => {
                DataError::Missing { path: path.to_owned(), name: self.name }
            }
            _ => DataError::Unreadable { path: path.to_owned(), source },
        })?;
        // One byte more than expected is enough to know that the file is too long.
        let mut bytes = Vec::with_capacity(self.compressed_len as usize + 1);
        file.take(self.compressed_len + 1)
            .read_to_end(&mut bytes)
            .map_err(|source| DataError::Unreadable { path: path.to_owned(), source })?;
        Ok(bytes)
    }

    fn verify(&self, path: &Path, compressed: &[u8]) -> Result<(), DataError> {
        let (expected, received) = (self.compressed_len, compressed.len() as u64);
        if received < expected {
            return Err(DataError::Truncated { path: path.to_owned(), expected, received });
        }
        if received > expected {
            return Err(DataError::TooLong { path: path.to_owned(), expected });
        }
        let received = hexadecimal(&Sha256::digest(compressed));
        if received != self.sha256 {
            let expected = self.sha256;
            return Err(DataError::Corrupt { path: path.to_owned(), expected, received });
        }
        Ok(())
    }

    fn decompress(
        &self,
        path: &Path,
        compressed: &[u8],
        range: Range<usize>,
    ) -> Result<Vec<u8>, DataError> {
        let undecodable = |source| DataError::Undecodable { path: path.to_owned(), source };
        let mut content = GzDecoder::new(compressed);
        let mut header = vec![0; 4 + 4 * self.sizes.len()];
        content.read_exact(&mut header).map_err(undecodable)?;
        if header != self.header() {
            return Err(DataError::WrongSize {
                path: path.to_owned(),
                expected: in_words(&self.header()),
                received: in_words(&header),
            });
        }
        skip(&mut content, range.start * self.item_len()).map_err(undecodable)?;
        let mut items = vec![0; range.len() * self.item_len()];
        content.read_exact(&mut items).map_err(undecodable)?;
        Ok(items)
    }

    fn header(&self) -> Vec<u8> {
        let mut header = vec![0, 0, BYTES, self.sizes.len() as u8];
        header.extend(self.sizes.iter().flat_map(|size| size.to_be_bytes()));
        header
    }
}

/// The code of unsigned bytes.
const BYTES: u8 = 8;

fn skip(content: &mut impl Read, mut bytes: usize) -> io::Result<()> {
    let mut sink = vec![0; bytes.min(64 * 1024)];
    while bytes > 0 {
        let n = bytes.min(sink.len());
        content.read_exact(&mut sink[..n])?;
        bytes -= n;
    }
    Ok(())
}

fn in_words(header: &[u8]) -> String {
    let (magic, sizes) = header.split_at(4);
    let sizes: Vec<_> =
        sizes.as_chunks().0.iter().map(|&b| u32::from_be_bytes(b).to_string()).collect();
    format!("magic {} and sizes {}", hexadecimal(magic), sizes.join(" x "))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::fs;
    use std::io::Write as _;
    use tempfile::TempDir;

    const CONTENT: [u8; 18] = [0, 0, 8, 2, 0, 0, 0, 3, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6];

    /// A file with this content, and what is expected of it.
    fn file(content: &[u8]) -> (TempDir, IdxFile) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        let compressed = encoder.finish().unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("three.gz"), &compressed).unwrap();
        let expected = IdxFile {
            name: "three.gz",
            compressed_len: compressed.len() as u64,
            // Leaked for the length of a test: the constants of real files are static.
            sha256: hexadecimal(&Sha256::digest(&compressed)).leak(),
            sizes: &[3, 2],
        };
        (dir, expected)
    }

    #[test]
    fn loads_a_range() {
        let (dir, file) = file(&CONTENT);
        assert_eq!(file.load(dir.path(), 0..3).unwrap(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(file.load(dir.path(), 1..2).unwrap(), [3, 4]);
        assert!(file.load(dir.path(), 3..3).unwrap().is_empty());
    }

    #[test]
    fn missing() {
        let (dir, file) = file(&CONTENT);
        let error = file.load(&dir.path().join("elsewhere"), 0..1).unwrap_err();
        assert!(matches!(error, DataError::Missing { .. }));
        let text = error.to_string();
        assert!(text.contains("elsewhere/three.gz") && text.contains("repository"), "{text}");
    }

    #[test]
    fn unreadable() {
        let (dir, file) = file(&CONTENT);
        fs::create_dir(dir.path().join("sub")).unwrap();
        fs::create_dir(dir.path().join("sub/three.gz")).unwrap();
        let error = file.load(&dir.path().join("sub"), 0..1).unwrap_err();
        assert!(matches!(error, DataError::Unreadable { .. }), "{error}");
    }

    #[test]
    fn truncated_corrupt_too_long() {
        let (dir, file) = file(&CONTENT);
        let path = dir.path().join(file.name);
        let whole = fs::read(&path).unwrap();

        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let error = file.load(dir.path(), 0..1).unwrap_err();
        let (long, short) = (whole.len() as u64, whole.len() as u64 - 3);
        assert!(matches!(error, DataError::Truncated { expected, received, .. }
                if expected == long && received == short));

        fs::write(&path, [&whole[..], &[0; 10]].concat()).unwrap();
        let error = file.load(dir.path(), 0..1).unwrap_err();
        assert!(matches!(error, DataError::TooLong { .. }), "{error}");

        let mut other = whole.clone();
        other[15] ^= 1;
        fs::write(&path, &other).unwrap();
        let error = file.load(dir.path(), 0..1).unwrap_err();
        assert!(matches!(error, DataError::Corrupt { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(file.sha256) && text.contains(&hexadecimal(&Sha256::digest(&other))));
    }

    #[test]
    fn wrong_header() {
        // The sizes of the header say 2^32 - 1 items: nothing is allocated for them.
        let mut content = CONTENT;
        content[4..8].fill(255);
        let (dir, file) = file(&content);
        let text = file.load(dir.path(), 0..1).unwrap_err().to_string();
        assert!(
            text.ends_with(
                "holds magic 00000802 and sizes 4294967295 x 2, not magic 00000802 and sizes 3 x 2"
            ),
            "{text}"
        );
    }

    #[test]
    fn ends_within_the_items() {
        let (dir, file) = file(&CONTENT[..15]);
        assert!(file.load(dir.path(), 0..1).is_ok());
        let error = file.load(dir.path(), 0..2).unwrap_err();
        assert!(matches!(error, DataError::Undecodable { .. }), "{error}");
    }

    #[test]
    fn out_of_range() {
        let (dir, file) = file(&CONTENT);
        let error = file.load(dir.path(), 2..4).unwrap_err();
        assert_eq!(error.to_string(), "items 2..4 of three.gz are asked for, it has 3");
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = 2..1;
        assert!(file.load(dir.path(), reversed).is_err());
    }
}
