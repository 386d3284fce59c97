//! Datasets that the examples and tests train on.
