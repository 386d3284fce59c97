//! Coefficients of polynomials.
//!
//! All are minimax: the greatest error of the range, relative to the function where it says so, is
//! the least that the degree allows. They come from the exchange algorithm of Remez (*Sur le calcul
//! effectif des polynômes d'approximation de Tchebichef*, 1934), run with 34 digits; the tests here
//! compute the errors anew.

/// 1 / c for c in [1, 2], about the middle, to 3.0e-04 of it.
pub(crate) static RECIPROCAL_LOW: &[f64] = &[
    0.6666666666666666,
    -0.4424620874219447,
    0.2949747249479631,
    -0.22836752899197146,
    0.15224501932798096,
];

/// 1 / c for c in [1, 2], about the middle, to 2.6e-07 of it.
pub(crate) static RECIPROCAL_HIGH: &[f64] = &[
    0.6666666666666666,
    -0.4444413523773744,
    0.29629423491824963,
    -0.1976944001892345,
    0.131796266792823,
    -0.0854894703521014,
    0.05699298023473427,
    -0.05066042687531935,
    0.03377361791687957,
];

/// The root of c for c in [1, 2], about the middle, to 6.9e-05 of it.
pub(crate) static SQRT_LOW: &[f64] =
    &[1.2248228626020485, 0.408007874839972, -0.07052920198900144, 0.024937746396777653];

/// The root of c for c in [1, 2], about the middle, to 1.5e-07 of it.
pub(crate) static SQRT_HIGH: &[f64] = &[
    1.2247449484492032,
    0.40825054532537175,
    -0.06804818239602053,
    0.02260885714738257,
    -0.009351622292972525,
    0.004967221019961832,
    -0.0026672268631706578,
];

/// 1 by the root of c for c in [1, 2], about the middle, to 4.8e-04 of it.
pub(crate) static RSQRT_LOW: &[f64] =
    &[0.8161090911407326, -0.2716132823688031, 0.14814182702182277, -0.08455857524207364];

/// 1 by the root of c for c in [1, 2], about the middle, to 4.8e-08 of it.
pub(crate) static RSQRT_HIGH: &[f64] = &[
    0.8164965869433441,
    -0.27216482772976514,
    0.136081548862942,
    -0.075638256296821,
    0.044139620098903265,
    -0.02594530671615878,
    0.015744707986706723,
    -0.01261841441075339,
    0.00810803929907531,
];

/// ln c for c in [1, 2], about the middle, to 8.7e-06.
pub(crate) static LOG_LOW: &[f64] = &[
    0.4054567856150805,
    0.6666964598600881,
    -0.22163304510045972,
    0.09802684167987398,
    -0.05545991100872809,
    0.031104164478219676,
];

/// ln c for c in [1, 2], about the middle, to 7.1e-10.
pub(crate) static LOG_HIGH: &[f64] = &[
    0.4054651083254564,
    0.666666681403439,
    -0.22222227470226208,
    0.09876426656686695,
    -0.049380611389591655,
    0.026363114758350296,
    -0.014663218181050744,
    0.00813297253915583,
    -0.004666327757607486,
    0.0037526356036387907,
    -0.0023762239351605443,
];

/// 2^c for c in [0, 1], about the middle, to 7.5e-05 of it.
pub(crate) static EXP2_LOW: &[f64] =
    &[1.4141118464088627, 0.9804191263810412, 0.3431039430938233, 0.07802438029535123];

/// 2^c for c in [0, 1], about the middle, to 1.9e-09 of it.
pub(crate) static EXP2_HIGH: &[f64] = &[
    1.4142135631569313,
    0.9802581790731563,
    0.339731530356405,
    0.07849350234021774,
    0.013602597660600891,
    0.0018950363957885299,
    0.00021702222961802537,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::spread;

    #[test]
    fn errors_are_those_that_are_documented() {
        type Function = fn(f64) -> f64;
        type Documented<'a> = (&'a [f64], f64);
        let unit: Function = |_| 1.0;
        let rsqrt: Function = |x| 1.0 / x.sqrt();
        let recip: Function = f64::recip;
        let all: [(Function, Function, f64, [Documented<'_>; 2]); 5] = [
            (recip, recip, 1.0, [(RECIPROCAL_LOW, 3.0e-4), (RECIPROCAL_HIGH, 2.6e-7)]),
            (f64::sqrt, f64::sqrt, 1.0, [(SQRT_LOW, 6.96e-5), (SQRT_HIGH, 1.46e-7)]),
            (rsqrt, rsqrt, 1.0, [(RSQRT_LOW, 4.8e-4), (RSQRT_HIGH, 4.85e-8)]),
            (f64::ln, unit, 1.0, [(LOG_LOW, 8.7e-6), (LOG_HIGH, 7.1e-10)]),
            (f64::exp2, f64::exp2, 0.0, [(EXP2_LOW, 7.5e-5), (EXP2_HIGH, 1.86e-9)]),
        ];
        for (function, weight, from, polynomials) in all {
            for (coefficients, documented) in polynomials {
                let error = |x: &f64| {
                    let y = coefficients.iter().rev().fold(0.0, |y, c| y * (x - from - 0.5) + c);
                    ((y - function(*x)) / weight(*x)).abs()
                };
                let worst = spread(from, from + 1.0, 5000).iter().map(error).fold(0.0, f64::max);
                let range = documented * 0.95..=documented;
                assert!(range.contains(&worst), "{worst:e} is not {documented:e}");
            }
        }
    }
}
