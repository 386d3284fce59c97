//! What can go wrong when pictures are written.

use std::io;
use std::path::PathBuf;

/// Why a picture was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VisualizeError {
    /// The folder for the pictures does not exist and cannot be made.
    #[error("cannot make the folder {} for the pictures: {source}; name another one", path.display())]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(
        "cannot write {}: {source}; free space there, or name another folder for the pictures",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A DOT file cannot be read back.
    #[error("cannot read {}: {source}; write the views again", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// `dot` is there and cannot be started.
    #[error("cannot start `dot` to draw {}: {source}; reinstall Graphviz", path.display())]
    StartDot {
        /// The DOT file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// `dot` did not draw the file.
    #[error(
        "`dot` did not draw {} ({status}): {stderr}; if `dot -Tsvg` fails on it by hand too, \
         reinstall Graphviz",
        path.display()
    )]
    DotFailed {
        /// The DOT file.
        path: PathBuf,
        /// How it ended.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// `dot` took too long and was stopped.
    #[error(
        "`dot` did not draw {} within {seconds} s and was stopped; draw the file by hand",
        path.display()
    )]
    DotTimedOut {
        /// The DOT file.
        path: PathBuf,
        /// How long it was given.
        seconds: u64,
    },
}
