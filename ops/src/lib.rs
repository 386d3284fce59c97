//! What nodes mean: ops, protocols, tensor kernels, datasets, layers.

pub mod data;
pub mod tensor;
