//! The computation graph.

mod player;

pub use player::{InvalidPlayerName, PlayerName};
