//! Running Graphviz.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::VisualizeError;
use crate::write::write_atomically;

/// The command that draws.
pub(crate) const DOT: [&str; 1] = ["dot"];

/// How long `dot` may take for one picture: a hundred times what a program of usual size needs.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// How often a running `dot` is looked at.
const POLL: Duration = Duration::from_millis(2);

/// File format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Scalable, with text that can be selected.
    Svg,
    /// Pixels, at 96 dots an inch.
    Png,
}

impl Format {
    /// The extension of its files and Graphviz's name for it.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Svg => &["-Tsvg"],
            Self::Png => &["-Tpng", "-Gdpi=96"],
        }
    }
}

/// Draws a DOT file into a picture of the same name beside it, and returns the picture's path;
/// `None` when `dot` is not on the `PATH`.
///
/// # Errors
/// [`VisualizeError`] when the file cannot be read, `dot` fails or takes more than 20 s, or the
/// picture cannot be written.
pub fn write_picture(dot_file: &Path, format: Format) -> Result<Option<PathBuf>, VisualizeError> {
    draw(&DOT, dot_file, format, DEADLINE)
}

/// [`write_picture`] with another command, which is a program and its first arguments, and another
/// deadline.
pub(crate) fn draw(
    command: &[&str],
    dot_file: &Path,
    format: Format,
    deadline: Duration,
) -> Result<Option<PathBuf>, VisualizeError> {
    let path = || dot_file.to_owned();
    let input =
        File::open(dot_file).map_err(|source| VisualizeError::Read { path: path(), source })?;
    // Standard input, and not the path as an argument, which might begin with a dash.
    let spawned = Command::new(command[0])
        .args(&command[1..])
        .args(format.arguments())
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(VisualizeError::StartDot { path: path(), source }),
    };
    let end = Instant::now() + deadline;
    let timed_out = || VisualizeError::DotTimedOut { path: path(), seconds: deadline.as_secs() };
    let drawing = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let waited = wait(&mut child, end);
    let waited = waited.map_err(|source| VisualizeError::StartDot { path: path(), source })?;
    let Some(status) = waited else {
        // It may have ended by itself in between, which is as good.
        let _ = child.kill();
        let _ = child.wait();
        return Err(timed_out());
    };
    let rest = || end.saturating_duration_since(Instant::now());
    let drawing = drawing.recv_timeout(rest()).map_err(|_| timed_out())?;
    if !status.success() {
        let stderr = stderr.recv_timeout(rest()).unwrap_or_default();
        let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
        return Err(VisualizeError::DotFailed { path: path(), status: status.to_string(), stderr });
    }
    let picture = dot_file.with_extension(format.extension());
    write_atomically(&picture, &drawing)?;
    Ok(Some(picture))
}

/// How the child ended; `None` when it did not before `end`.
fn wait(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(Some(status)),
            None if Instant::now() < end => std::thread::sleep(POLL),
            None => return Ok(None),
        }
    }
}

/// Reads a pipe to its end beside the caller, who waits for the bytes as long as it likes: a pipe
/// may stay open beyond its process.
fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        if matches!(read, Some(Ok(_))) {
            let _ = send.send(bytes);
        }
    });
    receive
}
