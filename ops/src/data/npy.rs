//! Tensors in files of a player's own: f32 arrays in the format `.npy`, version 1.0 as NumPy
//! writes it, in the folder `tensors` of the player's data.
//!
//! A graph names a tensor by a plain word, never by a path, and says its shape. Nothing is taken
//! from a header before it is compared with that shape. Files are written only where an operator
//! has made that folder: who makes none lets no program write.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sordino_graph::Shape;

/// The folder of tensors in a player's data.
pub const FOLDER: &str = "tensors";

/// Letters of the longest name.
const LONGEST: usize = 100;

/// Magic, version 1.0, length of the header.
const PREFIX: usize = 10;
const MAGIC: &[u8; 8] = b"\x93NUMPY\x01\x00";

/// Why a tensor is not read, or not written. Never holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFileError {
    /// There is no such file, or it is none.
    #[error("no file {}: put the tensor there, an f32 array as numpy.save writes it", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no folder to write to.
    #[error("no folder {}: whoever lets programs keep tensors here makes it", .path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no .npy file of version 1.0: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An array of another type or shape.
    #[error(
        "{} holds {found}, where {expected} is expected: put a tensor of that shape there, or change \
         the program", .path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// Type and shape that it should have.
        expected: String,
        /// Type and shape that it has.
        found: String,
    },
    /// The operating system does not let us read or write it.
    #[error("cannot use {}: {source}", .path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

/// Whether `name` may name a tensor: lower-case letters, digits, `-` and `_`, at most 100.
#[must_use]
pub fn is_plain_word(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain)
}

/// The file of a tensor below a player's data.
fn file(data: &Path, name: &str) -> PathBuf {
    debug_assert!(is_plain_word(name), "the type rule lets no other name through");
    data.join(FOLDER).join(format!("{name}.npy"))
}

/// Reads the tensor `name` of `shape` from the player's folder `data`.
///
/// # Errors
/// [`TensorFileError`]; memory is only taken for a file of the right shape and length.
pub fn load(data: &Path, name: &str, shape: &Shape) -> Result<Vec<f32>, TensorFileError> {
    let (path, mut file) = open(data, name, shape)?;
    let mut content = vec![0; shape.elements() * size_of::<f32>()];
    file.read_exact(&mut content).map_err(|source| TensorFileError::System { path, source })?;
    Ok(content.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}

/// Whether there is a tensor `name` of `shape` in the player's folder `data`, by its header.
///
/// # Errors
/// Those of [`load`].
pub fn check(data: &Path, name: &str, shape: &Shape) -> Result<(), TensorFileError> {
    open(data, name, shape).map(drop)
}

/// The file of a tensor that is of the right shape and length, at its first element.
fn open(data: &Path, name: &str, shape: &Shape) -> Result<(PathBuf, File), TensorFileError> {
    let path = file(data, name);
    // Asked before it is opened: opening a pipe would wait for its writer.
    let length = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => return Err(TensorFileError::Missing { path }),
    };
    let malformed = |reason| TensorFileError::Malformed { path: path.clone(), reason };
    let system = |source| TensorFileError::System { path: path.clone(), source };
    let mut file = File::open(&path).map_err(system)?;
    let mut prefix = [0; PREFIX];
    file.read_exact(&mut prefix).map_err(|_| malformed("it is too short"))?;
    let Some([low, high]) = prefix.strip_prefix(MAGIC) else {
        return Err(malformed("it begins with other bytes"));
    };
    let mut header = vec![0; usize::from(u16::from_le_bytes([*low, *high]))];
    file.read_exact(&mut header).map_err(|_| malformed("it is too short"))?;
    let header = String::from_utf8(header).map_err(|_| malformed("its header is no text"))?;
    let (kind, axes) = parse(&header).ok_or_else(|| malformed("its header cannot be read"))?;
    if kind != KIND || axes != shape.axes() {
        let kind = if kind == KIND { "f32".to_owned() } else { kind };
        let axes = axes.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (expected, found) = (format!("f32{shape}"), format!("{kind}[{axes}]"));
        return Err(TensorFileError::Other { path, expected, found });
    }
    let bytes = shape.elements() * size_of::<f32>();
    if length != (PREFIX + header.len() + bytes) as u64 {
        return Err(malformed("its length is not that of its shape"));
    }
    Ok((path, file))
}

/// Whether a tensor can be written into the player's folder `data`.
///
/// # Errors
/// [`TensorFileError::NoFolder`].
pub fn check_folder(data: &Path) -> Result<(), TensorFileError> {
    let path = data.join(FOLDER);
    if path.is_dir() { Ok(()) } else { Err(TensorFileError::NoFolder { path }) }
}

/// Writes a tensor of `shape`, all of it or nothing, in place of one of that name.
///
/// # Errors
/// [`TensorFileError`].
pub fn save(
    data: &Path,
    name: &str,
    shape: &Shape,
    elements: &[f32],
) -> Result<(), TensorFileError> {
    check_folder(data)?;
    let (path, folder) = (file(data, name), data.join(FOLDER));
    let mut content = header(shape);
    content.extend(elements.iter().flat_map(|x| x.to_le_bytes()));
    let temporary = folder.join(format!("{name}.{}.tmp", std::process::id()));
    let write = || {
        let mut file = File::create_new(&temporary)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    };
    write().map_err(|source| {
        if source.kind() != io::ErrorKind::AlreadyExists {
            drop(fs::remove_file(&temporary));
        }
        TensorFileError::System { path: path.clone(), source }
    })
}

/// Little-endian f32, as the header has it.
const KIND: &str = "<f4";

/// Everything before the elements, padded so that they begin at a multiple of 64.
fn header(shape: &Shape) -> Vec<u8> {
    let axes: String = shape.axes().iter().map(|n| format!("{n}, ")).collect();
    // As Python writes tuples: `(3,)`, `(3, 4)`.
    let axes = match shape.rank() {
        1 => axes.trim_end().to_owned(),
        _ => axes.trim_end_matches(", ").to_owned(),
    };
    let mut text = format!("{{'descr': '{KIND}', 'fortran_order': False, 'shape': ({axes}), }}");
    let length = (PREFIX + text.len() + 1).next_multiple_of(64) - PREFIX;
    text.push_str(&" ".repeat(length - text.len() - 1));
    text.push('\n');
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes();
    [&MAGIC[..], &length, text.as_bytes()].concat()
}

/// Type and axes of a header with the keys in NumPy's order, row-major.
fn parse(header: &str) -> Option<(String, Vec<usize>)> {
    let rest = header.trim().strip_prefix("{'descr': '")?;
    let (kind, rest) = rest.split_once("', 'fortran_order': False, 'shape': (")?;
    let axes = rest.strip_suffix("), }")?;
    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let printable = kind.len() <= 16 && kind.bytes().all(|c| c.is_ascii_graphic());
    Some((
        printable.then(|| kind.to_owned())?,
        axes.map(|n| n.parse().ok()).collect::<Option<_>>()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(FOLDER)).unwrap();
        data
    }

    fn shape(axes: &[usize]) -> Shape {
        Shape::new(axes).unwrap()
    }

    /// What `load` and `check` say of a file with this content, where f32`[2,3]` is expected.
    fn error(content: &[u8]) -> String {
        let data = folder();
        fs::write(file(data.path(), "x"), content).unwrap();
        let error = load(data.path(), "x", &shape(&[2, 3])).unwrap_err().to_string();
        assert_eq!(check(data.path(), "x", &shape(&[2, 3])).unwrap_err().to_string(), error);
        error
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let data = folder();
        for axes in [&[][..], &[0], &[3], &[2, 3], &[2, 1, 3]] {
            let shape = shape(axes);
            let elements: Vec<f32> = (0..shape.elements()).map(|i| i as f32 - 0.5).collect();
            save(data.path(), "a-b_0", &shape, &elements).unwrap();
            check(data.path(), "a-b_0", &shape).unwrap();
            assert_eq!(load(data.path(), "a-b_0", &shape).unwrap(), elements);
        }
        assert_eq!(fs::read_dir(data.path().join(FOLDER)).unwrap().count(), 1);
    }

    #[test]
    fn writes_what_numpy_writes() {
        // numpy.save of numpy.zeros((2, 3), "float32"), but for the zeros.
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        let expected = format!("{text}{}\n", " ".repeat(118 - text.len() - 1));
        let header = header(&shape(&[2, 3]));
        assert_eq!(header, [&b"\x93NUMPY\x01\x00\x76\x00"[..], expected.as_bytes()].concat());
        assert!(super::header(&shape(&[7])).windows(4).any(|part| part == b"(7,)"));
        assert!(super::header(&shape(&[])).windows(2).any(|part| part == b"()"));
    }

    #[test]
    fn other_files_are_refused_by_name() {
        let whole = |axes: &[usize]| [header(&shape(axes)), vec![0; 24]].concat();
        let mut doubles = whole(&[2, 3]);
        let kind = doubles.windows(3).position(|part| part == b"<f4").unwrap();
        doubles[kind + 2] = b'8';
        let cases: [(&[u8], &str); 6] = [
            (b"", "too short"),
            (b"PK\x03\x04 and so on", "begins with other bytes"),
            (&whole(&[2, 3])[..60], "too short"),
            (&whole(&[2, 3])[..140], "length is not that"),
            (&whole(&[3, 2]), "x.npy holds f32[3,2], where f32[2,3] is expected"),
            (&doubles, "x.npy holds <f8[2,3], where f32[2,3] is expected"),
        ];
        for (content, expected) in cases {
            let error = error(content);
            assert!(error.contains(expected), "{error} instead of {expected}");
        }
    }

    #[test]
    fn a_missing_file_or_folder_is_named() {
        let data = tempfile::tempdir().unwrap();
        let error = load(data.path(), "x", &shape(&[1])).unwrap_err().to_string();
        assert!(error.contains("tensors/x.npy"), "{error}");
        let error = save(data.path(), "x", &shape(&[1]), &[1.0]).unwrap_err().to_string();
        assert!(error.starts_with("no folder") && error.contains("tensors"), "{error}");
    }

    #[test]
    fn names_are_no_paths() {
        assert!(["a", "dense_1-bias", "0"].into_iter().all(is_plain_word));
        let bad = ["", "..", "a/b", "a.npy", "A", "ä", "a b", "-\0", &"a".repeat(101)];
        assert!(!bad.into_iter().any(is_plain_word));
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_parser(header in ".{0,200}") {
            let _ = parse(&header);
        }
    }
}
