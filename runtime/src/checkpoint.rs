//! What a session leaves on a player's own disk, so that another one can go on from there.
//!
//! Read [`Checkpoints`], the folder; `checkpoint/contents.rs` has the bytes of a file, within the
//! envelope of [`sordino_players::sealed`]. `session/checkpoint.rs` is what a player does with it,
//! `driver/checkpoint.rs` when the driver has it done.

mod contents;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use sordino_graph::PlayerName;
use sordino_players::sealed::remove_incomplete;
use sordino_players::{Fingerprint, Identity, Roster, Seal, SealError};

pub use self::contents::{Header, InvalidContents, Variables};
#[doc(hidden)]
pub use self::contents::{decode_header, decode_variables};
use crate::message::SessionId;

/// Sessions of one driver of which checkpoints are kept: a driver can fill so much of the disk.
const MOST_SESSIONS: usize = 64;

/// How the names of checkpoints end.
const SUFFIX: &str = ".sealed";

/// The checkpoints of one player: a folder on its own disk, with one for each driver in it.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    seal: Seal,
    /// Of the players and the driver, by the list of players that this one has now.
    certificates: BTreeMap<PlayerName, Fingerprint>,
}

/// Why a checkpoint cannot be written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum CheckpointError {
    /// The file.
    #[error(transparent)]
    Seal(#[from] SealError),

    /// What is in the file, though its seal is whole.
    #[error("{} {invalid}", .path.display())]
    Invalid { path: PathBuf, invalid: InvalidContents },

    /// The file is sound and of something else than its name says.
    #[error(
        "{} was written as another checkpoint, or by another player: it was copied or renamed. \
         Remove it", .path.display()
    )]
    Misplaced { path: PathBuf },

    /// It was made among players, or for a driver, with other certificates.
    #[error(
        "{} was made when {player} had another certificate: put that one back, or train anew",
        .path.display()
    )]
    Stranger { path: PathBuf, player: String },

    /// The folder cannot be read.
    #[error("cannot read the folder {}: {source}", .path.display())]
    Folder { path: PathBuf, source: std::io::Error },
}

/// The checkpoints of a session that one player has.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Those that are whole and may be used, oldest first.
    pub(crate) headers: Vec<Header>,
    /// Why others are not.
    pub(crate) unusable: Vec<CheckpointError>,
}

impl Checkpoints {
    /// The checkpoints of the player whose identity this is, in a folder that is made when there is
    /// something to keep. What a crash has left there half written is removed.
    #[must_use]
    pub fn new(folder: &Path, identity: &Identity, roster: &Roster) -> Self {
        let players = roster.players().iter().map(|p| (p.name().clone(), p.fingerprint()));
        let all = players.chain(roster.drivers().iter().cloned());
        Self::among(folder, identity, all.collect())
    }

    /// As [`new`](Self::new) among players with these certificates; none for players of one process.
    pub(crate) fn among(
        folder: &Path,
        identity: &Identity,
        certificates: BTreeMap<PlayerName, Fingerprint>,
    ) -> Self {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            remove_incomplete(&entry.path());
        }
        Self { folder: folder.to_owned(), seal: identity.seal("checkpoints"), certificates }
    }

    /// The certificates of these players and of the driver, as a checkpoint has them.
    pub(crate) fn certificates_of<'a>(
        &self,
        names: impl IntoIterator<Item = &'a PlayerName>,
    ) -> BTreeMap<String, [u8; 32]> {
        let known = |name: &PlayerName| {
            Some((name.as_str().to_owned(), *self.certificates.get(name)?.as_bytes()))
        };
        names.into_iter().filter_map(known).collect()
    }

    /// Writes a checkpoint, and removes those of the same session that are neither this one nor
    /// number `keep`.
    pub(crate) fn save(
        &self,
        header: &Header,
        variables: &Variables,
        keep: u64,
    ) -> Result<(), CheckpointError> {
        let path = self.path(&header.driver, header.session, header.number);
        let invalid = |invalid| CheckpointError::Invalid { path: path.clone(), invalid };
        let head = contents::encode_header(header).map_err(invalid)?;
        let body = contents::encode_variables(variables).map_err(invalid)?;
        if header.number == 1 {
            self.make_room(&header.driver);
        }
        self.seal.write(&path, &head, body)?;
        for (number, path) in self.files(&header.driver, header.session)? {
            if number != header.number && number != keep {
                // One that stays takes room and does no harm.
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// What there is of a session of `driver`, each file read through: one that is listed is whole.
    pub(crate) fn held(
        &self,
        me: &PlayerName,
        driver: &str,
        session: SessionId,
    ) -> Result<Held, CheckpointError> {
        let mut held = Held::default();
        for (number, _) in self.files(driver, session)? {
            match self.load(me, driver, session, number) {
                Ok((header, _)) => held.headers.push(header),
                Err(error) => held.unusable.push(error),
            }
        }
        Ok(held)
    }

    /// Reads a checkpoint of a session of `driver`.
    pub(crate) fn load(
        &self,
        me: &PlayerName,
        driver: &str,
        session: SessionId,
        number: u64,
    ) -> Result<(Header, Variables), CheckpointError> {
        let path = self.path(driver, session, number);
        let (head, body) = self.seal.read(&path)?;
        let invalid = |invalid| CheckpointError::Invalid { path: path.clone(), invalid };
        let header = decode_header(&head).map_err(invalid)?;
        let named = (&*header.player, &*header.driver, header.session, header.number);
        if named != (me.as_str(), driver, session, number) {
            return Err(CheckpointError::Misplaced { path });
        }
        let now = |name: &str| self.certificates.iter().find(|(known, _)| known.as_str() == name);
        let same = |(name, pin): (&String, &[u8; 32])| {
            now(name).is_some_and(|(_, certificate)| certificate.as_bytes() == pin)
        };
        if let Some((player, _)) = header.certificates.iter().find(|entry| !same(*entry)) {
            return Err(CheckpointError::Stranger { path, player: player.clone() });
        }
        let variables = decode_variables(&body).map_err(invalid)?;
        Ok((header, variables))
    }

    fn path(&self, driver: &str, session: SessionId, number: u64) -> PathBuf {
        self.folder.join(driver).join(format!("{session}-{number}{SUFFIX}"))
    }

    /// Numbers and files of the checkpoints of a session, oldest first.
    fn files(
        &self,
        driver: &str,
        session: SessionId,
    ) -> Result<Vec<(u64, PathBuf)>, CheckpointError> {
        let mut files = self.all(driver)?;
        files.retain(|(of, ..)| *of == session.to_string());
        let mut files: Vec<_> = files.into_iter().map(|(_, number, path)| (number, path)).collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Session, number and file of all checkpoints of a driver.
    fn all(&self, driver: &str) -> Result<Vec<(String, u64, PathBuf)>, CheckpointError> {
        let folder = self.folder.join(driver);
        let failed = |source| CheckpointError::Folder { path: folder.clone(), source };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let paths: Result<Vec<_>, _> = entries.map(|entry| Ok(entry?.path())).collect();
        let parse = |path: PathBuf| {
            let name = path.file_name().and_then(OsStr::to_str)?.strip_suffix(SUFFIX)?;
            let (session, number) = name.split_once('-')?;
            Some((session.to_owned(), number.parse().ok()?, path.clone()))
        };
        Ok(paths.map_err(failed)?.into_iter().filter_map(parse).collect())
    }

    /// Before a session's first checkpoint: the sessions that were not written to for longest go,
    /// if the driver has too many.
    fn make_room(&self, driver: &str) {
        let mut sessions: BTreeMap<String, (std::time::SystemTime, Vec<PathBuf>)> = BTreeMap::new();
        for (session, _, path) in self.all(driver).unwrap_or_default() {
            let written = path.metadata().and_then(|data| data.modified());
            let written = written.unwrap_or(std::time::UNIX_EPOCH);
            let entry = sessions.entry(session).or_insert((written, Vec::new()));
            entry.0 = entry.0.max(written);
            entry.1.push(path);
        }
        let mut sessions: Vec<_> = sessions.into_values().collect();
        sessions.sort_unstable();
        let surplus = (sessions.len() + 1).saturating_sub(MOST_SESSIONS);
        for path in sessions.drain(..surplus).flat_map(|(_, paths)| paths) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
