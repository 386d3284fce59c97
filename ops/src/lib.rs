//! What nodes mean: ops, protocols, tensor kernels, datasets, layers.
