//! `polynomial(x, coefficients)`: the value of a polynomial.

use sordino_graph::{
    AttributeKind, Backward, Element, Expanding, Role, Secrecy, Signature, Type, TypeError, Value,
    type_error,
};

use super::constant::{constant_of, expect_encodable};
use super::scale::expect_factor;
use super::weighted_sum::sum_with_any;
use super::{mul, square};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `c[0] + c[1]·x + c[2]·x² + …` of each element, for public coefficients, of which there is at
/// least one.
///
/// Floats are computed by Horner's rule. For a secret and a degree n, ⌈log₂ n⌉ products are
/// computed one after the other, and the multiples of the powers are truncated at once, see
/// [`weighted_sum()`](super::weighted_sum()).
///
/// Source: Knuth, *The art of computer programming*, volume 2, section 4.6.4.
///
/// | bits | for | error at most | rounds | bytes an element, for degree 3 |
/// |---|---|---|---|---|
/// | 64 | sums below 2^26 | 1 unit, and what powers err by times their coefficients | 5 | 68 |
/// | 128 | sums below 2^62 | 1 unit, and what powers err by times their coefficients | 5 | 132 |
#[track_caller]
pub fn polynomial<'r>(x: Value<'r>, coefficients: &[f64]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("coefficients", coefficients).input(x).build()
}

/// See [`polynomial()`].
pub static OP: Op = Op::new("polynomial", Role::Compute, infer, kernel)
    .attributes(&[("coefficients", AttributeKind::Reals)])
    .gradient(gradient)
    .expand(expand);

/// Most coefficients: a polynomial of a higher degree is none that numbers can be trusted with.
const MOST: usize = 256;

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let coefficients = s.attributes.reals("coefficients").unwrap_or_default();
    let Some((first, others)) = coefficients.split_first().filter(|(_, c)| c.len() < MOST) else {
        return type_error!("takes 1 to {MOST} coefficients, not {}", coefficients.len());
    };
    if let (Secrecy::Secret, Element::Fixed(fixed)) = (x.secrecy, x.element) {
        expect_encodable(&[*first], fixed)?;
        others.iter().try_for_each(|&factor| expect_factor(x, factor))?;
    }
    Ok(vec![rules::number(x)?.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let coefficients = b.attributes.reals("coefficients").unwrap_or_default();
    let slopes = coefficients.iter().zip(0..).skip(1).map(|(c, i)| c * f64::from(i));
    let slopes: Vec<_> = slopes.collect();
    let slopes = if slopes.is_empty() { vec![0.0] } else { slopes };
    vec![b.gradient().map(|dy| mul(dy, polynomial(b.inputs[0], &slopes)))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    let coefficients = e.attributes().reals("coefficients").unwrap_or_default();
    let mut powers = vec![None; coefficients.len()];
    let (mut terms, mut weights) = (Vec::new(), Vec::new());
    for (n, &c) in coefficients.iter().enumerate().skip(1).filter(|(_, c)| **c != 0.0) {
        terms.push(power(e.inputs[0], n, &mut powers));
        weights.push(c);
    }
    if terms.is_empty() {
        let place = e.node.place.clone();
        return vec![constant_of(&e.recording, place, &coefficients[..1], e.ty())];
    }
    vec![sum_with_any(&terms, &weights, coefficients[0])]
}

/// xⁿ as the product of two powers of about half of n, each computed once.
fn power<'r>(x: Value<'r>, n: usize, powers: &mut Vec<Option<Value<'r>>>) -> Value<'r> {
    if n == 1 {
        return x;
    }
    if let Some(power) = powers[n] {
        return power;
    }
    let result = if n.is_multiple_of(2) {
        square(power(x, n / 2, powers))
    } else {
        // Of the halves that are no deeper than they must be, one is a power of two, which other
        // powers use as well.
        let half = (n - 1).next_power_of_two() / 2;
        let half = if n == half * 2 { n / 2 } else { half };
        mul(power(x, half, powers), power(x, n - half, powers))
    };
    powers[n] = Some(result);
    result
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Float>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let coefficients = cx.node.attributes.reals("coefficients").unwrap_or_default();
    let coefficients: Vec<T> = coefficients.iter().rev().map(|&c| T::from_f64(c)).collect();
    let Some((&highest, others)) = coefficients.split_first() else {
        return cx.bug("lacks coefficients");
    };
    for x in cx.items_mut::<T>(&mut x)? {
        *x = others.iter().fold(highest, |sum, &c| sum * *x + c);
    }
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        FLOATS, Kind, check_faults, check_gradients, check_values, fault, given, input, me, shape,
    };
    use sordino_graph::{Fixed, Graph, Setup, record};

    const X: (&[usize], &[i64]) = (&[4], &[0, 1, -2, 3]);

    #[test]
    fn is_the_sum_of_powers() {
        check_values(FLOATS, &[X], (&[4], &[5, 4, -5, 50]), |_, x| {
            polynomial(x[0], &[5.0, -3.0, 0.0, 2.0])
        });
        check_values(FLOATS, &[X], (&[4], &[7, 7, 7, 7]), |_, x| polynomial(x[0], &[7.0]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| polynomial(x[0], &[1.0, -0.5, 0.25, 2.0]));
    }

    /// The expansion of a polynomial, and its value for X in floats.
    fn expanded(coefficients: &[f64]) -> (Graph, Vec<f64>) {
        let (secrecy, element): Kind = FLOATS[1];
        let ty = Type { secrecy, element, shape: shape(X.0) };
        let mut result = None;
        let graph = record("test", &Setup::new([me()]), |g| {
            result = polynomial(given(g, "x", &ty), coefficients).port();
        });
        let graph = sordino_graph::expand(&graph.unwrap(), |node| {
            (node.node.op.name == "polynomial").then(|| expand(node))
        });
        let graph = graph.unwrap();
        let x = Tensor::f64(&ty.shape, X.1.iter().map(|&x| x as f64).collect());
        let own = crate::testing::Own::with([("x".to_owned(), x)]);
        let values = crate::testing::run(&graph, &own).unwrap();
        let value = values.last().unwrap()[0].to_f64().unwrap();
        (graph, value)
    }

    /// The most products that are computed one after the other, and how many there are in all.
    fn products(graph: &Graph) -> (usize, usize) {
        let product = |name: &str| usize::from(["mul", "square"].contains(&name));
        let mut depths = vec![0; graph.nodes().count()];
        for (id, node) in graph.nodes() {
            let before = node.inputs.iter().map(|port| depths[port.node.index()]).max();
            depths[id.index()] = before.unwrap_or(0) + product(node.op.name);
        }
        let all = graph.nodes().map(|(_, node)| product(node.op.name)).sum();
        (depths.into_iter().max().unwrap(), all)
    }

    #[test]
    fn the_expansion_is_the_polynomial() {
        for n in 0..20 {
            let coefficients: Vec<f64> =
                (0..=n).map(|i| f64::from((i * 7 + 3) % 5) - 2.0).collect();
            let (graph, value) = expanded(&coefficients);
            for (x, y) in X.1.iter().zip(value) {
                let horner = coefficients.iter().rev().fold(0.0, |sum, c| sum * *x as f64 + c);
                assert_eq!(y, horner, "{coefficients:?} at {x}");
            }
            let (depth, _) = products(&graph);
            assert!(depth <= (n.max(1) as f64).log2().ceil() as usize, "degree {n}: {depth}");
        }
        // One power needs only those that it is made of, and each is computed once.
        let (graph, _) = expanded(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(products(&graph), (3, 4));
        let (graph, value) = expanded(&[0.0]);
        assert_eq!((products(&graph), value), ((0, 0), vec![0.0; 4]));
    }

    #[test]
    fn coefficients_fit_secrets() {
        let faults = [
            fault(|g| {
                polynomial(input(g, "x", &[2]), &[]);
            }),
            fault(|g| {
                polynomial(given(g, "x", &Type::secret(Fixed::LOW, shape(&[2]))), &[0.0, 5000.0]);
            }),
            fault(|g| {
                polynomial(given(g, "x", &Type::secret(Fixed::LOW, shape(&[2]))), &[1e12]);
            }),
            fault(|g| {
                polynomial(given(g, "x", &Type::share(Fixed::LOW, shape(&[2]))), &[1.0]);
            }),
        ];
        let expected = [
            "polynomial takes 1 to 256 coefficients, not 0",
            "multiplies secrets by at most 4096",
            "cannot encode 1000000000000 as fix64.16",
            "takes floats or secret numbers, not share fix64.16[2]",
        ];
        check_faults(faults, expected);
    }
}
