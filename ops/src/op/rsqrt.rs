//! `rsqrt(x)`: 1 by the square root.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{mul, scale, square, to_bits};
use crate::approximate::polynomials::{RSQRT_HIGH, RSQRT_LOW};
use crate::approximate::{Scaled, by_width, elementwise, map};
use crate::kernel::Op;
use crate::rules;

/// `1 / √x` of each element, of plaintext floats or of a secret.
///
/// Of a secret x = c·2^e with c in [1, 2), it is a polynomial of c times 2^(−e/2). Source: Lu,
/// Zhang, Bai and Yang, *Faster secure multiparty computation of adaptive gradient descent* (PPMLP
/// 2020), but with the polynomial that errs least.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | 2^-14 to 2^33 | 1e-3 of it, or 4e-5 | 23 | 782.5 |
/// | 128 | 2^-14 to 2^33 | 1e-7 of it, or 1e-9 | 28 | 2121.8 |
///
/// For 0 it is 0, for x below 0 some number.
#[track_caller]
pub fn rsqrt(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`rsqrt()`].
pub static OP: Op = Op::new("rsqrt", Role::Compute, rules::elementwise, |cx, inputs| {
    map(cx, inputs, |x| 1.0 / x.sqrt())
})
.gradient(gradient)
.expand(expand);

/// For y = 1/√x: dx = −dy·y³ / 2.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let half = |dy| scale(mul(dy, mul(square(b.outputs[0]), b.outputs[0])), -0.5);
    vec![b.gradient().map(half)]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| {
        let x = Scaled::by_digits(x, to_bits(x), fixed, |e| (f64::from(-e) / 2.0).exp2());
        x.times_polynomial(by_width(fixed, RSQRT_LOW, RSQRT_HIGH))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread_powers};
    use crate::op::add_constant;
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn is_the_function_of_floats() {
        let x = floats(&[2], &[0.25, 4.0]);
        assert_eq!(value_of(&[x], |_, x| rsqrt(x[0])), [2.0, 0.5]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| rsqrt(add_constant(square(x[0]), 1.0)));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 1e-3, absolute: 4e-5 },
            Accuracy { relative: 1e-7, absolute: 1e-9 },
        ];
        let x = spread_powers(-14.0, 32.9, 6000);
        check_errors(documented, &x, &|x| rsqrt(x), |x| 1.0 / x.sqrt());
    }
}
