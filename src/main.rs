//! The `sordino` binary.
fn main() {}
