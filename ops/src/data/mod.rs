//! Datasets that the examples and tests train on, and the order in which their examples are taken.
//!
//! [`mnist`] holds the images of digits, read with [`idx`]; [`artificial`] makes up points of two
//! classes; [`batches`] says which examples a step
//! uses, and [`store`] keeps what a player has
//! loaded. [`npy`] reads and writes single tensors. A player reads its own data from its own disk.

pub mod artificial;
pub mod batches;
pub mod idx;
pub mod mnist;
pub mod npy;
pub mod random;
pub mod store;

pub use batches::{Batches, Order};
pub use idx::DataError;
pub use mnist::{Mnist, Split};
pub use npy::TensorFileError;
pub use store::{BatchRequest, DataStore, Dataset};
