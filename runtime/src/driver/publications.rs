//! What players may publish in a run: as much as the plan says, and of its shapes.

use std::collections::HashMap;

use sordino_graph::{PlayerName, Role};
use sordino_ops::Plan;

use crate::message::Published;

/// See the [module](self).
pub(super) struct Publications(HashMap<(PlayerName, String), Vec<Publication>>);

/// One node that publishes.
struct Publication {
    axes: Vec<u32>,
    elements: usize,
    /// How often it may still do so.
    left: u64,
}

impl Publications {
    /// Those of a run of so many steps.
    pub(super) fn of(plan: &Plan, steps: u64) -> Self {
        let mut all: HashMap<_, Vec<_>> = HashMap::new();
        let graph = &plan.recorded;
        for (_, node) in graph.nodes().filter(|(_, node)| node.op.role == Role::Publish) {
            let ty = node.inputs.first().and_then(|&input| graph.ty(input));
            let name = node.attributes.text("name");
            let (Some(player), Some(ty), Some(name)) = (node.place.player(), ty, name) else {
                continue;
            };
            let axes = ty.shape.axes().iter().filter_map(|&axis| u32::try_from(axis).ok());
            let (axes, elements) = (axes.collect(), ty.shape.elements());
            let of_name = all.entry((player.clone(), name.to_owned())).or_default();
            of_name.push(Publication { axes, elements, left: steps });
        }
        Self(all)
    }

    /// Counts a value in.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence about the player.
    pub(super) fn take(&mut self, from: &PlayerName, value: &Published) -> Result<(), String> {
        let Published { name, axes, elements, .. } = value;
        let nodes = self.0.get_mut(&(from.clone(), name.clone())).map(Vec::as_mut_slice);
        let mut nodes = nodes.unwrap_or_default().iter_mut();
        let fits = |node: &&mut Publication| {
            node.left > 0 && node.axes == *axes && node.elements == elements.len()
        };
        let Some(node) = nodes.find(fits) else {
            return Err(
                "published what the plan does not, or not so often, or of another shape".to_owned()
            );
        };
        node.left -= 1;
        Ok(())
    }
}
