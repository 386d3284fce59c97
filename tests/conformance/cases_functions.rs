//! Functions of reals, as accurate as their pages say.

use sordino::prelude::*;

use super::{Array, Bound, Case, Numbers, Random, accuracy, case, pairs, ranged, within};

pub fn cases() -> Vec<Case> {
    [of_each(), of_rows(), losses()].into_iter().flatten().collect()
}

type Function = for<'r> fn(Value<'r>) -> Value<'r>;

/// A function of each element, on which range, and how far off it and its gradients may be.
struct Row {
    name: &'static str,
    function: Function,
    exact: fn(f64) -> f64,
    range: Numbers,
    bound: Bound,
    /// Where its gradients are looked at, and how far off they may be.
    gradient: Bound,
}

fn sigmoid_of(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus_of(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The gradients of these functions are made of the functions themselves, with products. For each
/// the bound is that of what it is made of, times the most that it is multiplied by where gradients
/// are looked at: up to 2 from the loss, and what the rule says.
fn rows() -> Vec<Row> {
    let digits = Numbers::Powers(-14.0, 32.9);
    vec![
        // e^x · dy.
        Row {
            name: "exp",
            function: exp,
            exact: f64::exp,
            range: Numbers::Within(19.9),
            bound: accuracy((1.2e-4, 6e-5), (4e-9, 8e-10)),
            gradient: accuracy((2.4e-4, 2e-4), (8e-9, 3e-9)),
        },
        // dy / x.
        Row {
            name: "log",
            function: log,
            exact: f64::ln,
            range: digits.clone(),
            bound: accuracy((0.0, 5e-5), (0.0, 1.5e-9)),
            gradient: accuracy((6e-4, 1.2e-4), (4e-7, 6e-9)),
        },
        // −dy / x².
        Row {
            name: "reciprocal",
            function: reciprocal,
            exact: f64::recip,
            range: Numbers::SignedPowers(-14.0, 32.9),
            bound: accuracy((6e-4, 3e-5), (4e-7, 2e-9)),
            gradient: accuracy((1.5e-3, 5e-4), (1e-6, 1e-8)),
        },
        // dy / (2·√x).
        Row {
            name: "sqrt",
            function: sqrt,
            exact: f64::sqrt,
            range: digits.clone(),
            bound: accuracy((2e-4, 4e-5), (2e-7, 2e-9)),
            gradient: accuracy((1.5e-3, 2e-4), (1e-6, 1e-8)),
        },
        // −dy · x^-3/2 / 2.
        Row {
            name: "rsqrt",
            function: rsqrt,
            exact: |x| 1.0 / x.sqrt(),
            range: digits,
            bound: accuracy((1e-3, 4e-5), (1e-7, 1e-9)),
            gradient: accuracy((4e-3, 1e-3), (4e-7, 1e-8)),
        },
        // y · (1 − y) · dy.
        Row {
            name: "sigmoid",
            function: sigmoid,
            exact: sigmoid_of,
            range: Numbers::Within(40.0),
            bound: accuracy((0.0, 9.2e-4), (9.5e-7, 3.7e-9)),
            gradient: accuracy((0.0, 2e-3), (0.0, 2e-6)),
        },
        // sigmoid(x) · dy.
        Row {
            name: "softplus",
            function: softplus,
            exact: softplus_of,
            range: Numbers::Within(40.0),
            bound: accuracy((0.0, 8.6e-4), (9.5e-7, 3.7e-9)),
            gradient: accuracy((0.0, 2e-3), (2e-6, 1e-8)),
        },
        // (1 − y²) · dy.
        Row {
            name: "tanh",
            function: tanh,
            exact: f64::tanh,
            range: Numbers::Within(20.0),
            bound: accuracy((0.0, 5.6e-4), (9.5e-7, 3.7e-9)),
            gradient: accuracy((0.0, 2.5e-3), (0.0, 4e-6)),
        },
    ]
}

fn of_each() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut random = Random::of(50);
    for Row { name, function, exact, range, bound, gradient } in rows() {
        let fixed = [&[][..], &[0], &[67], &[1, 5], &[3, 1, 7]].map(<[usize]>::to_vec);
        for axes in fixed.into_iter().chain([random.axes()]) {
            let x = vec![ranged(range.clone(), &axes)];
            cases.push(case(name, x, move |_, x| function(x[0]), move |x| x[0].map(exact), bound));
        }
        // Gradients are looked at where they are neither huge nor lost among the units.
        let near = match range {
            Numbers::Within(_) => Numbers::Within(3.0),
            Numbers::Powers(..) => Numbers::Powers(-1.0, 3.0),
            _ => Numbers::SignedPowers(-1.0, 3.0),
        };
        let x = vec![ranged(near, &[3, 5])];
        cases.push(
            case(name, x, move |_, x| function(x[0]), move |x| x[0].map(exact), bound)
                .note("gradient")
                .gradient(gradient),
        );
    }
    let all: [(&[usize], &[usize]); 5] =
        [(&[], &[]), (&[5], &[]), (&[0], &[1]), (&[1, 7], &[5, 1]), (&[3, 5], &[5])];
    for (i, [x, y]) in pairs(&all, 51).into_iter().enumerate() {
        let inputs = vec![within(4.0, &x), ranged(Numbers::SignedPowers(-2.0, 10.0), &y)];
        // x times what the reciprocal errs by, |x| up to 4, and a unit of the product.
        let bound = accuracy((6e-4, 1.4e-4), (4e-7, 9e-9));
        // dx = dy / y; dy = −dy · x / y², where x / y is up to 16, and 1 / y up to 4: of dx, sums of up
        // to five terms of 8 have the error of the reciprocal.
        let gradient = accuracy((2e-3, 2.4e-2), (1.2e-6, 1.6e-5));
        let quotient = |x: &[Array]| x[0].zip(&x[1], |x, y| x / y);
        let of = case("div", inputs, |_, x| div(x[0], x[1]), quotient, bound);
        // Elements of random shapes may stand for more.
        cases.push(if i < all.len() { of.gradient(gradient) } else { of });
    }
    cases
}

/// Rows that are short, long, and alone, and random ones.
fn tables() -> Vec<Vec<usize>> {
    let fixed: [&[usize]; 5] = [&[1], &[1, 3], &[5, 10], &[2, 3, 7], &[0, 4]];
    let mut random = Random::of(52);
    let mut any = random.axes();
    any.truncate(2);
    any.push(random.among(1..8));
    fixed.iter().map(|axes| axes.to_vec()).chain([any]).collect()
}

/// Rows have numbers that are less than 2^25 from each other.
const LARGEST: f64 = 16_777_215.0;

fn softmax_of(x: &[f64]) -> Vec<f64> {
    log_softmax_of(x).iter().map(|x| x.exp()).collect()
}

fn log_softmax_of(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = x.iter().map(|x| (x - largest).exp()).sum();
    x.iter().map(|x| x - largest - sum.ln()).collect()
}

fn of_rows() -> Vec<Case> {
    let mut cases = Vec::new();
    let all = tables().into_iter().flat_map(|axes| [(axes.clone(), 3.0), (axes, 30.0)]);
    // The last are as far apart as they may be, and few of a row count.
    for (axes, m) in all.chain([(vec![5, 10], LARGEST)]) {
        let x = || vec![within(m, &axes)];
        // Both gradients are the softmax times sums of up to ten terms of the loss.
        cases.push(
            case(
                "softmax",
                x(),
                |_, x| softmax(x[0]),
                |x| x[0].rows(softmax_of),
                accuracy((6e-4, 1e-4), (4e-7, 3e-9)),
            )
            .note(m.to_string())
            .gradient(accuracy((0.0, 3e-3), (0.0, 2e-6))),
        );
        cases.push(
            case(
                "log_softmax",
                x(),
                |_, x| log_softmax(x[0]),
                |x| x[0].rows(log_softmax_of),
                accuracy((0.0, 1.2e-4), (0.0, 3.6e-9)),
            )
            .note(m.to_string())
            .gradient(accuracy((0.0, 1e-2), (0.0, 8e-6))),
        );
    }
    cases
}

fn losses() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut random = Random::of(53);
    let any = [random.among(1..8), random.among(1..6)];
    for axes in [[1, 1], [7, 1], [3, 5], [0, 3], any] {
        let targets = vec![within(6.0, &axes), ranged(Numbers::Truths, &axes)];
        let n = (axes[0] * axes[1]) as f64;
        let binary = |x: &[Array]| {
            let each = x[0].zip(&x[1], |x, t| softplus_of(x) - t * x);
            Array { axes: vec![], elements: vec![each.elements.iter().sum()] }
        };
        // Each example errs as softplus, at most ten times its part at 128 bits, and a unit.
        let bound = accuracy((0.0, 9e-4 * n), (0.0, 7e-6 * n));
        cases.push(
            case(
                "binary_cross_entropy",
                targets,
                |_, x| binary_cross_entropy(x[0], x[1]),
                binary,
                bound,
            )
            .gradient_by(0..1, accuracy((0.0, 2e-3), (0.0, 2e-6))),
        );
        cases.push(categorical(&axes, 6.0));
    }
    cases.push(categorical(&[3, 5], LARGEST));
    cases
}

fn categorical(axes: &[usize], m: f64) -> Case {
    let exact = |x: &[Array]| {
        let each = x[0].rows(log_softmax_of).zip(&x[1], |x, t| -t * x);
        Array { axes: vec![], elements: vec![each.elements.iter().sum()] }
    };
    let n = axes.iter().product::<usize>() as f64;
    // Each element errs as its logarithm, and a unit.
    let bound = accuracy((0.0, 1.4e-4 * n), (0.0, 4e-9 * n));
    let inputs = vec![within(m, axes), ranged(Numbers::Chosen, axes)];
    case(
        "categorical_cross_entropy",
        inputs,
        |_, x| categorical_cross_entropy(x[0], x[1]),
        exact,
        bound,
    )
    .note(m.to_string())
    .gradient_by(0..1, accuracy((0.0, 1e-2), (0.0, 8e-6)))
}
