//! Which tensors go from box to box.

use std::collections::{BTreeMap, BTreeSet};

use sordino_graph::{Graph, Node, NodeId, Place, Port, Role, Secrecy, Shape, Type};

use crate::model::{Block, EdgeKind, End};

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

/// What nodes read from nodes of other boxes. Control edges say when, not what: they are left out.
pub(crate) fn data(graph: &Graph, of_node: &[usize]) -> Flows {
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
pub(crate) fn updates(graph: &Graph, of_node: &[usize], blocks: &[Block]) -> Flows {
    let mut readers: BTreeMap<(&Place, &str), BTreeSet<NodeId>> = BTreeMap::new();
    let accesses = |role| {
        let nodes = graph.nodes().filter(move |(_, node)| node.op.role == role);
        nodes.filter_map(|(id, node)| Some((id, &node.place, node.attributes.text("variable")?)))
    };
    for (id, place, name) in accesses(Role::ReadVariable) {
        readers.entry((place, name)).or_default().insert(id);
    }
    let mut flows = Flows::new();
    for (id, place, name) in accesses(Role::AssignVariable) {
        for reader in readers.get(&(place, name)).into_iter().flatten() {
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
                flows.entry(key).or_default().insert(Tensor::Variable(name.to_owned()), shape);
            }
        }
    }
    flows
}
