//! Why a function did not run.

use sordino_graph::{PlayerName, RecordError};
use sordino_ops::{PlanError, VariableError};
use sordino_players::IdentityError;

use crate::message::{Failure, SessionId};

/// Why a function did not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program is wrong.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The recorded graph breaks rules, or the protocol cannot do what it says.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A variable is not of the type that the program takes it for. Nothing of it has run.
    #[error(transparent)]
    Variable(#[from] Box<VariableError>),
    /// A player failed, or cannot be reached.
    #[error("{0}")]
    Failed(Failure),
    /// A player would run something else than the driver recorded.
    #[error(
        "{player} would run another plan of {function}: players and driver must be of the same \
         version of Sordino"
    )]
    Digest {
        /// The player.
        player: PlayerName,
        /// The function.
        function: String,
    },
    /// A player was told to stop, and the session has ended with the step that was under way.
    #[error(
        "{player} was told to stop, and the run of session {session} with it: {}",
        kept_or_not(*kept)
    )]
    Stopped {
        /// Who.
        player: PlayerName,
        /// The session that the run began with.
        session: SessionId,
        /// Whether all players keep what the session was at its end.
        kept: bool,
    },
    /// Players did not answer.
    #[error("no answer from {} for {seconds} s: look into their logs", some(players))]
    Silence {
        /// Who owes an answer.
        players: Vec<PlayerName>,
        /// How long the driver waited.
        seconds: u64,
    },
    /// A run cannot be resumed.
    #[error("session {session} cannot be resumed: {reason}")]
    NotResumed {
        /// The session that the run began with.
        session: SessionId,
        /// Why.
        reason: String,
    },
    /// Players that hold variables were not at the same step when a plan was halted.
    #[error(
        "an owner left {function} between the steps of players that hold variables ({}): run it \
         anew, and with all owners; only one player may hold the variables of rounds",
        .done.iter().map(|(player, done)| format!("{player} has done {done}")).collect::<Vec<_>>().join(", ")
    )]
    Apart {
        /// The function.
        function: String,
        /// Steps that each has done.
        done: Vec<(PlayerName, u64)>,
    },
    /// An owner that may be missing holds variables.
    #[error(
        "{player} may be missing from {function} and holds the variable {variable} of it: a player \
         that comes back has none. Keep it on a player that stays, and transfer it"
    )]
    OwnVariable {
        /// The owner.
        player: PlayerName,
        /// The function.
        function: String,
        /// The variable.
        variable: String,
    },
    /// A function is asked for with all owners that was run with those who were there.
    #[error(
        "{function} was run with those owners who were there: run it so again. \
         With all of them it would take data anew that was taken without some"
    )]
    InRounds {
        /// The function.
        function: String,
    },
    /// Rounds that cannot be.
    #[error("rounds of at least {min_owners} of {owners} owners: give 1 to {owners}")]
    Rounds {
        /// The least number asked for.
        min_owners: usize,
        /// How many there are.
        owners: usize,
    },
    /// The session failed earlier.
    #[error("the session is over; open a new one")]
    Over,
    /// A player of this process has no key to seal its checkpoints with.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no source of randomness for the session's name.
    #[error("no source of randomness: {0}")]
    NoRandomness(getrandom::Error),
}

/// Names for a message: the first of many.
fn some(players: &[PlayerName]) -> String {
    const SHOWN: usize = 8;
    let names = players.iter().take(SHOWN).map(PlayerName::as_str).collect::<Vec<_>>().join(", ");
    match players.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{names} and {more} more"),
        _ => names,
    }
}

fn kept_or_not(kept: bool) -> &'static str {
    match kept {
        true => "nothing is lost; start the player again, and resume the session",
        false => "its last steps are not kept, since no checkpoint was wanted or could be written",
    }
}
