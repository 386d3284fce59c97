//! The functions that are measured, and those that share what they compute on.

use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;

use crate::cases::{Case, Input};

/// Shares random numbers and keeps them on the servers.
#[secure_function]
pub fn prepare(g: &Recording<'_>, case: &Case, owner: &PlayerName, seed: &u32) {
    for (i, axes) in (0..).zip(&case.inputs) {
        let x = share(random_normal(g, owner, axes, seed.wrapping_add(i)));
        let x = if case.input == Input::Words { to_bits(x) } else { x };
        assign_secret(&format!("{}/{i}", case.name), x, std::slice::from_ref(owner));
    }
}

/// Computes on what the servers keep, and keeps the result there.
#[secure_function]
pub fn measured(g: &Recording<'_>, case: &Case, fixed: &Fixed, owner: &PlayerName) {
    let owners = std::slice::from_ref(owner);
    let read = |(i, axes): (usize, &Vec<usize>)| {
        let numbers = Type::secret(*fixed, Shape::new(axes).expect("shapes are small"));
        let words = numbers.with_element(Element::Bits(fixed.width().bits() as u8));
        let ty = if case.input == Input::Words { words } else { numbers };
        read_secret(g, &format!("{}/{i}", case.name), &ty, owners)
    };
    let inputs: Vec<_> = case.inputs.iter().enumerate().map(read).collect();
    assign_secret(&format!("{}/result", case.name), (case.compute)(&inputs), owners);
}

/// Weights of network_a.
pub const WEIGHTS: usize = 118_282;

/// Draws what an owner has to add up.
#[secure_function]
pub fn draw(g: &Recording<'_>, owners: &[PlayerName], seed: &u32) {
    for (i, owner) in (0..).zip(owners) {
        assign("weights", random_normal(g, owner, &[WEIGHTS], seed.wrapping_add(i)));
    }
}

/// All owners share, and the receiver learns the sum.
#[secure_function]
pub fn aggregation(g: &Recording<'_>, owners: &[PlayerName], receiver: &PlayerName) {
    let ty = Type::plain(Element::F32, Shape::new(&[WEIGHTS]).expect("a vector"));
    let shares = owners.iter().map(|owner| share(read_variable(g, owner, "weights", &ty)));
    assign("sum", reveal(add_n(shares), receiver));
}
