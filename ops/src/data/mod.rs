//! Datasets that the examples and tests train on, and the order in which their examples are taken.
//!
//! [`mnist`] holds the images of digits, read with [`idx`]; [`batches`] says which examples a step
//! uses. A player reads its own data from its own disk.

pub mod batches;
pub mod idx;
pub mod mnist;

pub use batches::{Batches, Order};
pub use idx::DataError;
pub use mnist::{Mnist, Split};
