//! Functions of secrets from comparisons, digits and polynomials.
//!
//! The plan is that of Catrina and Saxena, *Secure computation with fixed-point numbers* (FC 2010),
//! and of Aly and Smart, *Benchmarking privacy preserving scientific operations* (ACNS 2019): bring
//! the argument into a small range, take a polynomial there, and scale back. Here all numbers that
//! depend on where the argument was (scales, coefficients, constants) come from the same bits by one
//! conversion, [`weigh_bits()`](crate::op::weigh_bits()); the multiples of the powers are truncated
//! once, [`weighted_sum()`](crate::op::weighted_sum()); and so are products with coefficients,
//! [`sum_of_products()`](crate::op::sum_of_products()).
//!
//! A `piecewise` function takes one comparison with all thresholds at once, the conversion, the
//! powers of the argument, and one product. What is `Scaled` by digits takes these, a layer of AND
//! for each bit of the place of the first digit, the conversion and one product; by comparisons, for
//! a range that is known and small, one comparison, the conversion and one product. What each
//! function costs in all is on its page.

mod normalise;
pub(crate) mod polynomials;
pub(crate) mod segments;

pub(crate) use normalise::{Scaled, separated};

use sordino_graph::{Expanding, Fixed, Type, Value, Width};

use crate::kernel::{Context, KernelError};
use crate::op::weighted_sum::sum_with_any;
use crate::op::{add_n, concat, mul, negative, reshape, square, sum_of_products, weigh_bits};
use crate::tensor::fixed::Real;
use crate::value::Tensor;

/// A function that is a polynomial between thresholds.
pub(crate) struct Piecewise {
    /// In ascending order.
    pub(crate) thresholds: &'static [f64],
    /// What each segment's argument is counted from; one more than thresholds.
    pub(crate) centers: &'static [f64],
    /// Of each segment, the lowest power first; as many of each.
    pub(crate) coefficients: &'static [&'static [f64]],
}

/// One of two, by the width of the ring.
pub(crate) fn by_width<T>(fixed: Fixed, low: T, high: T) -> T {
    match fixed.width() {
        Width::W64 => low,
        Width::W128 => high,
    }
}

/// Records a function of one input: `function` sees the elements on one axis.
pub(crate) fn elementwise<'r>(
    e: &Expanding<'_, 'r>,
    function: impl FnOnce(Value<'r>, Fixed) -> Value<'r>,
) -> Vec<Value<'r>> {
    let Some(fixed) = e.ty().fixed() else { return vec![e.inputs[0]] };
    let shape = &e.ty().shape;
    let y = function(reshape(e.inputs[0], &[shape.elements()]), fixed);
    vec![reshape(y, shape.axes())]
}

/// The function of each element of plaintext floats.
pub(crate) fn map(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
    function: fn(f64) -> f64,
) -> Result<Vec<Tensor>, KernelError> {
    fn run<T: Real>(x: &mut [T], function: fn(f64) -> f64) {
        x.iter_mut().for_each(|x| *x = T::from_f64(function(x.to_f64())));
    }
    let [mut x] = cx.inputs(inputs)?;
    match &mut x {
        Tensor::F32(x) => run(crate::value::slice_mut(x), function),
        Tensor::F64(x) => run(crate::value::slice_mut(x), function),
        _ => return cx.bug("got no floats"),
    }
    Ok(vec![x])
}

/// x, x², … up to the power `n`, of which ⌈log₂ n⌉ products are one after the other.
pub(crate) fn powers(x: Value<'_>, n: usize) -> Vec<Value<'_>> {
    let mut powers = vec![x];
    for n in 2..=n {
        let half = n.next_power_of_two() / 2;
        let (x, y) = (powers[half - 1], powers[n - half - 1]);
        powers.push(if n == 2 * half { square(x) } else { mul(x, y) });
    }
    powers
}

/// Whether each element of `x`, `[n]`, is below each of the thresholds: `bits1[m,n]`, all by one
/// comparison.
pub(crate) fn below<'r>(x: Value<'r>, thresholds: &[f64]) -> Value<'r> {
    let n = length(x);
    let less = |threshold: &f64| reshape(sum_with_any(&[x], &[1.0], -threshold), &[1, n]);
    negative(concat(thresholds.iter().map(less), 0))
}

/// Elements of `x`, which has one axis.
fn length(x: Value<'_>) -> usize {
    x.ty().map_or(0, |ty: Type| ty.shape.elements())
}

/// What a row of [`weigh_bits()`] takes to give, for bits that say of each of n thresholds whether
/// a number is below it, `values[i]` between the thresholds i − 1 and i: weights and constant.
///
/// The values are rounded first, as the weights are their differences, which must add up.
pub(crate) fn steps(values: &[f64], fixed: Fixed) -> (Vec<f64>, f64) {
    let unit = (1u64 << fixed.fraction()) as f64;
    let values: Vec<f64> = values.iter().map(|value| (value * unit).round() / unit).collect();
    let weights = values.windows(2).map(|pair| pair[0] - pair[1]).collect();
    (weights, values.last().copied().unwrap_or_default())
}

/// The function of the elements of `x`, `[n]`.
///
/// Coefficients are held 2^shift times as large as they are until they are multiplied: powers of
/// the argument are large where it is. In the outer segments, where powers of any argument may
/// overflow, coefficients are exactly 0, and so are products with them.
pub(crate) fn piecewise<'r>(x: Value<'r>, function: &Piecewise, fixed: Fixed) -> Value<'r> {
    let shift: u32 = by_width(fixed, 14, 16);
    let unit = f64::from(1u32 << shift);
    let degree = function.coefficients[0].len() - 1;
    let centred = function.centers.iter().all(|&center| center == 0.0);
    let mut rows = vec![function.coefficients.iter().map(|c| c[0]).collect::<Vec<_>>()];
    for power in 1..=degree {
        rows.push(function.coefficients.iter().map(|c| c[power] * unit).collect());
    }
    if !centred {
        rows.push(function.centers.iter().map(|center| -center).collect());
    }
    let rows: Vec<_> = rows.iter().map(|values| steps(values, fixed)).collect();
    let (weights, constants): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
    let rows = weigh_bits(below(x, function.thresholds), fixed, &weights, &constants);
    let argument = if centred { x } else { add_n([x, rows[degree + 1]]) };
    let powers = powers(argument, degree);
    let pairs: Vec<_> = powers.into_iter().zip(rows[1..=degree].iter().copied()).collect();
    add_n([rows[0], sum_of_products(&pairs, shift)])
}

#[cfg(test)]
pub(crate) mod testing;
