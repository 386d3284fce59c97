use sordino_graph::secure_function;

#[secure_function]
fn sum<T>(g: &Recording<'_>, owner: &T) {}

fn main() {}
