//! What a training keeps on the players' disks, and how it is resumed from there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use sordino::ops::data::{Mnist, Split};
use sordino::prelude::*;
use sordino::runtime::SessionId;

use super::options::{Common, Place};
use super::writable::can_hold;

/// Where players of this process keep it unless told.
const STATE: &str = concat!("target/sordino/", env!("CARGO_BIN_NAME"), "/state");

/// Steps between checkpoints of players elsewhere, unless told.
const EVERY: u64 = 100;

/// Options of a training that can be resumed.
#[derive(Debug, Args)]
pub struct Kept {
    /// Have each player keep what it takes to resume, on its own disk and sealed, after every N
    /// steps; 0 for never. Unless given, 100 with players elsewhere, and 0 in this process.
    #[arg(long, value_name = "N")]
    pub checkpoint: Option<u64>,
    /// Go on with a training from the last checkpoint that all players have: the one that began
    /// with this session, with the same options otherwise.
    #[arg(long, value_name = "SESSION")]
    pub resume: Option<SessionId>,
    /// Where players of this process keep it; players elsewhere know where theirs is.
    #[arg(long, value_name = "DIR", default_value = STATE)]
    pub state: PathBuf,
}

impl Kept {
    /// Steps between two checkpoints.
    fn every(&self, common: &Common) -> u64 {
        let default = if let Place::Local = common.config { 0 } else { EVERY };
        self.checkpoint.unwrap_or(default)
    }

    /// Whether players of this process need a folder.
    fn local(&self, common: &Common) -> bool {
        matches!(common.config, Place::Local) && (self.resume.is_some() || self.every(common) > 0)
    }

    /// Checks what can be known beforehand.
    pub fn check(&self, common: &Common) -> Result<(), String> {
        if !self.local(common) {
            return Ok(());
        }
        can_hold(&self.state)
            .map_err(|e| format!("{e}; name another folder for checkpoints with --state"))
    }

    /// Opens a session where the options say, resumed if they say so, in which `owners` may be
    /// missing. With `mnist`, players of this process read its files.
    pub fn open(
        &self,
        out: &mut impl Write,
        common: &Common,
        setup: Setup,
        owners: &[PlayerName],
        mnist: bool,
    ) -> anyhow::Result<Session> {
        let mut session = if self.local(common) {
            load(&common.data(), mnist)?;
            Session::local_in(setup, &common.data(), None, &self.state)?
        } else {
            super::run::open_without(owners, common, setup, mnist)?
        };
        session.allow_missing(owners);
        session.checkpoint_every(self.every(common));
        if let Some(earlier) = self.resume {
            session.resume(earlier)?;
        }
        if self.resume.is_some() || self.every(common) > 0 {
            let id = session.id();
            writeln!(out, "Session: {id}; if it breaks off, resume it with --resume {id}\n")?;
            // Who looks for it looks here after a crash.
            out.flush()?;
        }
        Ok(session)
    }
}

/// Loads the files of MNIST for all players of this process at once, before the first of them
/// starts.
pub fn load(data: &Path, mnist: bool) -> anyhow::Result<()> {
    for split in [Split::Train, Split::Test].into_iter().filter(|_| mnist) {
        Mnist::load(data, split, 0..0)?;
    }
    Ok(())
}

/// Warns when a player did not keep what it was to keep.
pub fn warn(event: Event<'_>) {
    if let Event::Unsaved { player, reason } = event {
        let line = format!("warning: {player} wrote no checkpoint: {reason}");
        // Standard error that is gone is no reason to stop.
        let _ = writeln!(io::stderr(), "{line}");
    }
}
