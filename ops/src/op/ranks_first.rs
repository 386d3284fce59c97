//! `ranks_first(c, c')`: shares, as small numbers, what one server knows of comparisons.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use super::pair_differences::pairs;
use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::order::ranks;
use crate::value::{Elements, Tensor};

/// What is left of the bits of the plane c ^ c', of all pairs of `items` in each of `lanes`, each a
/// number of 16 bits, when a pad of `holders` is taken from them; see
/// [`tensor::order::ranks`](crate::tensor::order::ranks).
pub static OP: Op = Op::new("ranks_first", Role::Pad, infer, kernel).attributes(&[
    ("holders", AttributeKind::Players),
    ("items", AttributeKind::Int),
    ("lane", AttributeKind::Int),
    ("lanes", AttributeKind::Int),
    ("pad", AttributeKind::Int),
]);

/// Items and lanes of a node's sequences.
pub(super) fn sizes(s: &Signature<'_>) -> Result<[usize; 2], TypeError> {
    let [items, lanes] = [s.size("items")?, s.size("lanes")?];
    let most = pairs(items).checked_mul(lanes).filter(|&n| n < 1 << 31);
    if items > ranks::MOST || most.is_none() {
        return type_error!("compares no pairs of {items} items in each of {lanes} lanes");
    }
    Ok([items, lanes])
}

/// The type of as many small numbers.
pub(crate) fn small(n: usize) -> Result<Type, TypeError> {
    planes::stack_of_words(1, ranks::words(n))
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [items, lanes] = sizes(s)?;
    planes::check_stack(planes::expect_pair(s)?, 1, pairs(items) * lanes)?;
    Ok(vec![small(pairs(items) * lanes)?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let u = cx.sum_of_stacks(inputs)?;
    let n = pairs(cx.size("items")?) * cx.size("lanes")?;
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    ranks::share_bits(n, u.as_slice(), out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
