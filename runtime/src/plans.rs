//! Plans of recorded texts.
//!
//! A player checks, lowers and splits what a driver sends itself. That is a pure function of the
//! text, so players that share a process may share its result: with a thousand of them, each plan
//! is made once instead of a thousand times.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sordino_graph::text;
use sordino_ops::{Plan, op_set};

type Outcome = Result<Arc<Plan>, String>;

/// A text, and what comes of it when someone has looked.
type Looked = (Arc<str>, Arc<OnceLock<Outcome>>);

/// The last text that a player of this process was asked to prepare.
static LAST: Mutex<Option<Looked>> = Mutex::new(None);

/// The plan of a text, or what is wrong with it.
pub(crate) fn plan_of(text: &Arc<str>) -> Outcome {
    let outcome = {
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, outcome)) if known == text => Arc::clone(outcome),
            _ => {
                let outcome = Arc::default();
                *last = Some((Arc::clone(text), Arc::clone(&outcome)));
                outcome
            }
        }
    };
    // Whoever comes second waits for the first.
    outcome.get_or_init(|| build(text)).clone()
}

/// Lets go of what is kept for players that prepare late.
pub(crate) fn forget() {
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

fn build(text: &str) -> Outcome {
    let graph = text::parse(text, &op_set()).map_err(|error| error.to_string())?;
    Plan::new(graph).map(Arc::new).map_err(|error| error.to_string())
}
