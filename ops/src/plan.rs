//! From a recorded graph to what each player runs: one pure function, which every player applies
//! itself to the recorded graph.

use sordino_graph::{Digest, Graph, Parts, VerifyError, digest, split, verify, verify_parts};

use crate::optimise;
use crate::protocol::{LowerError, lower};

/// A verified, lowered and split graph.
#[derive(Debug, Clone)]
pub struct Plan {
    /// As the program said it.
    pub recorded: Graph,
    /// As the protocol does it.
    pub lowered: Graph,
    /// What each player runs.
    pub parts: Parts,
    /// Digest of the recorded graph.
    pub recorded_digest: Digest,
    /// Digest of the lowered graph: the plan's name in every pad.
    pub lowered_digest: Digest,
}

/// Why a recorded graph cannot be run.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The graph breaks rules.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The protocol cannot do what it says.
    #[error(transparent)]
    Lower(#[from] LowerError),
}

impl Plan {
    /// Verifies, optimises, lowers and splits `recorded`, verifying the result of each step.
    ///
    /// # Errors
    /// [`PlanError`] when the graph breaks a rule or the protocol lacks one.
    pub fn new(recorded: Graph) -> Result<Self, PlanError> {
        verify(&recorded)?;
        let optimised = optimise::recorded(&recorded);
        verify(&optimised)?;
        let lowered = optimise::lowered(&lower(&optimised)?);
        verify(&lowered)?;
        let parts = split(&lowered);
        verify_parts(&lowered, &parts)?;
        let (recorded_digest, lowered_digest) = (digest(&recorded), digest(&lowered));
        Ok(Self { recorded, lowered, parts, recorded_digest, lowered_digest })
    }
}
