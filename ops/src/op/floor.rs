//! `floor(x)`: whole numbers not above.

use sordino_graph::{Expanding, Role, Value};

use super::to_bits::format;
use super::{add_n, bit_to_number, negative, scale};
use crate::approximate::map;
use crate::kernel::Op;
use crate::rules;

/// `⌊x⌋`, the largest whole number that is not above `x`: plaintext floats or a secret. No
/// gradient.
///
/// Exact, also of secrets, in the whole range that can be encoded. A truncation by all fractional
/// bits gives a whole number less than 1 away, so the one below or the one above, and `x` itself if
/// that is whole; a comparison of both says whether it is the one above.
///
/// Source: Python array API 2023.12, `floor`.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 9 | 84.5 |
/// | 128 | all | exact | 9 | 172.1 |
#[track_caller]
pub fn floor(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// `⌈x⌉ = −⌊−x⌋`, the smallest whole number that is not below `x`: as [`floor()`].
///
/// Source: Python array API 2023.12, `ceil`.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 9 | 84.5 |
/// | 128 | all | exact | 9 | 172.1 |
#[track_caller]
pub fn ceil(x: Value<'_>) -> Value<'_> {
    scale(floor(scale(x, -1.0)), -1.0)
}

/// See [`floor()`].
pub static OP: Op =
    Op::new("floor", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, f64::floor))
        .expand(|e: &Expanding<'_, '_>| vec![below(e.inputs[0])]);

/// The largest whole number that is not above a secret.
fn below(x: Value<'_>) -> Value<'_> {
    let fraction = format(x).fraction();
    let mut near = scale(x, (-f64::from(fraction)).exp2());
    // In steps that secrets can be multiplied by.
    for step in (0..fraction).step_by(8) {
        near = scale(near, f64::from(8.min(fraction - step)).exp2());
    }
    let is_above = negative(add_n([x, scale(near, -1.0)]));
    add_n([near, scale(bit_to_number(is_above), -1.0)])
}

#[cfg(test)]
mod tests {
    use sordino_graph::Fixed;

    use super::*;
    use crate::data::random::SplitMix64;
    use crate::op::{concat, round};
    use crate::protocol::testing::revealed;
    use crate::testing::{floats, value_of};

    #[test]
    fn of_floats() {
        let x = || [floats(&[5], &[-1.5, -1.0, 0.0, 0.99, 2.5])];
        assert_eq!(value_of(&x(), |_, x| floor(x[0])), [-2.0, -1.0, 0.0, 0.0, 2.0]);
        assert_eq!(value_of(&x(), |_, x| ceil(x[0])), [-1.0, -1.0, 0.0, 1.0, 3.0]);
    }

    #[test]
    fn of_secrets_it_is_exact() {
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let unit = (-f64::from(fixed.fraction())).exp2();
            let limit = 2f64.powi(33);
            let mut x = vec![0.0, unit, -unit, 1.0, -1.0, 1.0 - unit, unit - 1.0, 0.5, -0.5];
            x.extend([0.5 - unit, -0.5 - unit, limit, -limit, limit - unit, unit - limit]);
            let mut random = SplitMix64::new(2);
            x.extend((0..500).map(|_| ((random.unit() - 0.5) * 1e6 / unit).round() * unit));
            let inputs: [(&[usize], _); 1] = [(&[x.len()], x.clone())];
            let y = revealed("ABY3", fixed, &inputs, &|_, x| {
                concat([floor(x[0]), ceil(x[0]), round(x[0])], 0)
            });
            let whole = [f64::floor, f64::ceil, |x: f64| (x + 0.5).floor()];
            let expected = whole.iter().flat_map(|whole| x.iter().map(|&x| whole(x)));
            for ((&x, y), expected) in x.iter().cycle().zip(y).zip(expected) {
                // Reveals give f32 in the narrower ring.
                let near = expected.abs() * if fixed == Fixed::LOW { 1e-7 } else { 0.0 };
                assert!((y - expected).abs() <= near, "{x} gives {y}, not {expected} {fixed}");
            }
        }
    }
}
