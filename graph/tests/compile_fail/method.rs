use sordino_graph::secure_function;

struct Owner;

impl Owner {
    #[secure_function]
    fn sum(&self, g: &Recording<'_>) {}
}

fn main() {}
