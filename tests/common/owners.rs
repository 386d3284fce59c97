//! Two owners of data and a receiver, and programs of theirs.

use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;

use super::{player, servers};

pub fn vector(n: usize) -> Type {
    Type::plain(Element::F32, Shape::new(&[n]).unwrap())
}

pub fn two_owners() -> Setup {
    let names = ["ann", "bob", "carol"].map(player);
    let receiver = names[2].clone();
    Setup::new([&names[..], &servers()].concat())
        .secure("ABY3", servers(), Fixed::LOW)
        .reveal(&receiver, 2)
        .release(&receiver)
}

#[secure_function]
pub fn sum(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let shares = [ann, bob].map(|owner| share(random_normal(g, &owner, &[3], 1)));
    publish("sum", reveal(add_n(shares), &carol));
}

/// A sum of two owners' vectors, where bob multiplies his by `factor` in each step.
#[secure_function]
pub fn growing(g: &Recording<'_>, factor: &f64) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let his = g.scope("private-input", || {
        let old = read_variable(g, &bob, "x", &vector(4));
        let new = scale(old, *factor);
        assign("x", new);
        share(new)
    });
    let hers = share(random_normal(g, &ann, &[4], 2));
    publish("sum", reveal(add_n([his, hers]), &carol));
}

#[secure_function]
pub fn start_growing(g: &Recording<'_>) {
    assign("x", random_normal(g, &player("bob"), &[4], 1));
}
