//! Ops on the bits of secrets in whole sessions: right under every protocol and ring, at the cost
//! that their rules declare, with pads that no player draws twice.

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{mnist, player, published, servers};
use sordino::graph::{Role, Secrecy};
use sordino::ops::optimise;
use sordino::ops::protocol::{aby3, pads};
use sordino::prelude::*;
use sordino::runtime::Audit;

/// A program of each kind, on secrets of two owners.
const PROGRAMS: [&str; 14] = [
    "negative",
    "is_zero",
    "less",
    "and",
    "not",
    "mul_bit",
    "relu",
    "to_bits",
    "words",
    "select",
    "maximum",
    "reduce_max",
    "argmax",
    "max_pool",
];

fn inputs<'r>(g: &Recording<'r>, axes: &[usize]) -> [Value<'r>; 2] {
    let n = axes.iter().product::<usize>();
    [("ann", 1), ("bob", 2)].map(|(owner, seed)| {
        let x = glorot_uniform(g, &player(owner), &[1, n], seed);
        publish(owner, x);
        share(reshape(x, axes))
    })
}

#[secure_function]
fn program(g: &Recording<'_>, which: &str, axes: &[usize]) {
    let [x, y] = inputs(g, axes);
    let result = match which {
        "negative" => negative(x),
        "is_zero" => is_zero(x),
        "less" => less(x, y),
        "and" => and(negative(x), negative(y)),
        "not" => not(negative(x)),
        "mul_bit" => mul_bit(negative(x), y),
        "relu" => relu(x),
        "to_bits" => from_bits(to_bits(x)),
        "words" => from_bits(xor(and(to_bits(x), to_bits(x)), shift_right(to_bits(x), 200))),
        "select" => select(less(x, y), x, y),
        "maximum" => maximum(x, y),
        "reduce_max" => reduce_max(x, 1),
        "argmax" => argmax(x, 1),
        "max_pool" => max_pool(x, 2),
        _ => unreachable!("no such program"),
    };
    let bits = result.ty().is_some_and(|ty| ty.bits().is_some());
    let revealed = reveal(result, &player("carol"));
    publish("result", if bits { bit_to_number(revealed) } else { revealed });
}

/// What the program gives of one window of each input.
fn expected(which: &str, x: &[f64], y: &[f64], axes: &[usize]) -> Vec<f64> {
    let each = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        x.iter().zip(y).map(|(&x, &y)| of(x, y)).collect()
    };
    let truth = |x: bool| f64::from(u8::from(x));
    match which {
        "negative" => each(&|x, _| truth(x < 0.0)),
        "is_zero" => each(&|x, _| truth(x == 0.0)),
        "less" => each(&|x, y| truth(x < y)),
        "and" => each(&|x, y| truth(x < 0.0 && y < 0.0)),
        "not" => each(&|x, _| truth(x >= 0.0)),
        "mul_bit" => each(&|x, y| if x < 0.0 { y } else { 0.0 }),
        "relu" => each(&|x, _| x.max(0.0)),
        "to_bits" | "words" => x.to_vec(),
        "select" => each(&f64::min),
        "maximum" => each(&f64::max),
        _ => {
            let (outer, items) = (axes[0], axes[1]);
            let inner: usize = axes[2..].iter().product();
            let item = |i: usize, j: usize, k: usize| x[(i * items + k) * inner + j];
            let places = (0..outer).flat_map(|i| (0..inner).map(move |j| (i, j)));
            let first = |(i, j): (usize, usize)| {
                (1..items)
                    .fold(0, |best, k| if item(i, j, k) > item(i, j, best) { k } else { best })
            };
            match which {
                "argmax" => places.map(|place| first(place) as f64).collect(),
                "reduce_max" => places.map(|(i, j)| item(i, j, first((i, j)))).collect(),
                _ => pooled(x, axes),
            }
        }
    }
}

/// The largest of windows of two by two.
fn pooled(x: &[f64], axes: &[usize]) -> Vec<f64> {
    let &[n, h, w, c] = axes else { panic!("images have four axes") };
    let at =
        |i: usize, row: usize, column: usize, k: usize| x[((i * h + row) * w + column) * c + k];
    let mut out = Vec::new();
    for i in 0..n {
        for row in 0..h / 2 {
            for column in 0..w / 2 {
                for k in 0..c {
                    let window = [(0, 0), (0, 1), (1, 0), (1, 1)];
                    let pixels = window.map(|(a, b)| at(i, 2 * row + a, 2 * column + b, k));
                    out.push(pixels.into_iter().fold(f64::NEG_INFINITY, f64::max));
                }
            }
        }
    }
    out
}

fn axes(which: &str) -> Vec<usize> {
    match which {
        "reduce_max" => vec![3, 11, 5],
        "argmax" => vec![7, 10],
        "max_pool" => vec![2, 4, 6, 3],
        _ => vec![9, 13],
    }
}

fn setup(protocol: &str, fixed: Fixed) -> Setup {
    let names = ["ann", "bob", "carol"].map(player);
    let all = [&names[..], &servers()].concat();
    let setup = Setup::new(all.clone()).secure(protocol, servers(), fixed);
    all.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

#[test]
fn sessions_give_what_plaintext_gives() {
    for protocol in ["ABY3", "Plain"] {
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let mut session = Session::local(setup(protocol, fixed), mnist(), None).unwrap();
            for which in PROGRAMS {
                let axes = axes(which);
                let run = session.run(&program(which, &axes), 2).unwrap();
                let [x, y] = ["ann", "bob"].map(|owner| published(&run, owner)[1]);
                let expected = expected(which, x, y, &axes);
                let result = published(&run, "result")[1];
                assert_eq!(result.len(), expected.len(), "{protocol} {fixed} {which}");
                let unit = (-f64::from(fixed.fraction())).exp2();
                for (result, expected) in result.iter().zip(&expected) {
                    let off = (result - expected).abs();
                    assert!(off <= unit, "{protocol} {fixed} {which}: {result}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn rules_cost_what_they_declare() {
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        let mut session = Session::local(setup("ABY3", fixed), mnist(), None).unwrap();
        // Those that a rule is for: what others stand for is made of these.
        for which in &PROGRAMS[..9] {
            let axes = axes(which);
            let function = program(which, &axes);
            let run = session.run(&function, 1).unwrap();
            let plan = session.prepare(&function).unwrap();
            let sent: u64 =
                run.reports.iter().flat_map(|report| &report.links).map(|link| link.bytes).sum();
            let recorded = optimise::recorded(&plan.recorded);
            if recorded.nodes().any(|(_, node)| node.op.name == "relu") {
                continue;
            }
            let (lowered, costs) = aby3::lower_with_cost(&recorded).unwrap();
            let declared: u64 = costs.iter().map(|(_, cost)| cost.bytes).sum();
            let transfers = lowered.nodes().filter(|(_, node)| node.op.role == Role::Transfer);
            // The result that the driver gets is no share.
            let shares = transfers.filter(|(_, node)| node.outputs[0].secrecy == Secrecy::Share);
            let moved: u64 = shares.map(|(_, node)| node.outputs[0].bytes() as u64).sum();
            assert_eq!(moved, declared, "{fixed} {which}: {costs:?}");
            // Passes drop what nothing reads, such as the second halves of what is only revealed.
            assert!(sent <= declared, "{fixed} {which}: {sent} of {costs:?}");
            let serial: u64 = costs.iter().map(|(_, cost)| cost.rounds).sum();
            assert!(rounds(&lowered) <= serial, "{fixed} {which}: {costs:?}");
        }
    }
}

/// The most messages of shares that follow on each other.
fn rounds(graph: &sordino::graph::Graph) -> u64 {
    let mut depth = vec![0; graph.len()];
    for (id, node) in graph.nodes() {
        let before = node.inputs.iter().map(|port| depth[port.node.index()]).max().unwrap_or(0);
        let share = node.outputs.iter().any(|ty| ty.secrecy == Secrecy::Share);
        depth[id.index()] = before + u64::from(share && node.op.role == Role::Transfer);
    }
    depth.into_iter().max().unwrap_or(0)
}

#[test]
fn the_cost_of_the_tables() {
    // 64 · 128 elements: words of planes are full, so bits are bytes by eight.
    let elements = 8192;
    let mut session = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
    let mut cost_of = |which: &str, op: &str| {
        let plan = session.prepare(&program(which, &[64, 128])).unwrap();
        let (_, costs) = aby3::lower_with_cost(&optimise::recorded(&plan.recorded)).unwrap();
        let graph = optimise::recorded(&plan.recorded);
        let cost = costs.iter().find(|(id, _)| graph.node(*id).op.name == op).unwrap().1;
        (cost.rounds, cost.bytes as f64 / f64::from(elements))
    };
    assert_eq!(cost_of("negative", "negative"), (6, 373.0 / 8.0));
    assert_eq!(cost_of("is_zero", "is_zero"), (7, 253.0 / 8.0));
    assert_eq!(cost_of("and", "and"), (1, 3.0 / 8.0));
    assert_eq!(cost_of("mul_bit", "mul_bit"), (2, 32.0));
    assert_eq!(cost_of("to_bits", "from_bits"), (2, 280.0));
    assert_eq!(cost_of("to_bits", "to_bits"), (7, 708.0 / 8.0));
}

#[test]
fn no_pad_is_drawn_twice() {
    let audit = Arc::new(Audit::default());
    let setup = setup("ABY3", Fixed::LOW);
    let mut session = Session::local(setup, mnist(), Some(Arc::clone(&audit))).unwrap();
    let mut streams = 0;
    for which in PROGRAMS {
        let axes = axes(which);
        let function = program(which, &axes);
        let plan = session.prepare(&function).unwrap();
        let drawn = plan.lowered.nodes().flat_map(|(_, node)| pads::drawn_by(node));
        streams += 2 * drawn.collect::<BTreeSet<_>>().len();
        session.run(&function, 2).unwrap();
        let summary = audit.summary();
        assert_eq!((summary.repeated, summary.unshared), (0, 0), "{which}: {summary:?}");
        assert_eq!(summary.streams, streams, "{which}");
    }
}
