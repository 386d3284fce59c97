//! From graphs to views: which box a node is in, and which tensors cross between boxes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sordino_graph::{Graph, Node, NodeId, Place, PlayerName, Role};

use crate::bundle::bundle;
use crate::flow::{data, updates};
use crate::model::{Block, BlockKind, Cluster, Edge, Portion, View};

/// The view of everyone: each scope of the program folded into one box.
///
/// With the `lowered` graph of the same program, a box of the servers is divided in proportion to
/// their nodes there; without it, equally.
#[must_use]
pub fn overall(recorded: &Graph, lowered: Option<&Graph>) -> View {
    view(recorded, lowered, None)
}

/// The view of one player: as [`overall`], with the blocks opened in which the player has nodes.
///
/// In an opened block, nodes are single boxes and scopes inside it are folded.
#[must_use]
pub fn local(recorded: &Graph, lowered: Option<&Graph>, player: &PlayerName) -> View {
    view(recorded, lowered, Some(player))
}

fn view(recorded: &Graph, lowered: Option<&Graph>, player: Option<&PlayerName>) -> View {
    let fold = Fold::new(recorded, lowered, player);
    let (mut blocks, clusters, of_node) = fold.blocks();
    let mut flows = data(recorded, &of_node);
    bundle(&mut flows, &mut blocks, &clusters);
    flows.extend(updates(recorded, &of_node, &blocks));
    let edges = flows.into_iter().map(|((from, to, kind), tensors)| {
        let label = match tensors.len() {
            1 => tensors.into_values().next().unwrap_or_default(),
            n => format!("{n} tensors"),
        };
        Edge { from, to, kind, label }
    });
    View {
        name: recorded.name().to_owned(),
        player: player.cloned(),
        players: recorded.setup().players.clone(),
        edges: edges.collect(),
        clusters,
        blocks,
    }
}

/// Who owns which node, and which scopes are open.
struct Fold<'g> {
    recorded: &'g Graph,
    /// Nodes of each server in each scope of the lowered graph.
    lowered: BTreeMap<(&'g str, usize), usize>,
    index: HashMap<&'g PlayerName, usize>,
    servers: Vec<usize>,
    opened: HashSet<&'g str>,
}

/// What becomes one box.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Scope(String),
    Node(NodeId),
}

impl<'g> Fold<'g> {
    fn new(recorded: &'g Graph, lowered: Option<&'g Graph>, player: Option<&PlayerName>) -> Self {
        let setup = recorded.setup();
        let index: HashMap<_, _> = setup.players.iter().zip(0..).collect();
        let servers = setup.secure.iter().flat_map(|secure| &secure.servers);
        let servers: Vec<_> = servers.filter_map(|server| index.get(server).copied()).collect();
        let mut counts = BTreeMap::new();
        for (_, node) in lowered.iter().flat_map(|lowered| lowered.nodes()) {
            let player = node.place.player().and_then(|player| index.get(player).copied());
            if let Some(server) = player.filter(|player| servers.contains(player)) {
                *counts.entry((&*node.scope, server)).or_default() += 1;
            }
        }
        let opened = HashSet::new();
        let mut fold = Self { recorded, lowered: counts, index, servers, opened };
        if let Some(player) = player.and_then(|player| fold.index.get(player).copied()) {
            let tops = recorded.nodes().filter(|(_, node)| match fold.owner(node) {
                Owner::Player(owner) => owner == player,
                Owner::Servers => fold.servers.contains(&player),
                Owner::Nobody => false,
            });
            let tops: HashSet<_> = tops.filter_map(|(_, node)| path(&node.scope).next()).collect();
            fold.opened = tops;
        }
        fold
    }

    /// Boxes, clusters, and the box of each node.
    fn blocks(&self) -> (Vec<Block>, Vec<Cluster>, Vec<usize>) {
        let names = self.recorded.node_names();
        let mut blocks: Vec<Block> = Vec::new();
        let mut clusters: Vec<Cluster> = Vec::new();
        let mut weights: Vec<Weights<'_>> = Vec::new();
        let mut known: HashMap<Key, usize> = HashMap::new();
        let mut ids: HashSet<String> = HashSet::new();
        let mut of_node = Vec::with_capacity(self.recorded.len());
        for ((id, node), name) in self.recorded.nodes().zip(&names) {
            let (key, cluster) = self.place(id, node);
            let block = *known.entry(key.clone()).or_insert_with(|| {
                let cluster = cluster.map(|scope| {
                    clusters.iter().position(|c| c.scope == scope).unwrap_or_else(|| {
                        clusters.push(Cluster { scope: scope.to_owned() });
                        clusters.len() - 1
                    })
                });
                let (kind, mut id) = match key {
                    // No node's name ends in a slash.
                    Key::Scope(path) => (BlockKind::Folded, path + "/"),
                    Key::Node(_) => (BlockKind::Node, name.clone()),
                };
                let label = path(&id).next_back().unwrap_or(node.op.name).to_owned();
                while !ids.insert(id.clone()) {
                    id.push('\'');
                }
                let portions = Vec::new();
                blocks.push(Block { id, label, kind, cluster, portions, reveals: false });
                weights.push(Weights::default());
                blocks.len() - 1
            });
            of_node.push(block);
            blocks[block].reveals |= node.op.role == Role::Reveal;
            weights[block].add(self.owner(node), &node.scope);
        }
        for (block, weights) in blocks.iter_mut().zip(weights) {
            let portions = self.portions(weights).into_iter();
            block.portions = portions.map(|(player, nodes)| Portion { player, nodes }).collect();
        }
        (blocks, clusters, of_node)
    }

    /// What a node is drawn as, and in which opened scope.
    fn place(&self, id: NodeId, node: &'g Node) -> (Key, Option<&'g str>) {
        let mut path = path(&node.scope);
        let Some(top) = path.next() else { return (Key::Node(id), None) };
        if !self.opened.contains(top) {
            return (Key::Scope(top.to_owned()), None);
        }
        let key = path.next().map_or(Key::Node(id), |sub| Key::Scope(format!("{top}/{sub}")));
        (key, Some(top))
    }

    /// How many nodes of a box each player has. What the servers do together counts for each of
    /// them as the lowered graph says for the scopes in which it is; else equally.
    fn portions(&self, weights: Weights<'_>) -> BTreeMap<usize, usize> {
        let mut portions = weights.players;
        let inside = |scope: &&str| weights.scopes.iter().any(|outer| is_inside(scope, outer));
        let counts: Vec<_> = self.lowered.keys().filter(|(scope, _)| inside(scope)).collect();
        for key in &counts {
            *portions.entry(key.1).or_default() += self.lowered[*key];
        }
        if counts.is_empty() && weights.together > 0 {
            for &server in &self.servers {
                *portions.entry(server).or_default() += weights.together;
            }
        }
        portions
    }

    /// Whose colour a node has. Sharing is the work of the player whose value becomes secret,
    /// although its result is with the servers.
    fn owner(&self, node: &Node) -> Owner {
        let shared = node.inputs.first().filter(|_| node.op.role == Role::Share);
        let place = shared.and_then(|port| self.recorded.get(port.node)).map(|from| &from.place);
        match place.unwrap_or(&node.place) {
            Place::Player(player) => {
                self.index.get(player).map_or(Owner::Nobody, |&i| Owner::Player(i))
            }
            Place::Secure => Owner::Servers,
        }
    }
}

/// Whose nodes a box holds.
#[derive(Default)]
struct Weights<'g> {
    players: BTreeMap<usize, usize>,
    /// Nodes that the servers compute together, and the scopes in which they are.
    together: usize,
    scopes: BTreeSet<&'g str>,
}

impl<'g> Weights<'g> {
    fn add(&mut self, owner: Owner, scope: &'g str) {
        match owner {
            Owner::Player(player) => *self.players.entry(player).or_default() += 1,
            Owner::Servers => {
                self.together += 1;
                self.scopes.insert(scope);
            }
            Owner::Nobody => {}
        }
    }
}

/// Whether `scope` is `outer` or nested in it. The top, which has no name, is no group.
fn is_inside(scope: &str, outer: &str) -> bool {
    match scope.strip_prefix(outer) {
        Some(rest) => rest.is_empty() || (!outer.is_empty() && rest.starts_with('/')),
        None => false,
    }
}

#[derive(Clone, Copy)]
enum Owner {
    Player(usize),
    Servers,
    Nobody,
}

/// The segments of a scope or of a node's name.
fn path(scope: &str) -> impl DoubleEndedIterator<Item = &str> {
    scope.split('/').filter(|segment| !segment.is_empty())
}

#[cfg(test)]
mod tests;
