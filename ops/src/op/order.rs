//! `order(c, x)`: items put where comparisons of all pairs say.

use sordino_graph::{Element, Role, Signature, Type, TypeError, Value, type_error};

use super::pair_differences::pairs;
use crate::kernel::Op;
use crate::rules;
use crate::tensor::order::ranks;

/// The secret `x`, `[columns, items, lanes]`, in the order that the secret bits `c`,
/// `[items(items − 1)/2, lanes]`, say: of each pair of
/// [`pair_differences`](super::pair_differences), whether the second item is before the first.
///
/// Exact. Of bits that contradict each other no order comes, but an error.
#[track_caller]
pub(crate) fn order<'r>(c: Value<'r>, x: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(c).input(x).build()
}

/// See `order()`.
pub static OP: Op = Op::new("order", Role::Compute, infer, |cx, _| cx.bug("is of secrets"));

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [c, x] = s.inputs()?;
    let [_, items, lanes] = x.expect_number()?.expect_rank()?;
    let shape = rules::shape(&[pairs(items), lanes])?;
    if *c != x.with_element(Element::BIT).with_shape(shape) || items > ranks::MOST {
        return type_error!("takes a bit for each pair of up to 65536 items, not {c} for {x}");
    }
    Ok(vec![x.clone()])
}
