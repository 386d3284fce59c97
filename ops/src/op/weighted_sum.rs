//! `weighted_sum(x, …)`: a sum of multiples by public numbers.

use sordino_graph::{
    Attribute, AttributeKind, Backward, Role, Secrecy, Signature, Type, TypeError, Value,
    type_error,
};

use super::add_constant;
use super::scale::{self, LARGEST};
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::Real;
use crate::value::{Tensor, TensorRing};

/// `constant + weights[0]·x[0] + weights[1]·x[1] + …`, of plaintext floats or of secrets.
///
/// Of secrets, all multiples together cost one truncation (see [`scale()`](scale::scale())), or no
/// message when the weights are whole numbers. The result errs by up to a unit from the truncation,
/// 2^-fraction, and |x\[i\]|·2^-(fraction + 1) from each weight.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | sums below 2^26 | 1 unit, and half of one times each x | 2 | 16 |
/// | 128 | sums below 2^62 | 1 unit, and half of one times each x | 2 | 28 |
///
/// # Panics
/// When there are no values.
#[track_caller]
pub fn weighted_sum<'r>(values: &[Value<'r>], weights: &[f64], constant: f64) -> Value<'r> {
    let first = values.first().expect("weighted_sum takes at least one value");
    let op = first.recording().op(&OP.spec).inputs(values.iter().copied());
    op.attr("constant", constant).attr("weights", Attribute::Reals(weights.to_vec())).build()
}

/// As [`weighted_sum()`], with a constant of any size.
pub(crate) fn sum_with_any<'r>(values: &[Value<'r>], weights: &[f64], constant: f64) -> Value<'r> {
    if constant.abs() <= LARGEST {
        weighted_sum(values, weights, constant)
    } else {
        add_constant(weighted_sum(values, weights, 0.0), constant)
    }
}

/// See [`weighted_sum()`]. On shares, all numbers are whole.
pub static OP: Op = Op::new("weighted_sum", Role::Compute, infer, kernel)
    .attributes(&[("constant", AttributeKind::Real), ("weights", AttributeKind::Reals)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&first, rest)) = s.inputs.split_first() else {
        return type_error!("needs at least one input");
    };
    if let Some(other) = rest.iter().find(|&&ty| ty != first) {
        return type_error!("adds values of one type, not {first} and {other}");
    }
    let weights = s.attributes.reals("weights").unwrap_or_default();
    if weights.len() != s.inputs.len() {
        let (weights, values) = (weights.len(), s.inputs.len());
        return type_error!("takes a weight for each value, not {weights} for {values} of {first}");
    }
    let constant = s.attributes.real("constant").unwrap_or_default();
    let mut numbers = weights.iter().copied().chain([constant]);
    match first.expect_number()?.secrecy {
        Secrecy::Secret if numbers.any(|x| x.abs() > LARGEST) => {
            type_error!("takes weights and a constant of at most {LARGEST} for secrets")
        }
        Secrecy::Share if numbers.any(|x| x.fract() != 0.0) => {
            type_error!("multiplies shares by whole numbers")
        }
        _ => Ok(vec![first.clone()]),
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let weights = b.attributes.reals("weights").unwrap_or_default();
    weights.iter().map(|&weight| b.gradient().map(|dy| scale::scale(dy, weight))).collect()
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    match inputs.first() {
        Some(Tensor::Ring64(_)) => shares::<u64>(cx, inputs),
        Some(Tensor::Ring128(_)) => shares::<u128>(cx, inputs),
        Some(first) => for_floats!(cx, first, T => {
            let (weights, constant) = numbers(cx);
            let values: Vec<&[T]> = inputs.iter().map(|x| cx.items(x)).collect::<Result<_, _>>()?;
            Ok(cx.output(|out: &mut [T]| {
                for (i, out) in out.iter_mut().enumerate() {
                    let terms = weights.iter().zip(&values).map(|(w, x)| w * x[i].to_f64());
                    *out = T::from_f64(constant + terms.sum::<f64>());
                }
            }))
        }),
        None => cx.bug("got nothing to add"),
    }
}

/// The weights and the constant.
fn numbers<'a>(cx: &Context<'a>) -> (&'a [f64], f64) {
    let attributes = &cx.node.attributes;
    let weights = attributes.reals("weights").unwrap_or_default();
    (weights, attributes.real("constant").unwrap_or_default())
}

fn shares<R: TensorRing>(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
) -> Result<Vec<Tensor>, KernelError> {
    let (weights, constant) = numbers(cx);
    let mut terms = weights.iter().map(|&w| R::from_whole(w)).zip(cx.shares::<R>(inputs)?);
    let Some((weight, mut sum)) = terms.next() else { return cx.bug("got nothing to add") };
    let constant = R::from_whole(constant);
    for x in sum.make_mut() {
        *x = x.wrapping_mul(weight).wrapping_add(constant);
    }
    for (weight, term) in terms {
        for (sum, x) in sum.make_mut().iter_mut().zip(term.as_slice()) {
            *sum = sum.wrapping_add(x.wrapping_mul(weight));
        }
    }
    Ok(vec![R::tensor(sum)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, input, value_of};

    #[test]
    fn adds_multiples() {
        let x = [floats(&[2], &[1.5, -2.0]), floats(&[2], &[4.0, 0.5])];
        assert_eq!(value_of(&x, |_, x| weighted_sum(x, &[2.0, -0.5], 10.0)), [11.0, 5.75]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3], &[2, 3]], |_, x| weighted_sum(x, &[0.75, -1.5], 3.0));
    }

    #[test]
    fn terms_are_of_one_type() {
        let fault = fault(|g| {
            weighted_sum(&[input(g, "x", &[2]), input(g, "y", &[3])], &[1.0, 1.0], 0.0);
        });
        assert!(fault.contains("of one type, not f32[2] and f32[3]"), "{fault}");
    }
}
