//! What a recorded graph tells whom: for people to read before they run it, and for a player's
//! own rules to judge.
//!
//! Every node by which data leaves a player is an [`Exit`]: a transfer, a reveal, a publish. For
//! each input that a player reads from its own disk or variables, the review says by which exits it
//! leaves, openly or mixed with others' data. The secrecy rules of the [verifier](crate::verify())
//! look at the same: `follow.rs` and `mix.rs` are theirs too.

pub(crate) mod follow;
pub(crate) mod mix;
mod origins;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};

use crate::PlayerName;
use crate::graph::{Graph, Node, NodeId, Stage};
use crate::op::Role;
use crate::verify::{VerifyError, verify};

use follow::follow;
pub use traffic::{Load, Traffic, traffic};

/// What players of a recorded graph read of their own, and what others learn of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Each read of own data, in the order of the graph.
    pub inputs: Vec<Input>,
    /// Each way out, in the order of the graph.
    pub exits: Vec<Exit>,
    /// For each exit, the reveals (as places in `exits`) whose result it hands on, be it changed or
    /// by way of a variable from the step before.
    pub carried: Vec<Vec<usize>>,
}

/// A node that reads data that are its player's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Whose data.
    pub player: PlayerName,
    /// The node; its op and attributes say what is read.
    pub node: NodeId,
    /// The node's name: `private-input/load_batch`.
    pub name: String,
    /// Where it leaves the player, as places in [`Review::exits`], ascending.
    pub exits: Vec<usize>,
}

/// A node by which data leaves the player, or the secret, that it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    /// The node.
    pub node: NodeId,
    /// The node's name: `output/reveal`.
    pub name: String,
    /// [`Role::Transfer`], [`Role::Reveal`] or [`Role::Publish`].
    pub role: Role,
    /// Who learns it; the driver if nobody is named.
    pub to: Option<PlayerName>,
    /// From whose own data it derives, the receiver's left out.
    pub owners: BTreeSet<PlayerName>,
    /// Of a reveal, how well what it shows is mixed; `None` where it shows nothing that its owners
    /// do not hand out anyway, and for exits that are open.
    pub mixed: Option<Mixed>,
}

/// How well what is revealed is mixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mixed {
    /// The fewest players whose data the receiver sees in this only together, however it combines
    /// it with all else that it may learn in a step.
    pub over: usize,
    /// It is a sum of multiples of what they shared, and no other function of it.
    pub sum: bool,
    /// Who has something to hide in it.
    pub owners: BTreeSet<PlayerName>,
}

/// Why there is no review.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewError {
    /// The graph breaks rules.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Only what a program said can be judged, not what a protocol made of it.
    #[error("graph {0} is no recorded graph: review the text that the program's plan was made of")]
    Stage(String),
    /// Too many inputs are in too many values.
    #[error(
        "graph {graph}: what {node} is made of is more than can be followed. Nobody has to run a \
         program that nobody can judge: add secrets in one add_n, and split the program"
    )]
    Entangled {
        /// Name of the graph.
        graph: String,
        /// The first node that was too much.
        node: NodeId,
    },
}

/// Says who reads what and who learns what in a recorded graph.
///
/// # Errors
/// [`ReviewError`]; the work is bounded, whatever the graph.
pub fn review(graph: &Graph) -> Result<Review, ReviewError> {
    let exits = exits(graph)?;
    origins::review(graph, exits)
}

/// The exits of a recorded graph, without the inputs behind them.
///
/// # Errors
/// As [`review`].
pub fn exits(graph: &Graph) -> Result<Vec<Exit>, ReviewError> {
    if *graph.stage() != Stage::Recorded {
        return Err(ReviewError::Stage(graph.name().to_owned()));
    }
    verify(graph)?;
    let entangled = |node| ReviewError::Entangled { graph: graph.name().to_owned(), node };
    let mut followed = follow(graph);
    if let Some(node) = followed.stopped {
        return Err(entangled(node));
    }
    let names = graph.node_names();
    let mut exits = Vec::new();
    for (node, Node { op, place, .. }) in graph.nodes() {
        let role = op.role;
        if !matches!(role, Role::Transfer | Role::Reveal | Role::Publish) {
            continue;
        }
        let to = place.player().filter(|_| role != Role::Publish).cloned();
        let (owners, sum) = match role {
            Role::Reveal => followed.behind(node),
            _ => (followed.owners(node).clone(), false),
        };
        let owners: BTreeSet<_> =
            owners.into_iter().filter(|owner| Some(owner) != to.as_ref()).collect();
        let releases = &graph.setup().policy.releases;
        let hidden: BTreeSet<_> =
            owners.iter().filter(|owner| !releases.contains(owner)).cloned().collect();
        let mixed = (role == Role::Reveal && !hidden.is_empty()).then_some(Mixed {
            over: hidden.len(),
            sum,
            owners: hidden,
        });
        let name = names[node.index()].clone();
        exits.push(Exit { node, name, role, to, owners, mixed });
    }
    let places: BTreeMap<_, _> = exits.iter().enumerate().map(|(i, exit)| (exit.node, i)).collect();
    let reveals = exits.iter().filter(|exit| exit.role == Role::Reveal);
    let receivers: BTreeSet<_> = reveals.filter_map(|exit| exit.to.clone()).collect();
    for to in &receivers {
        let first = exits.iter().find(|exit| exit.to.as_ref() == Some(to));
        let first = first.map_or(NodeId::new(0), |exit| exit.node);
        for group in mix::groups(&mut followed, to).ok_or_else(|| entangled(first))? {
            for reveal in &group.reveals {
                if let Some(mixed) = &mut exits[places[reveal]].mixed {
                    mixed.over = mixed.over.min(group.hiding.len());
                }
            }
        }
    }
    Ok(exits)
}

#[cfg(test)]
mod tests;
