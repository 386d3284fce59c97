//! `pair_differences(x)`: what a comparison of all pairs compares.

use sordino_graph::{Role, Signature, Type, TypeError, Value};

use crate::items::for_numbers;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::order;
use crate::value::Tensor;

/// `x[j] − x[i]` of all pairs i < j of the items of `[items, lanes]`, in the order of i and then j:
/// `[items(items − 1)/2, lanes]`. Of secrets without a message.
#[track_caller]
pub(crate) fn pair_differences(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// Pairs of so many items; far too many where there are more than a shape can hold.
pub(crate) fn pairs(items: usize) -> usize {
    items.saturating_mul(items.saturating_sub(1)) / 2
}

/// See `pair_differences()`.
pub static OP: Op = Op::new("pair_differences", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let [items, lanes] = x.expect_number()?.expect_rank()?;
    Ok(vec![x.with_shape(rules::shape(&[pairs(items), lanes])?)])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let &[items, lanes] = x.axes() else { return cx.bug("got no items") };
    for_numbers!(cx, &x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| order::pair_differences(items, lanes, x, out)))
    })
}
