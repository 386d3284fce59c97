//! From graphs to views: which box a node is in, and which tensors cross between boxes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sordino_graph::{Graph, Node, NodeId, Place, PlayerName, Port, Role, Secrecy, Shape, Type};

use crate::bundle::bundle;
use crate::model::{Block, BlockKind, Cluster, Edge, EdgeKind, End, Portion, View};

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

/// Tensors on their way from one box to another; the shape of each, by what tells it apart.
pub(crate) type Tensors = BTreeMap<Tensor, String>;

/// What makes two tensors of an edge the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tensor {
    Port(Port),
    Variable(String),
}

/// All edges of a view, by their ends and kind. The order is that of the boxes, so that pictures
/// are the same for the same graph.
pub(crate) type Flows = BTreeMap<(End, End, EdgeKind), Tensors>;

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
    lowered: Option<&'g Graph>,
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
        let servers = servers.filter_map(|server| index.get(server).copied()).collect();
        let mut fold = Self { recorded, lowered, index, servers, opened: HashSet::new() };
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
        let mut weights: Vec<BTreeMap<usize, usize>> = Vec::new();
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
                weights.push(BTreeMap::new());
                blocks.len() - 1
            });
            of_node.push(block);
            blocks[block].reveals |= node.op.role == Role::Reveal;
            self.weigh(node, &mut weights[block]);
        }
        for (block, weights) in blocks.iter_mut().zip(weights) {
            block.portions =
                weights.into_iter().map(|(player, nodes)| Portion { player, nodes }).collect();
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

    /// Adds a node to the weights of the players that compute it.
    fn weigh(&self, node: &Node, weights: &mut BTreeMap<usize, usize>) {
        match self.owner(node) {
            Owner::Player(player) => *weights.entry(player).or_default() += 1,
            Owner::Servers => {
                for (server, nodes) in self.server_nodes(&node.scope) {
                    *weights.entry(server).or_default() += nodes;
                }
            }
            Owner::Nobody => {}
        }
    }

    /// Nodes of each server in a scope of the lowered graph; one each when nothing says more.
    fn server_nodes(&self, scope: &str) -> BTreeMap<usize, usize> {
        let inside = |other: &str| match other.strip_prefix(scope) {
            Some(rest) => rest.is_empty() || (!scope.is_empty() && rest.starts_with('/')),
            None => false,
        };
        let mut counts = BTreeMap::new();
        for (_, node) in self.lowered.iter().flat_map(|lowered| lowered.nodes()) {
            let player = node.place.player().and_then(|player| self.index.get(player));
            let server = player.filter(|player| self.servers.contains(player));
            if let Some(&server) = server.filter(|_| inside(&node.scope)) {
                *counts.entry(server).or_default() += 1;
            }
        }
        if counts.is_empty() {
            counts.extend(self.servers.iter().map(|&server| (server, 1)));
        }
        counts
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

enum Owner {
    Player(usize),
    Servers,
    Nobody,
}

/// The segments of a scope or of a node's name.
fn path(scope: &str) -> impl DoubleEndedIterator<Item = &str> {
    scope.split('/').filter(|segment| !segment.is_empty())
}

/// What nodes read from nodes of other boxes. Control edges say when, not what: they are left out.
fn data(graph: &Graph, of_node: &[usize]) -> Flows {
    let mut flows = Flows::new();
    for (id, node) in graph.nodes() {
        for &port in &node.inputs {
            let Some(ty) = graph.ty(port) else { continue };
            let (from, to) = (of_node[port.node.index()], of_node[id.index()]);
            if from != to {
                let key = (End::Block(from), End::Block(to), kind(ty, node));
                flows.entry(key).or_default().insert(Tensor::Port(port), shape(&ty.shape));
            }
        }
    }
    flows
}

fn kind(ty: &Type, reader: &Node) -> EdgeKind {
    match ty.secrecy {
        Secrecy::Plain => EdgeKind::Plain,
        Secrecy::Secret | Secrecy::Share if reader.op.role == Role::Reveal => EdgeKind::Reveal,
        Secrecy::Secret | Secrecy::Share => EdgeKind::Secret,
    }
}

fn shape(shape: &Shape) -> String {
    if shape.rank() == 0 {
        return "scalar".to_owned();
    }
    shape.axes().iter().map(ToString::to_string).collect::<Vec<_>>().join("×")
}

/// From where variables are assigned to where they are read. Between opened blocks these edges
/// join the frames: what comes back is the block's result as a whole.
fn updates(graph: &Graph, of_node: &[usize], blocks: &[Block]) -> Flows {
    let mut readers: BTreeMap<(&Place, &str), BTreeSet<NodeId>> = BTreeMap::new();
    let variable = |node: &'_ Node, role| {
        (node.op.role == role).then(|| node.attributes.text("variable").map(str::to_owned))?
    };
    for (id, node) in graph.nodes().filter(|(_, node)| node.op.role == Role::ReadVariable) {
        if let Some(name) = node.attributes.text("variable") {
            readers.entry((&node.place, name)).or_default().insert(id);
        }
    }
    let mut flows = Flows::new();
    for (id, node) in graph.nodes() {
        let Some(name) = variable(node, Role::AssignVariable) else { continue };
        for reader in readers.get(&(&node.place, name.as_str())).into_iter().flatten() {
            let (from, to) = (of_node[id.index()], of_node[reader.index()]);
            let apart = blocks[from].cluster != blocks[to].cluster;
            let end = |i: usize| match blocks[i].cluster.filter(|_| apart) {
                Some(cluster) => End::Cluster(cluster),
                None => End::Block(i),
            };
            let ty = graph.node(*reader).outputs.first();
            if from != to {
                let key = (end(from), end(to), EdgeKind::Update);
                let shape = ty.map_or_else(String::new, |ty| shape(&ty.shape));
                flows.entry(key).or_default().insert(Tensor::Variable(name.clone()), shape);
            }
        }
    }
    flows
}
