use sordino_graph::secure_function;

#[secure_function]
fn sum(g: &Recording<'_>, owners: usize) {}

fn main() {}
