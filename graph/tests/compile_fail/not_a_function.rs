use sordino_graph::secure_function;

#[secure_function]
struct Sum;

fn main() {}
