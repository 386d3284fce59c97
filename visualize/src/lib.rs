//! Overall and local views of a graph as DOT, SVG and PNG.
//!
//! Read [`model`] first: a [`View`] is boxes, clusters and edges, and the only thing that is
//! computed from a graph. [`overall`] folds every scope of the program into one box; [`local`]
//! opens the blocks of one player. [`View::to_dot`] draws either with the same style, and
//! [`write_views`] puts all of them into a folder.
//!
//! Everything is pure and the same byte for byte for the same graph, except [`write_views`] and
//! [`write_picture`], which touch files and run Graphviz.

mod bundle;
mod dot;
mod error;
mod flow;
mod fold;
mod legend;
pub mod model;
mod quote;
mod render;
mod style;
#[cfg(test)]
mod testing;
mod write;

pub use error::VisualizeError;
pub use fold::{local, overall};
pub use model::{Block, BlockKind, Cluster, Edge, EdgeKind, End, Portion, View};
pub use render::{Format, write_picture};
pub use style::player_colour;
pub use write::{GRAPHVIZ_HINT, Written, write_views};
