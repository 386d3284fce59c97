//! `sum_of_products(x, y, …)`: products added before they are rounded.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::mul::mul;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::Real;
use crate::value::Tensor;

/// `(x[0]·y[0] + x[1]·y[1] + …) / 2^shift`, element by element, of plaintext floats or of secrets.
///
/// Of secrets, the sum costs what one product costs and errs as much: see [`mul()`]. The range is
/// that of the sum before it is divided. A product with a number that was held 2^shift times as
/// large thus keeps as many of its bits more.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | 1 unit | 2 | 30 |
/// | 128 | products below 2^62 | 1 unit | 2 | 60 |
///
/// # Panics
/// When there is nothing to multiply.
#[track_caller]
pub fn sum_of_products<'r>(pairs: &[(Value<'r>, Value<'r>)], shift: u32) -> Value<'r> {
    let (first, _) = pairs.first().expect("sum_of_products takes at least one pair");
    let inputs = pairs.iter().flat_map(|&(x, y)| [x, y]);
    first.recording().op(&OP.spec).inputs(inputs).attr("shift", shift).build()
}

/// See [`sum_of_products()`].
pub static OP: Op = Op::new("sum_of_products", Role::Compute, infer, kernel)
    .attributes(&[("shift", AttributeKind::Int)])
    .gradient(gradient);

/// Most bits that are dropped beside the fraction's.
const LARGEST_SHIFT: usize = 30;

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&first, rest)) = s.inputs.split_first() else {
        return type_error!("needs at least one pair");
    };
    if let Some(other) = rest.iter().find(|&&ty| ty != first) {
        return type_error!("multiplies values of one type, not {first} and {other}");
    }
    if rest.len() % 2 == 0 {
        return type_error!("takes pairs");
    }
    if s.size("shift")? > LARGEST_SHIFT {
        return type_error!("divides by 2^{LARGEST_SHIFT} at most");
    }
    Ok(vec![first.expect_number()?.clone()])
}

/// By each number of a pair: dy times the other, divided after the product as the sum is.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let shift = b.attributes.int("shift").and_then(|shift| u32::try_from(shift).ok()).unwrap_or(0);
    let by = |dy, i: usize| match shift {
        0 => mul(dy, b.inputs[i ^ 1]),
        _ => sum_of_products(&[(dy, b.inputs[i ^ 1])], shift),
    };
    (0..b.inputs.len()).map(|i| b.gradient().map(|dy| by(dy, i))).collect()
}

/// 2^-shift.
fn unit(shift: i64) -> f64 {
    1.0 / (1u64 << shift.clamp(0, 63)) as f64
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let Some(first) = inputs.first() else { return cx.bug("got nothing to multiply") };
    let unit = unit(cx.node.attributes.int("shift").unwrap_or_default());
    for_floats!(cx, first, T => {
        let values: Vec<&[T]> = inputs.iter().map(|x| cx.items(x)).collect::<Result<_, _>>()?;
        Ok(cx.output(|out: &mut [T]| {
            for (i, out) in out.iter_mut().enumerate() {
                let products = values.as_chunks().0.iter().map(|[x, y]| x[i].to_f64() * y[i].to_f64());
                *out = T::from_f64(products.sum::<f64>() * unit);
            }
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, input, value_of};

    #[test]
    fn adds_products() {
        let x = [&[1.5, -2.0], &[4.0, 0.5], &[1.0, 1.0], &[2.0, 3.0]];
        let x = x.map(|x| floats(&[2], x));
        let sum = value_of(&x, |_, x| sum_of_products(&[(x[0], x[1]), (x[2], x[3])], 1));
        assert_eq!(sum, [4.0, 1.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 2], &[2, 2]], |_, x| {
            sum_of_products(&[(x[0], x[1]), (x[0], x[0])], 2)
        });
    }

    #[test]
    fn takes_pairs_of_one_type() {
        let odd = fault(|g| {
            let x = input(g, "x", &[2]);
            g.op(&OP.spec).inputs([x, x, x]).attr("shift", 0u32).build();
        });
        assert!(odd.contains("takes pairs"), "{odd}");
    }
}
