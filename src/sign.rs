//! `sordino sign`: a player's word that it runs a plan.

use std::path::Path;

use sordino::PlayerName;
use sordino::players::{Identity, SignedPlans};

use crate::plans;

/// Signs the plans of a file with the key of `player`, which is beside the list of players, and
/// adds them to the plans that it runs.
///
/// # Errors
/// A plan breaks a rule, or does not have the player; its key or its list of signed plans is
/// missing or wrong. Nothing is signed then.
#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(file: &Path, player: &PlayerName, config: &Path) -> anyhow::Result<()> {
    let plans = plans::read(file)?;
    for plan in &plans {
        if !plan.recorded.setup().players.contains(player) {
            anyhow::bail!("{player} has no part in {} of {}", plan.recorded.name(), file.display());
        }
    }
    let folder = config.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let identity = Identity::load(folder, player)?;
    let list = SignedPlans::of(&identity, folder);
    for plan in &plans {
        let (name, digest) = (plan.recorded.name(), plan.recorded_digest);
        let new = list.add(&identity, &digest, name)?;
        println!("{digest} {name}{}", if new { "" } else { " (signed before)" });
    }
    eprintln!("{player} runs what {} lists.", list.path().display());
    Ok(())
}
