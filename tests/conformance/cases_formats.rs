//! Whole numbers, and the format of the other ring.

use sordino::graph::Element;
use sordino::prelude::*;

use super::{Case, EXACT, accuracy, case, encodable, shapes, small, unit};

pub fn cases() -> Vec<Case> {
    type Whole = for<'r> fn(Value<'r>) -> Value<'r>;
    type Named = (&'static str, Whole, fn(f64) -> f64);
    let all: [Named; 3] = [
        ("floor", floor, f64::floor),
        ("ceil", ceil, f64::ceil),
        ("round", round, |x| (x + 0.5).floor()),
    ];
    let mut cases = Vec::new();
    for axes in shapes(5) {
        for (name, function, of) in all {
            for input in [small, encodable] {
                let x = vec![input(&axes)];
                cases.push(case(name, x, move |_, x| function(x[0]), move |x| x[0].map(of), EXACT));
            }
        }
        // To the wider ring it is exact; to the narrower one up to a unit of that away.
        let low = (0.0, unit(Fixed::LOW));
        let there = accuracy((0.0, 0.0), low);
        cases.push(
            case("cast", vec![small(&axes)], |_, x| other_ring(x[0]), |x| x[0].clone(), there)
                // Of numbers in the wider ring, brought back.
                .gradient(accuracy(low, low)),
        );
    }
    cases
}

/// A secret in the wider ring, by way of the narrower one.
fn other_ring(x: Value<'_>) -> Value<'_> {
    match x.ty().and_then(|ty| ty.fixed()) {
        Some(Fixed::LOW) => cast(x, Element::Fixed(Fixed::HIGH)),
        Some(_) => cast(cast(x, Element::Fixed(Fixed::LOW)), Element::Fixed(Fixed::HIGH)),
        // Floats are as they are.
        None => x,
    }
}
