//! The text form: what people review, what snapshots hold and what digests hash.
//!
//! ```text
//! text   = [stage] "graph" name "{" head node* "}"
//! stage  = "lowered" | "local" "@" player
//! head   = "players" player ("," player)*
//!          ["secure" "=" name "(" player ("," player)* ")" fixed]
//!          ("policy" "reveal" "(" "to" "=" player "," "over" "=" int ")")*
//!          ("policy" "release" "(" "from" "=" player ")")*
//! node   = "%" int "=" op ["[" attribute ("," attribute)* "]"] "(" [port ("," port)*] ")"
//!          [":" type ("," type)*] "@" place ["in" scope] ["after" "%" int ("," "%" int)*]
//!          ["#" file ":" line]
//! port   = "%" int ["." int]
//! type   = ["secret" | "share"] element "[" [int ("," int)*] "]"
//! fixed  = "fix" int "." int
//! ```
//!
//! The form is deterministic: nodes stand in creation order, attributes sorted by name. A line
//! holds one node; what follows `#` is the program's line and no part of the graph's identity.

mod cursor;
mod parse;
mod print;

pub use parse::{ParseError, parse};
pub(crate) use print::print_node;
pub use print::{digest, print, print_with_sources};

use std::fmt;

/// SHA-256 of a graph's text: how players agree on what they run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}
