use sordino_graph::secure_function;

#[secure_function]
fn sum(g: &Recording<'_>, owner: &'static str) {}

fn main() {}
