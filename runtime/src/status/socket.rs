//! The Unix domain socket by which a player is asked for its status: `status` in the folder of its
//! state, open to the user alone that runs the player.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;
use tokio::time::{sleep, timeout};

use super::Status;

/// The socket's name in the folder.
const NAME: &str = "status";

/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any status is.
const MOST: u64 = 64 << 20;

/// Why a player's status is not known. The operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum StatusError {
    /// There is no socket.
    #[error(
        "no player has been started with this folder: there is no {}. Start it with `sordino \
         player`, or name the folder of its state with --state", .path.display()
    )]
    NotStarted { path: PathBuf },

    /// Nobody listens at the socket.
    #[error(
        "the player does not run: nobody answers at {}, which a process has left that was killed. \
         Start it again with `sordino player`", .path.display()
    )]
    NotRunning { path: PathBuf },

    /// The socket is another user's.
    #[error(
        "this user may not ask the player: {} is open to the one alone that runs it. Ask as that \
         user", .path.display()
    )]
    Forbidden { path: PathBuf },

    /// Nothing comes.
    #[error(
        "the player does not answer at {}: its process is stopped, or has too much to do; ask again \
         or look at its log", .path.display()
    )]
    Silent { path: PathBuf },

    /// What comes is no status.
    #[error(
        "what answers at {} is no player of this version of Sordino: use the version that the \
         player runs", .path.display()
    )]
    Illegible { path: PathBuf },

    /// The system says something else.
    #[error("cannot ask the player at {}: {source}", .path.display())]
    Failed { path: PathBuf, source: io::Error },
}

/// Asks the player that keeps its state in a folder.
///
/// # Errors
/// [`StatusError`]: it does not run, does not answer, or this user may not ask.
pub fn ask(folder: &Path) -> Result<Status, StatusError> {
    ask_for(folder, PATIENCE)
}

fn ask_for(folder: &Path, patience: Duration) -> Result<Status, StatusError> {
    let path = folder.join(NAME);
    let text = read(&path, patience).map_err(|source| {
        let path = path.clone();
        match source.kind() {
            ErrorKind::NotFound => StatusError::NotStarted { path },
            ErrorKind::ConnectionRefused => StatusError::NotRunning { path },
            ErrorKind::PermissionDenied => StatusError::Forbidden { path },
            ErrorKind::WouldBlock | ErrorKind::TimedOut => StatusError::Silent { path },
            _ => StatusError::Failed { path, source },
        }
    })?;
    serde_json::from_slice(&text).map_err(|_| StatusError::Illegible { path })
}

fn read(path: &Path, patience: Duration) -> io::Result<Vec<u8>> {
    let stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(patience))?;
    let mut text = Vec::new();
    stream.take(MOST).read_to_end(&mut text)?;
    Ok(text)
}

/// The socket. Nobody can connect any more when it is dropped.
pub(crate) struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Opens the socket in a folder, which is made if it is not there. What a process has left there
    /// that was killed is replaced. Within an event loop.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let make = |folder: &Path| DirBuilder::new().recursive(true).mode(0o700).create(folder);
        make(folder)?;
        // A socket is made with the rights that the process gives to all its files: nobody else gets
        // to it before it has its own.
        let private = folder.join(format!(".{NAME}-{}", std::process::id()));
        make(&private)?;
        let opened = Self::open_in(&private, folder.join(NAME));
        // Empty, unless something has failed, which is told.
        let _ = fs::remove_dir_all(&private);
        opened
    }

    fn open_in(private: &Path, path: PathBuf) -> io::Result<Self> {
        let first = private.join(NAME);
        let socket = UnixListener::bind(&first)?;
        fs::set_permissions(&first, Permissions::from_mode(0o600))?;
        fs::rename(&first, &path)?;
        Ok(Self { socket, path })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Answers who asks, one after the other, without end.
pub(crate) async fn answer(listener: &Listener, status: impl Fn() -> Status) {
    loop {
        let Ok((mut stream, _)) = listener.socket.accept().await else {
            // The process has too many files open, say.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let text = serde_json::to_vec(&status()).expect("numbers and texts are JSON");
        // Who asks and does not listen has no answer.
        let _ = timeout(PATIENCE, async {
            stream.write_all(&text).await?;
            stream.shutdown().await
        })
        .await;
    }
}

#[cfg(test)]
mod tests;
