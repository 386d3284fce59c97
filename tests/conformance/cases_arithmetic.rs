//! Sums, multiples, products.

use sordino::prelude::*;

use super::{
    Array, Bound, Case, EXACT, Random, along, case, encodable, pairs, shapes, small, units, within,
};

/// A product errs by less than a unit, and so does a truncated sum.
const TRUNCATED: Bound = units(1.0);

/// Pairs of shapes that are repeated to one.
const PAIRS: [(&[usize], &[usize]); 9] = [
    (&[], &[]),
    (&[5], &[]),
    (&[0], &[1]),
    (&[1, 7], &[5, 1]),
    (&[3, 5], &[5]),
    (&[2, 1, 3], &[7, 1]),
    (&[11], &[11]),
    (&[1, 1], &[3, 3]),
    (&[2, 0, 3], &[1, 3]),
];

/// How many elements one stands for, at most, where two tensors are repeated to one shape.
fn repeats(x: &[usize], y: &[usize]) -> usize {
    let zeros = |axes: &[usize]| Array::of(axes, |_| 0.0);
    let all = zeros(x).zip(&zeros(y), |x, _| x).elements.len();
    [x, y].map(|axes| all / axes.iter().product::<usize>().max(1)).into_iter().max().unwrap_or(1)
}

pub fn cases() -> Vec<Case> {
    [sums(), multiples(), products(), matrices(), reductions()].into_iter().flatten().collect()
}

fn sums() -> Vec<Case> {
    let mut cases = Vec::new();
    for [x, y] in pairs(&PAIRS, 6) {
        for input in [small, encodable] {
            let inputs = || vec![input(&x), input(&y)];
            cases.push(
                case(
                    "add",
                    inputs(),
                    |_, x| add(x[0], x[1]),
                    |x| x[0].zip(&x[1], |x, y| x + y),
                    EXACT,
                )
                .gradient(EXACT),
            );
            cases.push(
                case(
                    "sub",
                    inputs(),
                    |_, x| sub(x[0], x[1]),
                    |x| x[0].zip(&x[1], |x, y| x - y),
                    EXACT,
                )
                .gradient(EXACT),
            );
        }
    }
    for axes in shapes(1) {
        let inputs = vec![encodable(&axes), encodable(&axes), small(&axes)];
        let sum = |x: &[Array]| x[0].zip(&x[1], |x, y| x + y).zip(&x[2], |x, y| x + y);
        cases.push(case("add_n", inputs, |_, x| add_n(x.to_vec()), sum, EXACT).gradient(EXACT));
        let of = |input: fn(&[usize]) -> super::Input| vec![input(&axes)];
        cases.push(
            case("neg", of(encodable), |_, x| neg(x[0]), |x| x[0].map(|x| -x), EXACT)
                .gradient(EXACT),
        );
        cases.push(
            case(
                "add_constant",
                of(small),
                |_, x| add_constant(x[0], -2.5),
                |x| x[0].map(|x| x - 2.5),
                EXACT,
            )
            .gradient(EXACT),
        );
    }
    // Room for 2^12 terms of the largest.
    cases.push(
        case(
            "add_n",
            vec![encodable(&[9])],
            |_, x| add_n(vec![add_n(vec![x[0]; 64]); 64]),
            |x| x[0].map(|x| x * 4096.0),
            EXACT,
        )
        .note("many"),
    );
    for axes in rows(&[&[1, 3], &[5, 3], &[2, 0, 3], &[2, 1, 5, 3]], 7) {
        let inputs = vec![encodable(&axes), small(&axes[axes.len() - 1..])];
        let sum = |x: &[Array]| x[0].zip(&x[1], |x, y| x + y);
        cases.push(
            case("add_bias", inputs, |_, x| add_bias(x[0], x[1]), sum, EXACT).gradient(EXACT),
        );
    }
    cases.push(case(
        "constant",
        vec![small(&[3])],
        |g, x| add_n([x[0], constant(g, x[0].place().unwrap(), &[0.5, -1.0, 3.0], &[3])]),
        |x| x[0].zip(&Array { axes: vec![3], elements: vec![0.5, -1.0, 3.0] }, |x, y| x + y),
        EXACT,
    ));
    cases.push(case(
        "constant_of",
        vec![small(&[2, 3])],
        |g, x| add_n([x[0], constant_of(g, x[0].place().unwrap(), &[1.5], &x[0].ty().unwrap())]),
        |x| x[0].map(|x| x + 1.5),
        EXACT,
    ));
    cases.push(case(
        "zeros",
        vec![small(&[2, 3])],
        |g, x| concat([x[0], zeros(g, x[0].place().unwrap(), &[1, 3])], 0),
        |x| Array::of(&[3, 3], |i| if i[0] < 2 { x[0].at(i) } else { 0.0 }),
        EXACT,
    ));
    cases
}

fn multiples() -> Vec<Case> {
    let mut cases = Vec::new();
    for axes in shapes(2) {
        // Kept from the reveal by a sum, which would take the factor.
        for (factor, bound) in [(-3.0, EXACT), (0.0, EXACT), (0.7, units(3.0)), (-1e-3, units(3.0))]
        {
            cases.push(
                case(
                    "scale",
                    vec![small(&axes)],
                    move |_, x| add_n([scale(x[0], factor), x[0]]),
                    move |x| x[0].map(|x| x * factor + x),
                    bound,
                )
                .note(factor.to_string())
                .gradient(bound),
            );
        }
        cases.push(
            case(
                "mul_constant",
                vec![small(&axes)],
                |_, x| mul_constant(x[0], 1.5),
                |x| x[0].map(|x| x * 1.5),
                TRUNCATED,
            )
            .gradient(TRUNCATED),
        );
        cases.push(
            case(
                "div_constant",
                vec![small(&axes)],
                |_, x| div_constant(x[0], -4.0),
                |x| x[0].map(|x| x / -4.0),
                TRUNCATED,
            )
            .gradient(TRUNCATED),
        );
        let weighed = |x: &[Array]| x[0].zip(&x[1], |x, y| 0.3 * x - 2.25 * y + 7.0);
        // A unit for the truncation, and half a one times |x| for each weight.
        cases.push(
            case(
                "weighted_sum",
                vec![small(&axes), small(&axes)],
                |_, x| weighted_sum(x, &[0.3, -2.25], 7.0),
                weighed,
                units(5.0),
            )
            .gradient(units(2.0)),
        );
        let polynomial_of = |x: &[Array]| x[0].map(|x| ((0.5 * x - 0.25) * x - 1.0) * x + 2.0);
        // x² errs by a unit and x³ by five; a quarter and a half of these, and the truncation.
        cases.push(
            case(
                "polynomial",
                vec![small(&axes)],
                |_, x| polynomial(x[0], &[2.0, -1.0, -0.25, 0.5]),
                polynomial_of,
                units(4.0),
            )
            .gradient(units(8.0)),
        );
    }
    for (factor, limit) in [(0.3, 1e4), (1.0 / 3.0, 3e4)] {
        // |x| times half a unit of the factor's encoding.
        let bound = units(limit / 2.0 + 1.0);
        cases.push(
            case(
                "scale",
                vec![within(limit, &[3, 5])],
                move |_, x| add_n([scale(x[0], factor), x[0]]),
                move |x| x[0].map(|x| x * factor + x),
                bound,
            )
            .note(format!("{factor} of large numbers")),
        );
    }
    cases
}

fn products() -> Vec<Case> {
    let mut cases = Vec::new();
    for [x, y] in pairs(&PAIRS, 8) {
        // A unit for each product that a gradient is the sum of.
        let gradient = units(16.0f64.max(1.0 + repeats(&x, &y) as f64));
        // Below 2^30, the most that a product of 64 bits may have.
        for m in [4.0, 30_000.0] {
            cases.push(
                case(
                    "mul",
                    vec![within(m, &x), within(m, &y)],
                    |_, x| mul(x[0], x[1]),
                    |x| x[0].zip(&x[1], |x, y| x * y),
                    TRUNCATED,
                )
                .note(m.to_string())
                .gradient(gradient),
            );
        }
    }
    for axes in shapes(3) {
        cases.push(
            case(
                "square",
                vec![within(30_000.0, &axes)],
                |_, x| square(x[0]),
                |x| x[0].map(|x| x * x),
                TRUNCATED,
            )
            .gradient(units(4.0)),
        );
        for n in [0, 1, 2, 5] {
            // |x| ≤ 1.5: x⁴ errs by 2.25 · 2 + 1, and x⁵ by half as much again and 1.
            let case = case(
                "pow",
                vec![within(1.5, &axes)],
                move |_, x| pow(x[0], n),
                move |x| x[0].map(|x| x.powi(n as i32)),
                units(10.0),
            )
            .note(n.to_string());
            // x⁰ does not depend on x.
            cases.push(if n == 0 { case } else { case.gradient(units(40.0)) });
        }
        let sum = |x: &[Array]| x[0].zip(&x[1], |x, y| (x * y + x * x) / 4.0);
        cases.push(
            case(
                "sum_of_products",
                vec![small(&axes), small(&axes)],
                |_, x| sum_of_products(&[(x[0], x[1]), (x[0], x[0])], 2),
                sum,
                TRUNCATED,
            )
            .gradient(units(4.0)),
        );
    }
    let all: [(&[usize], usize); 5] =
        [(&[7], 0), (&[1, 3], 0), (&[3, 5], 1), (&[2, 0], 1), (&[2, 3, 4], 1)];
    for (axes, axis) in along(&all, 9) {
        // A unit for each product, as no number is larger than 1.
        let case = case(
            "prod",
            vec![within(1.0, &axes)],
            move |_, x| prod(x[0], axis),
            move |x| x[0].fold(axis, |x| x.iter().product()),
            units(6.0),
        );
        // The product of nothing depends on nothing.
        let nothing = axes[axis] == 0;
        cases.push(if nothing { case } else { case.gradient(units(16.0)) });
    }
    cases
}

/// Tensors of rows, and random ones.
fn rows(fixed: &[&[usize]], seed: u64) -> Vec<Vec<usize>> {
    let last: Vec<_> = fixed.iter().map(|&axes| (axes, axes.len() - 1)).collect();
    along(&last, seed).into_iter().map(|(axes, _)| axes).collect()
}

fn matrices() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut random = Random::of(4);
    let mut size = || random.among(1..10);
    let mut sizes =
        vec![[1, 1, 1], [1, 5, 1], [3, 1, 7], [0, 3, 2], [3, 0, 2], [13, 11, 1], [5, 9, 7]];
    sizes.extend((0..3).map(|_| [size(), size(), size()]));
    for [m, k, n] in sizes {
        let product = move |x: &[Array]| {
            Array::of(&[m, n], |i| (0..k).map(|j| x[0].at(&[i[0], j]) * x[1].at(&[j, i[1]])).sum())
        };
        cases.push(
            case(
                "matmul",
                vec![within(1000.0, &[m, k]), within(1000.0, &[k, n])],
                |_, x| matmul(x[0], x[1]),
                product,
                TRUNCATED,
            )
            .gradient(units(16.0)),
        );
    }
    cases
}

fn reductions() -> Vec<Case> {
    let mut cases = Vec::new();
    let all: [(&[usize], &[usize]); 7] = [
        (&[], &[]),
        (&[7], &[0]),
        (&[1, 5], &[0]),
        (&[3, 5], &[0, 1]),
        (&[2, 0, 3], &[1]),
        (&[2, 3, 5], &[2, 0]),
        (&[0], &[0]),
    ];
    let mut random = Random::of(13);
    let mut some = || {
        let axes = random.axes();
        let along = (0..axes.len()).filter(|_| random.among(0..2) == 0).collect();
        (axes, along)
    };
    let random: [(Vec<usize>, Vec<usize>); 3] = [some(), some(), some()];
    let fixed = all.map(|(axes, along)| (axes.to_vec(), along.to_vec()));
    for (axes, along) in fixed.into_iter().chain(random) {
        for keep in [false, true] {
            let (all, gone) = (axes.clone(), along.clone());
            let sum = move |x: &[Array]| {
                let kept: Vec<_> =
                    (0..all.len()).map(|i| if gone.contains(&i) { 1 } else { all[i] }).collect();
                let mut sorted = gone.clone();
                sorted.sort_unstable();
                let sum = sorted
                    .iter()
                    .rev()
                    .fold(x[0].clone(), |x, &axis| x.fold(axis, |x| x.iter().sum()));
                if keep { sum.reshaped(&kept) } else { sum }
            };
            let (mean, by) = (sum.clone(), along.clone());
            cases.push(
                case(
                    "reduce_sum",
                    vec![encodable(&axes)],
                    move |_, x| reduce_sum(x[0], &by, keep),
                    sum,
                    EXACT,
                )
                .note(format!("{along:?} {keep}"))
                .gradient(EXACT),
            );
            let count = along.iter().map(|&axis| axes[axis]).product::<usize>();
            if count > 0 {
                let by = along.clone();
                // The factor 1/n is encoded: half a unit times a sum of up to 4n, and the truncation.
                cases.push(
                    case(
                        "reduce_mean",
                        vec![small(&axes)],
                        move |_, x| reduce_mean(x[0], &by, keep),
                        move |x| mean(x).map(|x| x / count as f64),
                        units(2.0 * count as f64 + 1.0),
                    )
                    .note(format!("{along:?} {keep}"))
                    .gradient(units(2.5)),
                );
            }
        }
    }
    for axes in rows(&[&[1, 7], &[5, 3], &[0, 3], &[2, 3, 5]], 14) {
        let sum = |x: &[Array]| {
            let c = *x[0].axes.last().unwrap();
            let rows = x[0].axes[..x[0].axes.len() - 1].iter().product();
            x[0].reshaped(&[rows, c]).fold(0, |x| x.iter().sum())
        };
        cases.push(case("sum_rows", vec![encodable(&axes)], |_, x| sum_rows(x[0]), sum, EXACT));
    }
    let all: [(&[usize], usize); 5] =
        [(&[7], 0), (&[3, 5], 0), (&[3, 5], 1), (&[1, 1], 1), (&[2, 0, 3], 1)];
    for (axes, axis) in along(&all, 15) {
        let running = move |x: &[Array]| {
            Array::of(&x[0].axes, |i| {
                (0..=i[axis])
                    .map(|k| {
                        let mut i = i.to_vec();
                        i[axis] = k;
                        x[0].at(&i)
                    })
                    .sum()
            })
        };
        cases.push(
            case("cumsum", vec![encodable(&axes)], move |_, x| cumsum(x[0], axis), running, EXACT)
                .note(axis.to_string())
                .gradient(EXACT),
        );
    }
    cases
}
