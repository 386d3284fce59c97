//! Tests: ops on truth values and words under every protocol and ring, against plaintext.

use sordino_graph::{Element, Fixed, Graph, Recording, Setup, Type, Value, record, verify};

use crate::op::*;
use crate::plan::Plan;
use crate::testing::{Own, player, run, shape};
use crate::value::Tensor;

const RINGS: [Fixed; 2] = [Fixed::LOW, Fixed::HIGH];

fn setup(protocol: &str, fixed: Fixed) -> Setup {
    let names = ["a", "b", "c", "s0", "s1", "s2"].map(player);
    let setup = Setup::new(names.clone()).secure(protocol, names[3..].to_vec(), fixed);
    names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

/// A program on secrets of the player a, whose result, numbers or truth values, c learns.
trait Program: for<'r> Fn(&[Value<'r>]) -> Value<'r> {}
impl<F: for<'r> Fn(&[Value<'r>]) -> Value<'r>> Program for F {}

fn recorded(setup: &Setup, axes: &[&[usize]], program: &impl Program) -> Graph {
    let graph = record("test", setup, |g: &Recording<'_>| {
        let inputs = axes.iter().enumerate().map(|(i, axes)| {
            let ty = Type::plain(Element::F64, shape(axes));
            share(read_variable(g, &player("a"), &format!("x{i}"), &ty))
        });
        let result = program(&inputs.collect::<Vec<_>>());
        let words = result.ty().is_some_and(|ty| ty.element == Element::BIT);
        let revealed = reveal(result, &player("c"));
        publish("y", if words { bit_to_number(revealed) } else { revealed });
    });
    let graph = graph.unwrap();
    verify(&graph).unwrap();
    graph
}

/// What the program gives, under every protocol and ring, for equally shaped inputs.
fn check(
    axes: &[usize],
    inputs: &[Vec<f64>],
    program: impl Program,
    expected: impl Fn(&[f64]) -> f64,
) {
    for protocol in ["ABY3", "Plain"] {
        for fixed in RINGS {
            let unit = (-f64::from(fixed.fraction())).exp2();
            let inputs: Vec<Vec<f64>> = inputs
                .iter()
                .map(|x| x.iter().map(|x| (x / unit).round() * unit).collect())
                .collect();
            let variables = inputs
                .iter()
                .enumerate()
                .map(|(i, x)| (format!("x{i}"), Tensor::f64(&shape(axes), x.clone())));
            let own = Own::with(variables);
            let graph = recorded(&setup(protocol, fixed), &vec![axes; inputs.len()], &program);
            run(&Plan::new(graph).unwrap().lowered, &own).unwrap();
            let result = own.published.into_inner().unwrap().swap_remove(0);
            let n = shape(axes).elements();
            assert_eq!(result.len(), n);
            for i in 0..n {
                let inputs: Vec<f64> = inputs.iter().map(|x| x[i]).collect();
                let expected = expected(&inputs);
                // Reveals give f32 in the narrower ring.
                let expected =
                    if fixed == Fixed::LOW { f64::from(expected as f32) } else { expected };
                // Plain computes in doubles, which round sums.
                let largest = inputs.iter().fold(0.0, |max: f64, x| max.max(x.abs()));
                let slack = if protocol == "Plain" { largest * 2f64.powi(-51) } else { 0.0 };
                assert!(
                    (result[i] - expected).abs() <= slack,
                    "{protocol} {fixed} {axes:?}: {}, not {expected}, of {inputs:?}",
                    result[i]
                );
            }
        }
    }
}

/// Numbers near the limits of the encoding and near zero, and others.
fn numbers(n: usize, seed: u64) -> Vec<f64> {
    let limit = 2f64.powi(33);
    let extreme = [0.0, -0.0, 1.0, -1.0, 2f64.powi(-16), -2f64.powi(-16), limit, -limit, 0.5];
    let mut random = crate::data::random::SplitMix64::new(seed);
    let mut draw = |i: usize| match i % 3 {
        0 => extreme[random.below(9) as usize],
        1 => (random.unit() - 0.5) * 8.0,
        _ => (random.unit() - 0.5) * f64::from(random.below(33)).exp2(),
    };
    (0..n).map(|i| if n > 8 && i < 9 { extreme[i] } else { draw(i + seed as usize) }).collect()
}

const SHAPES: [&[usize]; 8] = [&[], &[0], &[1], &[2, 0, 3], &[7, 9], &[64], &[5, 13, 3], &[1030]];

fn check_shapes(arity: usize, program: impl Program, expected: impl Fn(&[f64]) -> f64) {
    for axes in SHAPES {
        let n = shape(axes).elements();
        let inputs: Vec<_> = (0..arity).map(|i| numbers(n, i as u64 + 1)).collect();
        check(axes, &inputs, &program, &expected);
    }
}

fn truth(x: bool) -> f64 {
    f64::from(u8::from(x))
}

#[test]
fn signs_and_zeros() {
    check_shapes(1, |x| negative(x[0]), |x| truth(x[0] < 0.0));
    check_shapes(1, |x| is_zero(x[0]), |x| truth(x[0] == 0.0));
    check_shapes(1, |x| positive(x[0]), |x| truth(x[0] > 0.0));
}

#[test]
fn comparisons() {
    check_shapes(2, |x| less(x[0], x[1]), |x| truth(x[0] < x[1]));
    check_shapes(2, |x| less_equal(x[0], x[1]), |x| truth(x[0] <= x[1]));
    check_shapes(2, |x| greater(x[0], x[1]), |x| truth(x[0] > x[1]));
    check_shapes(2, |x| greater_equal(x[0], x[1]), |x| truth(x[0] >= x[1]));
    check_shapes(2, |x| equal(x[0], x[1]), |x| truth(x[0] == x[1]));
    check_shapes(2, |x| not_equal(x[0], x[1]), |x| truth(x[0] != x[1]));
}

#[test]
fn comparisons_with_constants() {
    for c in [0.0, 0.5, -1.0, 2f64.powi(33)] {
        check_shapes(1, move |x| less_constant(x[0], c), |x| truth(x[0] < c));
        check_shapes(1, move |x| less_equal_constant(x[0], c), |x| truth(x[0] <= c));
        check_shapes(1, move |x| greater_constant(x[0], c), |x| truth(x[0] > c));
        check_shapes(1, move |x| greater_equal_constant(x[0], c), |x| truth(x[0] >= c));
        check_shapes(1, move |x| equal_constant(x[0], c), |x| truth(x[0] == c));
    }
}

#[test]
fn bits_and_numbers() {
    check_shapes(1, |x| bit_to_number(negative(x[0])), |x| truth(x[0] < 0.0));
    check_shapes(2, |x| mul_bit(negative(x[0]), x[1]), |x| if x[0] < 0.0 { x[1] } else { 0.0 });
    check_shapes(1, |x| relu(x[0]), |x| x[0].max(0.0));
    check_shapes(1, |x| from_bits(to_bits(x[0])), |x| x[0]);
    let top = |x: Value<'_>| x.ty().and_then(|ty| ty.bits()).map_or(0, |bits| bits as usize - 1);
    check_shapes(1, |x| bit(to_bits(x[0]), top(to_bits(x[0]))), |x| truth(x[0] < 0.0));
}

#[test]
fn logic() {
    let signs = |x: &[f64]| (x[0] < 0.0, x[1] < 0.0);
    let both = |x: &[f64]| truth(signs(x).0 && signs(x).1);
    check_shapes(2, |x| and(negative(x[0]), negative(x[1])), both);
    check_shapes(2, |x| or(negative(x[0]), negative(x[1])), |x| truth(signs(x).0 || signs(x).1));
    check_shapes(2, |x| xor(negative(x[0]), negative(x[1])), |x| truth(signs(x).0 != signs(x).1));
    check_shapes(1, |x| not(negative(x[0])), |x| truth(x[0] >= 0.0));
    // Words: x & x, x ^ x, bits moved to and fro.
    let thrice = |x: &[f64]| x[0];
    check_shapes(2, |x| from_bits(xor(xor(to_bits(x[0]), to_bits(x[1])), to_bits(x[1]))), thrice);
    check_shapes(1, |x| from_bits(and(to_bits(x[0]), to_bits(x[0]))), |x| x[0]);
    check_shapes(1, |x| from_bits(not(not(to_bits(x[0])))), |x| x[0]);
    // Doubled first, so that no bit is lost.
    check_shapes(
        1,
        |x| from_bits(shift_right(shift_left(to_bits(relu(x[0])), 1), 1)),
        |x| x[0].max(0.0),
    );
    check_shapes(1, |x| from_bits(shift_left(to_bits(x[0]), 300)), |_| 0.0);
}

#[test]
fn choices() {
    check_shapes(2, |x| maximum(x[0], x[1]), |x| x[0].max(x[1]));
    check_shapes(2, |x| minimum(x[0], x[1]), |x| x[0].min(x[1]));
    check_shapes(1, |x| abs(x[0]), |x| x[0].abs());
    check_shapes(1, |x| sign(x[0]), |x| truth(x[0] > 0.0) - truth(x[0] < 0.0));
    let choice = |x: &[f64]| if x[0] < 0.0 { x[1] } else { x[2] };
    check_shapes(3, |x| select(negative(x[0]), x[1], x[2]), choice);
}

/// What a program gives of one input whose axes become others, under every protocol and ring.
fn check_reduced(axes: &[usize], x: &[f64], program: impl Program, expected: &[f64]) {
    for protocol in ["ABY3", "Plain"] {
        for fixed in RINGS {
            let own = Own::with([("x0".to_owned(), Tensor::f64(&shape(axes), x.to_vec()))]);
            let graph = recorded(&setup(protocol, fixed), &[axes], &program);
            run(&Plan::new(graph).unwrap().lowered, &own).unwrap();
            let result = own.published.into_inner().unwrap().swap_remove(0);
            assert_eq!(result, expected, "{protocol} {fixed} {axes:?} of {x:?}");
        }
    }
}

/// Says of a closure what it takes.
fn program<F: Program>(program: F) -> F {
    program
}

/// The gradient of the sum of `y` by `x`.
fn gradient_of<'r>(y: Value<'r>, x: Value<'r>) -> Value<'r> {
    let axes: Vec<_> = (0..y.ty().map_or(0, |ty| ty.shape.rank())).collect();
    gradients(reduce_sum(y, &axes, false), &[x])[0]
}

#[test]
fn the_gradient_of_relu_uses_its_comparison() {
    check_shapes(1, |x| gradient_of(relu(x[0]), x[0]), |x| truth(x[0] > 0.0));
    let both = program(|x| {
        let y = relu(x[0]);
        add_n([y, gradient_of(y, x[0])])
    });
    let graph = recorded(&setup("ABY3", Fixed::LOW), &[&[5]], &both);
    let lowered = super::lower(&crate::optimise::recorded(&graph)).unwrap();
    let comparisons = lowered.nodes().filter(|(_, node)| node.op.name == "share_bits");
    assert_eq!(comparisons.count(), 1);
}

#[test]
fn largest_and_smallest() {
    for axes in [[1, 3, 2], [4, 2, 65], [2, 3, 1], [2, 9, 3], [1, 20, 2], [3, 70, 2], [2, 8, 0]] {
        let n = axes.iter().product();
        // Quarters, many of them equal.
        let x: Vec<f64> = numbers(n, 3).iter().map(|x| (x % 3.0 * 4.0).round() / 4.0).collect();
        let along = |pick: &dyn Fn(&[f64]) -> f64| -> Vec<f64> {
            let of = |i: usize, j: usize| {
                let items: Vec<f64> =
                    (0..axes[1]).map(|k| x[(i * axes[1] + k) * axes[2] + j]).collect();
                pick(&items)
            };
            (0..axes[0])
                .flat_map(|i| (0..axes[2]).map(move |j| (i, j)))
                .map(|(i, j)| of(i, j))
                .collect()
        };
        let max = |items: &[f64]| items.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let min = |items: &[f64]| items.iter().copied().fold(f64::INFINITY, f64::min);
        let first = |items: &[f64]| items.iter().position(|&x| x == max(items)).unwrap() as f64;
        check_reduced(&axes, &x, |x| reduce_max(x[0], 1), &along(&max));
        check_reduced(&axes, &x, |x| reduce_min(x[0], 1), &along(&min));
        check_reduced(&axes, &x, |x| argmax(x[0], 1), &along(&first));
    }
}

#[test]
fn pooling_and_its_gradient() {
    for axes in [[2, 4, 4, 3], [1, 5, 7, 2]] {
        let size = axes[2] / 2;
        let n: usize = axes.iter().product();
        let x: Vec<f64> = numbers(n, 5).iter().map(|x| (x % 3.0 * 4.0).round() / 4.0).collect();
        let pool = crate::tensor::pool::PoolShape {
            batch: axes[0],
            height: axes[1],
            width: axes[2],
            channels: axes[3],
            size,
        };
        let mut expected = vec![0.0; pool.out_len()];
        crate::tensor::pool::max_pool(&pool, &x, &mut expected);
        check_reduced(&axes, &x, move |x| max_pool(x[0], size), &expected);
        let mut back = vec![0.0; n];
        crate::tensor::pool::max_pool_grad(&pool, &x, &vec![1.0; pool.out_len()], &mut back);
        check_reduced(&axes, &x, move |x| gradient_of(max_pool(x[0], size), x[0]), &back);
    }
}
