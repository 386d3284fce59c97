//! Hubs: edges that cross the frame of a cluster, gathered where they would cross each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::fold::{Flows, Tensors};
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
        for cluster in 0..clusters.len() {
            let mut hubs = 0;
            for group in groups(flows, blocks, cluster, way) {
                let sign = if way == Way::Out { "out" } else { "in" };
                // No scope holds this character, so no other box has this name.
                let id = format!("{}/>{sign}{hubs}", clusters[cluster].scope);
                hubs += 1;
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
