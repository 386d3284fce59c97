//! Which inputs, and which revealed values, are in what leaves a player.

use std::collections::{BTreeMap, BTreeSet};

use super::follow::{MOST_WORK, variable};
use super::{Exit, Input, Review, ReviewError};
use crate::graph::{Graph, Node, NodeId, Place};
use crate::op::Role;

/// What a value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// An own value of a player, as a place in the inputs.
    Input(usize),
    /// What was revealed, as a place in the exits.
    Reveal(usize),
}

type Origins = BTreeSet<Origin>;

/// What variables were made of when they were last assigned, in the step before or in this one.
type Variables = BTreeMap<(Place, String), Origins>;

pub(super) fn review(graph: &Graph, exits: Vec<Exit>) -> Result<Review, ReviewError> {
    let names = graph.node_names();
    let inputs = graph.nodes().filter(|(_, node)| is_input(node));
    let mut inputs: Vec<_> = inputs
        .filter_map(|(id, node)| {
            let (player, name) = (node.place.player()?.clone(), names[id.index()].clone());
            Some(Input { player, node: id, name, exits: Vec::new() })
        })
        .collect();
    let places = Places {
        inputs: inputs.iter().enumerate().map(|(i, input)| (input.node, i)).collect(),
        exits: exits.iter().enumerate().map(|(i, exit)| (exit.node, i)).collect(),
    };
    let (mut variables, mut work) = (Variables::new(), 0);
    // What one step assigns the next one reads, and assigns to another variable.
    let found = loop {
        let (found, assigned) = step(graph, &places, &variables, &mut work)?;
        if assigned == variables {
            break found;
        }
        variables = assigned;
    };
    let mut carried = vec![Vec::new(); exits.len()];
    for (exit, origins) in found.into_iter().enumerate() {
        for origin in origins {
            match origin {
                Origin::Input(input) if exits[exit].to.as_ref() != Some(&inputs[input].player) => {
                    inputs[input].exits.push(exit);
                }
                Origin::Input(_) => {}
                Origin::Reveal(reveal) => carried[exit].push(reveal),
            }
        }
    }
    Ok(Review { inputs, exits, carried })
}

fn is_input(node: &Node) -> bool {
    matches!(node.op.role, Role::PrivateInput | Role::ReadVariable)
}

/// Places of nodes in the lists of the review.
struct Places {
    inputs: BTreeMap<NodeId, usize>,
    exits: BTreeMap<NodeId, usize>,
}

/// What each exit hands on in a step that begins with these variables, and how it leaves them.
fn step(
    graph: &Graph,
    places: &Places,
    before: &Variables,
    work: &mut usize,
) -> Result<(Vec<Origins>, Variables), ReviewError> {
    let mut found = vec![Origins::new(); places.exits.len()];
    let mut values: Vec<Origins> = Vec::new();
    let mut after = before.clone();
    for (id, node) in graph.nodes() {
        let mut origins = Origins::new();
        for port in &node.inputs {
            let of_input = &values[port.node.index()];
            *work += 1 + of_input.len();
            origins.extend(of_input);
        }
        if let Some(&exit) = places.exits.get(&id) {
            found[exit].clone_from(&origins);
            if node.op.role == Role::Reveal {
                origins = Origins::from([Origin::Reveal(exit)]);
            }
        }
        origins.extend(places.inputs.get(&id).map(|&input| Origin::Input(input)));
        if let Some(variable) = variable(node) {
            let kept = after.entry(variable).or_default();
            *work += kept.len() + origins.len();
            match node.op.role {
                // The other way round too: an assignment may add to what is there.
                Role::AssignVariable => kept.extend(&origins),
                _ => origins.extend(&*kept),
            }
        }
        if *work > MOST_WORK {
            return Err(ReviewError::Entangled { graph: graph.name().to_owned(), node: id });
        }
        values.push(origins);
    }
    Ok((found, after))
}
