use sordino_graph::secure_function;

#[secure_function(cached)]
fn sum(g: &Recording<'_>) {}

fn main() {}
