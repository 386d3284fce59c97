//! Hubs: edges that cross the frame of a cluster, gathered where they would cross each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Flows, Tensors};
use crate::model::{Block, BlockKind, Cluster, EdgeKind, End};

/// Which way edges cross a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Puts a hub wherever several boxes of a cluster have the same partners outside it.
///
/// Boxes share a hub only when their edges are of one kind and their partners are exactly the
/// same, so that following edges through a hub never leads where no tensor goes.
pub(crate) fn bundle(flows: &mut Flows, blocks: &mut Vec<Block>, clusters: &[Cluster]) {
    for way in [Way::Out, Way::In] {
        for (cluster, Cluster { scope }) in clusters.iter().enumerate() {
            for (count, group) in groups(flows, blocks, cluster, way).into_iter().enumerate() {
                let sign = if way == Way::Out { "out" } else { "in" };
                // Ids of scopes end in a slash and names of ops are words: this is neither.
                let id = format!("{scope}/>{sign}{count}");
                blocks.push(Block {
                    id,
                    label: String::new(),
                    kind: BlockKind::Hub,
                    cluster: Some(cluster),
                    portions: Vec::new(),
                    reveals: false,
                });
                reroute(flows, &group, way, End::Block(blocks.len() - 1));
            }
        }
    }
}

/// Boxes of a cluster, all of which have edges of `kind` with all of `outside` and no others.
struct Group {
    kind: EdgeKind,
    inside: BTreeSet<End>,
    outside: BTreeSet<End>,
}

fn groups(flows: &Flows, blocks: &[Block], cluster: usize, way: Way) -> Vec<Group> {
    let is_inside =
        |end: End| matches!(end, End::Block(block) if blocks[block].cluster == Some(cluster));
    let mut partners: BTreeMap<(EdgeKind, End), BTreeSet<End>> = BTreeMap::new();
    for &(from, to, kind) in flows.keys() {
        let (inner, outer) = if way == Way::Out { (from, to) } else { (to, from) };
        if is_inside(inner) && !is_inside(outer) {
            partners.entry((kind, inner)).or_default().insert(outer);
        }
    }
    let mut groups: BTreeMap<(EdgeKind, BTreeSet<End>), BTreeSet<End>> = BTreeMap::new();
    for ((kind, inner), outside) in partners {
        groups.entry((kind, outside)).or_default().insert(inner);
    }
    let groups = groups.into_iter().filter(|(_, inside)| inside.len() > 1);
    groups.map(|((kind, outside), inside)| Group { kind, inside, outside }).collect()
}

fn reroute(flows: &mut Flows, group: &Group, way: Way, hub: End) {
    let edge = |a, b| if way == Way::Out { (a, b, group.kind) } else { (b, a, group.kind) };
    for &inner in &group.inside {
        for &outer in &group.outside {
            let tensors: Tensors = flows.remove(&edge(inner, outer)).unwrap_or_default();
            flows.entry(edge(inner, hub)).or_default().extend(tensors.clone());
            flows.entry(edge(hub, outer)).or_default().extend(tensors);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Tensor;

    fn block(cluster: Option<usize>) -> Block {
        Block {
            id: String::new(),
            label: String::new(),
            kind: BlockKind::Node,
            cluster,
            portions: Vec::new(),
            reveals: false,
        }
    }

    fn flows(edges: &[(usize, usize, EdgeKind)]) -> Flows {
        let tensor = |from| Tensor::Variable(format!("of {from}"));
        edges
            .iter()
            .map(|&(from, to, kind)| {
                let tensors = Tensors::from([(tensor(from), "1".to_owned())]);
                ((End::Block(from), End::Block(to), kind), tensors)
            })
            .collect()
    }

    /// Boxes 0, 1 and 2 are in the cluster, 3 and 4 outside; what edges are there afterwards.
    fn bundled(edges: &[(usize, usize, EdgeKind)]) -> Vec<(usize, usize, usize)> {
        let mut flows = flows(edges);
        let clusters = [Cluster { scope: "c".to_owned() }];
        let inside = Some(0);
        let mut blocks = [inside, inside, inside, None, None].map(block).to_vec();
        bundle(&mut flows, &mut blocks, &clusters);
        let index = |end| match end {
            End::Block(block) => block,
            End::Cluster(_) => unreachable!(),
        };
        flows.iter().map(|((a, b, _), tensors)| (index(*a), index(*b), tensors.len())).collect()
    }

    const P: EdgeKind = EdgeKind::Plain;

    #[test]
    fn a_hub_gathers_what_has_the_same_partners() {
        let edges = [(0, 3, P), (0, 4, P), (1, 3, P), (1, 4, P), (2, 4, P)];
        assert_eq!(bundled(&edges), [(0, 5, 1), (1, 5, 1), (2, 4, 1), (5, 3, 2), (5, 4, 2)]);
        let edges = [(3, 0, P), (3, 1, P), (3, 2, P)];
        assert_eq!(bundled(&edges), [(3, 5, 1), (5, 0, 1), (5, 1, 1), (5, 2, 1)]);
    }

    #[test]
    fn kinds_are_kept_apart_and_single_edges_alone() {
        let edges = [(0, 3, P), (1, 3, EdgeKind::Secret), (1, 2, P), (4, 0, P)];
        assert_eq!(bundled(&edges), [(0, 3, 1), (1, 2, 1), (1, 3, 1), (4, 0, 1)]);
    }
}
