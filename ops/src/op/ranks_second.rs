//! `ranks_second(part, v)`: a server's part of ranks.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use super::pair_differences::pairs;
use super::ranks_first::{sizes, small};
use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::order::ranks;
use crate::value::{Elements, Tensor};

/// The server's part of the ranks of `items` in each of `lanes`, from its part of what
/// [`ranks_first`](super::ranks_first) shared and the plane v, which two servers know; see
/// [`tensor::order::ranks`](crate::tensor::order::ranks). Just one of them is `first`.
pub static OP: Op = Op::new("ranks_second", Role::Compute, infer, kernel).attributes(&[
    ("first", AttributeKind::Flag),
    ("items", AttributeKind::Int),
    ("lanes", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [part, v] = s.inputs()?;
    let [items, lanes] = sizes(s)?;
    let n = pairs(items) * lanes;
    planes::check_stack(v, 1, n)?;
    if *part != small(n)? {
        return type_error!("takes a number for each pair, not {part}");
    }
    Ok(vec![small(items * lanes)?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [part, v] = cx.stacks(inputs)?.try_into().or_else(|_| cx.bug("takes two stacks"))?;
    let sizes = [cx.size("items")?, cx.size("lanes")?];
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    ranks::ranks(sizes, part.as_slice(), v.as_slice(), cx.flag("first"), out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
