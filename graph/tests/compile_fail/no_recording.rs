use sordino_graph::secure_function;

#[secure_function]
fn sum() {}

fn main() {}
