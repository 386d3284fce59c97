//! `reciprocal(x)`: 1 / x.

use sordino_graph::{Backward, Expanding, Role, Value};

use super::{mul, neg, polynomial, square};
use crate::approximate::polynomials::{RECIPROCAL_HIGH, RECIPROCAL_LOW};
use crate::approximate::{Scaled, by_width, elementwise, separated};
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `1 / x` of each element, of plaintext floats or of a secret.
///
/// Of a secret |x| = c·2^e with c in [1, 2), it is a polynomial of c times 2^-e, with the sign of
/// x. Source: Catrina and Saxena, *Secure computation with fixed-point numbers* (FC 2010), with the
/// polynomial that errs least in the place of iterations.
///
/// | bits | for x in | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | ±2^-14 to ±2^33 | 6e-4 of it, or 3e-5 | 23 | 868.5 |
/// | 128 | ±2^-14 to ±2^33 | 4e-7 of it, or 2e-9 | 28 | 2249.8 |
///
/// For 0 it is 0.
#[track_caller]
pub fn reciprocal(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`reciprocal()`].
pub static OP: Op = Op::new("reciprocal", Role::Compute, rules::elementwise, kernel)
    .gradient(gradient)
    .expand(expand);

/// For y = 1 / x: dx = −dy·y².
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient().map(|dy| neg(mul(dy, square(b.outputs[0]))))]
}

fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    elementwise(e, |x, fixed| {
        let (sign, words) = separated(x, fixed);
        let x = sign.times(x);
        let x = Scaled::by_digits(x, words, fixed, |e| f64::from(-e).exp2());
        let significand = polynomial(x.centred, by_width(fixed, RECIPROCAL_LOW, RECIPROCAL_HIGH));
        mul(significand, sign.times(x.of_exponent))
    })
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => run::<T>(cx, x))
}

fn run<T: Item + Float>(cx: &Context<'_>, mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    cx.items_mut::<T>(&mut x)?.iter_mut().for_each(|x| *x = T::ONE / *x);
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::approximate::testing::{Accuracy, check_errors, spread_powers};
    use crate::op::{add_constant, square};
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn inverts() {
        let x = floats(&[3], &[2.0, -0.25, 0.0]);
        assert_eq!(value_of(&[x], |_, x| reciprocal(x[0])), [0.5, -4.0, f64::INFINITY]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| reciprocal(add_constant(square(x[0]), 1.0)));
    }

    #[test]
    fn errs_as_documented() {
        let documented = [
            Accuracy { relative: 6e-4, absolute: 3e-5 },
            Accuracy { relative: 4e-7, absolute: 2e-9 },
        ];
        let positive = spread_powers(-14.0, 32.9, 4000);
        let negative = positive.iter().map(|x| -x);
        let x = [positive.clone(), negative.collect(), vec![1.0, -1.0, 2.0, -4.0]].concat();
        check_errors(documented, &x, &|x| reciprocal(x), |x| 1.0 / x);
    }
}
