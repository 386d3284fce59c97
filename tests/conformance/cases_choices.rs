//! Comparisons, choices, the largest of several.

use sordino::prelude::*;

use super::cases_layers::pooled;
use super::{Array, Case, EXACT, Input, Random, along, case, encodable, shapes, small};

pub fn cases() -> Vec<Case> {
    let all = [comparisons(), with_constants(), choices(), extremes(), sorts(), pools()];
    all.into_iter().flatten().collect()
}

fn truth(x: bool) -> f64 {
    f64::from(u8::from(x))
}

fn comparisons() -> Vec<Case> {
    type Comparison = for<'r> fn(Value<'r>, Value<'r>) -> Value<'r>;
    type Named = (&'static str, Comparison, fn(f64, f64) -> bool);
    let all: [Named; 6] = [
        ("less", less, |x, y| x < y),
        ("less_equal", less_equal, |x, y| x <= y),
        ("greater", greater, |x, y| x > y),
        ("greater_equal", greater_equal, |x, y| x >= y),
        ("equal", equal, |x, y| x == y),
        ("not_equal", not_equal, |x, y| x != y),
    ];
    let mut cases = Vec::new();
    for axes in shapes(20) {
        for (name, comparison, of) in all {
            // Differences of the largest numbers are twice as large as what can be encoded. The
            // seeds of both inputs are consecutive, so that some elements are equal.
            for input in [small, encodable] {
                let compared = move |x: &[Array]| x[0].zip(&x[1], |x, y| truth(of(x, y)));
                cases.push(case(
                    name,
                    vec![input(&axes), input(&axes)],
                    move |_, x| comparison(x[0], x[1]),
                    compared,
                    EXACT,
                ));
            }
        }
        let same = |x: &[Array]| x[0].map(|_| 0.0);
        cases.push(
            case("less", vec![encodable(&axes)], |_, x| less(x[0], x[0]), same, EXACT)
                .note("itself"),
        );
    }
    cases
}

/// Comparisons with half of the largest number, which stands among the special ones.
fn with_constants() -> Vec<Case> {
    type Comparison = for<'r> fn(Value<'r>, f64) -> Value<'r>;
    type Named = (&'static str, Comparison, fn(f64, f64) -> bool);
    let all: [Named; 5] = [
        ("less_constant", less_constant, |x, c| x < c),
        ("less_equal_constant", less_equal_constant, |x, c| x <= c),
        ("greater_constant", greater_constant, |x, c| x > c),
        ("greater_equal_constant", greater_equal_constant, |x, c| x >= c),
        ("equal_constant", equal_constant, |x, c| x == c),
    ];
    let mut cases = Vec::new();
    for axes in shapes(22) {
        for (name, comparison, of) in all {
            for input in [small, encodable] {
                cases.push(case(
                    name,
                    vec![input(&axes)],
                    move |_, x| comparison(x[0], 2.0),
                    move |x| x[0].map(|x| truth(of(x, 2.0))),
                    EXACT,
                ));
            }
        }
    }
    cases
}

fn choices() -> Vec<Case> {
    let mut cases = Vec::new();
    for axes in shapes(21) {
        let two = || vec![encodable(&axes), small(&axes)];
        let one = || vec![encodable(&axes)];
        let larger = |x: &[Array]| x[0].zip(&x[1], f64::max);
        cases.push(
            case("maximum", two(), |_, x| maximum(x[0], x[1]), larger, EXACT).gradient(EXACT),
        );
        let smaller = |x: &[Array]| x[0].zip(&x[1], f64::min);
        cases.push(
            case("minimum", two(), |_, x| minimum(x[0], x[1]), smaller, EXACT).gradient(EXACT),
        );
        cases.push(
            case("abs", one(), |_, x| abs(x[0]), |x| x[0].map(f64::abs), EXACT).gradient(EXACT),
        );
        let sign_of = |x: &[Array]| x[0].map(|x| truth(x > 0.0) - truth(x < 0.0));
        cases.push(case("sign", one(), |_, x| sign(x[0]), sign_of, EXACT));
        cases.push(
            case("relu", one(), |_, x| relu(x[0]), |x| x[0].map(|x| x.max(0.0)), EXACT)
                .gradient(EXACT),
        );
        let chosen = |x: &[Array]| {
            let masked = x[0].zip(&x[1], |b, x| if b < 0.0 { x } else { 0.0 });
            masked.zip(&x[0].zip(&x[2], |b, y| if b < 0.0 { 0.0 } else { y }), |x, y| x + y)
        };
        let three = vec![small(&axes), encodable(&axes), small(&axes)];
        cases.push(
            case("select", three, |_, x| select(negative(x[0]), x[1], x[2]), chosen, EXACT)
                .gradient_by(1..3, EXACT),
        );
    }
    cases
}

/// The place of the first of the largest.
fn first(x: &[f64]) -> usize {
    (1..x.len()).fold(0, |best, i| if x[i] > x[best] { i } else { best })
}

fn extremes() -> Vec<Case> {
    let mut cases = Vec::new();
    let all: [(&[usize], usize); 11] = [
        (&[1], 0),
        (&[2], 0),
        (&[8, 3], 0),
        (&[5, 9], 1),
        (&[1, 17], 1),
        (&[3, 1, 2], 1),
        (&[2, 65], 1),
        (&[3, 0], 0),
        (&[2, 3, 5], 2),
        (&[1, 129, 3], 1),
        (&[1000], 0),
    ];
    for (axes, axis) in along(&all, 23) {
        // The limits stand among them more than once, and so do ties in the middle.
        let inputs: [fn(&[usize]) -> Input; 2] = [small, encodable];
        for input in inputs {
            let x = || vec![input(&axes)];
            let at = format!("axis {axis}");
            let largest =
                move |x: &[Array]| x[0].fold(axis, |x| x.iter().copied().fold(f64::MIN, f64::max));
            cases.push(
                case("reduce_max", x(), move |_, x| reduce_max(x[0], axis), largest, EXACT)
                    .note(&at)
                    .gradient(EXACT),
            );
            let smallest =
                move |x: &[Array]| x[0].fold(axis, |x| x.iter().copied().fold(f64::MAX, f64::min));
            cases.push(
                case("reduce_min", x(), move |_, x| reduce_min(x[0], axis), smallest, EXACT)
                    .note(&at)
                    .gradient(EXACT),
            );
            let place = move |x: &[Array]| x[0].fold(axis, |x| first(x) as f64);
            cases.push(case("argmax", x(), move |_, x| argmax(x[0], axis), place, EXACT).note(&at));
            let place = move |x: &[Array]| x[0].map(|x| -x).fold(axis, |x| first(x) as f64);
            cases.push(case("argmin", x(), move |_, x| argmin(x[0], axis), place, EXACT).note(&at));
            let hot = move |x: &[Array]| {
                let places = x[0].fold(axis, |x| first(x) as f64);
                let axes = [&[x[0].axes[axis]], &places.axes[..]].concat();
                Array::of(&axes, |i| truth(places.at(&i[1..]) == i[0] as f64))
            };
            cases.push(
                case("one_hot_max", x(), move |_, x| one_hot_max(x[0], axis), hot, EXACT).note(&at),
            );
        }
    }
    cases
}

/// The items of each lane, in an order.
fn ordered(x: &Array, axis: usize, order: fn(&f64, &f64) -> std::cmp::Ordering) -> Array {
    Array::of(&x.axes, |i| {
        let mut rest = i.to_vec();
        rest.remove(axis);
        let item = |x: &[f64]| {
            let mut x = x.to_vec();
            x.sort_unstable_by(order);
            x[i[axis]]
        };
        x.fold(axis, item).at(&rest)
    })
}

fn sorts() -> Vec<Case> {
    let mut cases = Vec::new();
    let all: [(&[usize], usize); 6] =
        [(&[1], 0), (&[2], 0), (&[0], 0), (&[13], 0), (&[3, 5], 0), (&[3, 5], 1)];
    for (axes, axis) in along(&all, 24) {
        let inputs: [fn(&[usize]) -> Input; 2] = [small, encodable];
        for input in inputs {
            let sorted = move |x: &[Array]| ordered(&x[0], axis, f64::total_cmp);
            let x = vec![input(&axes)];
            cases.push(
                case("sort", x, move |_, x| sort(x[0], axis), sorted, EXACT)
                    .note(format!("axis {axis}"))
                    .gradient(EXACT),
            );
        }
    }
    let all: [(&[usize], usize, usize); 5] =
        [(&[1], 1, 0), (&[5], 2, 0), (&[3, 9], 9, 1), (&[70], 2, 0), (&[3, 0, 2], 2, 2)];
    let mut random = Random::of(25);
    let mut any = || {
        let (axes, axis) = random.along();
        let k = random.among(1..axes[axis] + 1);
        (axes, k, axis)
    };
    let random = [any(), any()];
    let fixed = all.map(|(axes, k, axis)| (axes.to_vec(), k, axis));
    for (axes, k, axis) in fixed.into_iter().chain(random) {
        let largest = move |x: &[Array]| {
            let all = ordered(&x[0], axis, |x, y| y.total_cmp(x));
            let mut to = all.axes.clone();
            to[axis] = k;
            Array::of(&to, |i| all.at(i))
        };
        let x = vec![encodable(&axes)];
        cases.push(
            case("top_k", x, move |_, x| top_k(x[0], k, axis), largest, EXACT)
                .note(format!("{k} along axis {axis}"))
                .gradient(EXACT),
        );
    }
    // Values that are functions of the keys: those of equal keys come in any order.
    for (axes, axis) in along(&[(&[12], 0), (&[1, 3], 0)], 27) {
        cases.push(
            case(
                "sort_by_key",
                vec![small(&axes)],
                move |_, x| sort_by_key(x[0], &[scale(x[0], -3.0)], axis)[1],
                move |x| ordered(&x[0], axis, f64::total_cmp).map(|x| -3.0 * x),
                EXACT,
            )
            .note(format!("axis {axis}"))
            .gradient(EXACT),
        );
    }
    cases
}

fn pools() -> Vec<Case> {
    let mut cases = Vec::new();
    let largest = |window: usize| {
        move |x: &[Array]| {
            let axes = [x[0].axes[0], x[0].axes[1] / window, x[0].axes[2] / window, x[0].axes[3]];
            Array::of(&axes, |i| {
                let pixel = |j: usize| {
                    x[0].at(&[i[0], i[1] * window + j / window, i[2] * window + j % window, i[3]])
                };
                (0..window * window).map(pixel).fold(f64::MIN, f64::max)
            })
        }
    };
    for (axes, window) in pooled(26).into_iter().chain([([1, 3, 2, 1], 1)]) {
        for input in [small(&axes), encodable(&axes)] {
            cases.push(
                case(
                    "max_pool",
                    vec![input],
                    move |_, x| max_pool(x[0], window),
                    largest(window),
                    EXACT,
                )
                .gradient(EXACT),
            );
        }
    }
    cases
}
