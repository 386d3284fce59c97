//! How accurate functions of secrets are where models need them, whatever each page says beyond that.
//!
//! At 64 bits `sigmoid` and `tanh` err by 2^-10 at most, everywhere. The others err by a 2^-9th of the
//! result or by 2^-13, whichever is larger, for arguments of 2^-6 to 2^10; `exp` for -12 to 10. At 128
//! bits all err by a 2^-20th of the result or by 2^-28. What the encoding of an argument costs is in it.

mod common;

use common::{mnist, model_owner, one_owner, published};
use sordino::graph::{Element, Shape, Type};
use sordino::prelude::*;

type Function1 = for<'r> fn(Value<'r>) -> Value<'r>;

/// A function, where it is looked at, and what it should give there.
struct Sweep {
    name: &'static str,
    function: Function1,
    exact: fn(&[f64]) -> Vec<f64>,
    x: Vec<f64>,
    /// Length of rows that are one argument.
    row: usize,
}

/// `n` numbers from `from` to `to`, both included, at equal distances.
fn linear(from: f64, to: f64, n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| from + (to - from) * i as f64 / (n - 1) as f64)
}

/// Powers of 2 with exponents from `from` to `to`, both included.
fn powers(from: f64, to: f64, n: usize) -> impl Iterator<Item = f64> {
    linear(from, to, n).map(f64::exp2)
}

fn both_signs(x: impl Iterator<Item = f64>) -> Vec<f64> {
    x.flat_map(|x| [x, -x]).collect()
}

/// Rows of logits of which few or many count, near each other and far apart.
fn rows() -> Vec<f64> {
    let mut state = 7u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let logit = |i: usize| {
        let highest = [-3.0, 0.0, 2.0, 10.0][i / 10 % 4];
        let magnitude = (-6.0 + (highest + 6.0) * unit()).exp2();
        if unit() < 0.5 { -magnitude } else { magnitude }
    };
    (0..16_000).map(logit).collect()
}

fn softmax_of(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = x.iter().map(|x| (x - largest).exp()).sum();
    x.iter().map(|x| (x - largest).exp() / sum).collect()
}

fn sweeps() -> Vec<Sweep> {
    let of = |name, function, exact, x| Sweep { name, function, exact, x, row: 1 };
    let positive: Vec<f64> = powers(-6.0, 10.0, 16_001).collect();
    let signed = both_signs(positive.iter().copied());
    let near: Vec<f64> = linear(-25.0, 25.0, 16_001).collect();
    let all = [near, both_signs(powers(-16.0, 33.0, 4001))].concat();
    vec![
        of("sigmoid", sigmoid, |x| vec![1.0 / (1.0 + (-x[0]).exp())], all.clone()),
        of("tanh", tanh, |x| vec![x[0].tanh()], all),
        of("exp", exp, |x| vec![x[0].exp()], linear(-12.0, 10.0, 16_001).collect()),
        of("log", log, |x| vec![x[0].ln()], positive.clone()),
        of("reciprocal", reciprocal, |x| vec![x[0].recip()], signed),
        of("sqrt", sqrt, |x| vec![x[0].sqrt()], positive.clone()),
        of("rsqrt", rsqrt, |x| vec![x[0].sqrt().recip()], positive),
        Sweep { name: "softmax", function: softmax, exact: softmax_of, x: rows(), row: 10 },
    ]
}

/// The error that a result may have.
fn bound(fixed: Fixed, name: &str, exact: f64) -> f64 {
    let power = |n: i32| 2f64.powi(n);
    match (fixed, name) {
        (Fixed::LOW, "sigmoid" | "tanh") => power(-10),
        (Fixed::LOW, _) => power(-13).max(power(-9) * exact.abs()),
        _ => power(-28).max(power(-20) * exact.abs()),
    }
}

#[test]
fn functions_are_as_accurate_as_models_need() {
    let sweeps = sweeps();
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        let mut session = Session::local(one_owner(fixed), mnist(), None).unwrap();
        let function = Function::new("sweeps", "", |g| {
            for Sweep { name, function, x, row, .. } in &sweeps {
                let axes = if *row == 1 { vec![x.len()] } else { vec![x.len() / row, *row] };
                let ty = Type::plain(Element::F64, Shape::new(&axes).unwrap());
                let secret = share(constant_of(g, model_owner(), x, &ty));
                publish(name, reveal(function(secret), &model_owner()));
            }
        });
        let run = session.run(&function, 1).unwrap();
        for Sweep { name, exact, x, row, .. } in &sweeps {
            let exact = x.chunks(*row).flat_map(exact);
            let errors = exact.zip(published(&run, name)[0]).map(|(exact, result)| {
                assert!(result.is_finite(), "{name} {fixed}");
                (result - exact).abs() / bound(fixed, name, exact)
            });
            let worst = errors.fold(0.0, f64::max);
            // An error of nothing would be that of a plaintext.
            assert!((0.001..=1.0).contains(&worst), "{name} errs by {worst} of its bound, {fixed}");
        }
    }
}
