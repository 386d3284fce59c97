//! `floor(x)`: whole numbers not above.

use sordino_graph::{Expanding, OpSpec, Role, Signature, Type, TypeError, Value};

use super::to_bits::format;
use super::{add_n, bit_to_number, negative, scale};
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::Real;
use crate::truth::expect_open_number;
use crate::value::{Tensor, slice_mut};

/// The largest whole number that is not above `x`: plaintext floats or a secret. No gradient.
///
/// Exact, also of secrets, in the whole range that can be encoded. A truncation by all fractional
/// bits gives a whole number less than 1 away, so the one below or the one above, and `x` itself if
/// that is whole; a comparison of both says whether it is the one above. That is 10 rounds and 86
/// bytes at 64 bits, 11 and 184 at 128.
#[track_caller]
pub fn floor(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// The smallest whole number that is not below `x`: as [`floor`].
#[track_caller]
pub fn ceil(x: Value<'_>) -> Value<'_> {
    scale(floor(scale(x, -1.0)), -1.0)
}

/// See [`floor()`].
pub static OP: Op = Op {
    spec: OpSpec { name: "floor", role: Role::Compute, attributes: &[], infer, gradient: None },
    kernel: |cx, inputs| map(cx, inputs, f64::floor),
    accumulate: None,
    expand: Some(|e: &Expanding<'_, '_>| vec![below(e.inputs[0])]),
};

pub(super) fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    Ok(vec![expect_open_number(x)?.clone()])
}

/// The largest whole number that is not above a secret.
fn below(x: Value<'_>) -> Value<'_> {
    let unit = f64::from(format(x).fraction()).exp2();
    let near = scale(scale(x, 1.0 / unit), unit);
    let is_above = negative(add_n([x, scale(near, -1.0)]));
    add_n([near, scale(bit_to_number(is_above), -1.0)])
}

/// A function of each float.
pub(super) fn map(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
    function: impl Fn(f64) -> f64,
) -> Result<Vec<Tensor>, KernelError> {
    fn each<T: Real>(x: &mut [T], function: impl Fn(f64) -> f64) {
        x.iter_mut().for_each(|x| *x = T::from_f64(function(x.to_f64())));
    }
    let [mut x] = cx.inputs(inputs)?;
    match &mut x {
        Tensor::F32(x) => each(slice_mut(x), function),
        Tensor::F64(x) => each(slice_mut(x), function),
        _ => return cx.bug("got no floats"),
    }
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{floats, value_of};

    #[test]
    fn of_floats() {
        let x = || [floats(&[5], &[-1.5, -1.0, 0.0, 0.99, 2.5])];
        assert_eq!(value_of(&x(), |_, x| floor(x[0])), [-2.0, -1.0, 0.0, 0.0, 2.0]);
        assert_eq!(value_of(&x(), |_, x| ceil(x[0])), [-1.0, -1.0, 0.0, 1.0, 3.0]);
    }
}
