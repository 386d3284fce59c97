//! Time of the kernels that a step of federated training spends its time in.
fn main() {}
