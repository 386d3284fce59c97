//! `truncate_first`: server 0's part in dropping low bits of a secret.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::truncation::truncate_first;
use crate::truncation::{bits, lane, packed, sum, summands};
use crate::value::{Elements, Tensor, TensorRing};

/// Server 0's node of a truncation by `bits` bits; see
/// [`truncation`](crate::tensor::truncation). The inputs are its summands of the number. `first`
/// are the holders of its pads with server 1, `second` of those with server 2.
///
/// Returns its summands that server 2 has too and that server 1 has too, and, for server 1, its top
/// bits under a pad, packed.
pub static OP: Op = Op::new("truncate_first", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("bits", AttributeKind::Int),
    ("first", AttributeKind::Players),
    ("pad", AttributeKind::Int),
    ("second", AttributeKind::Players),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let ty = summands(s, s.inputs)?;
    let packed = packed(s, ty)?;
    Ok(vec![ty.clone(), ty.clone(), packed])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut rest = sum::<R>(cx, inputs)?;
    let words = &cx.node.outputs[2].shape;
    let mut pad = cx.draw::<R>("first", lane::SUMMAND, rest.shape())?;
    let to_first = cx.draw::<u64>("first", lane::TO_FIRST, words)?;
    let top = cx.draw::<u64>("second", lane::TOP, words)?;
    let to_second = cx.draw::<u64>("second", lane::TO_SECOND, words)?;
    let mut sent = Elements::zeros(words);
    let pads = [top.as_slice(), to_first.as_slice(), to_second.as_slice()];
    truncate_first(bits(cx)?, rest.make_mut(), pad.make_mut(), pads, sent.make_mut());
    Ok(vec![R::tensor(rest), R::tensor(pad), Tensor::Ring64(sent)])
}
