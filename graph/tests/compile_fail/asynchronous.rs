use sordino_graph::secure_function;

#[secure_function]
async fn sum(g: &Recording<'_>) {}

fn main() {}
