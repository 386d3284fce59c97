//! `truncate_third`: server 2's part in dropping low bits of a secret.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::truncation::truncate_second;
use crate::truncation::{bits, lane, packed, sum, summands};
use crate::value::{Elements, Tensor, TensorRing};

/// Server 2's node of a truncation by `bits` bits; see
/// [`truncation`](crate::tensor::truncation). The inputs are the summands that it and server 1
/// have. `second` are the holders of its pads with server 0.
///
/// Returns its part of the summand that server 1 has too and, for server 1, what that lacks of it
/// under a pad, packed.
pub static OP: Op = Op::new("truncate_third", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("bits", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("second", AttributeKind::Players),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let ty = summands(s, s.inputs)?;
    Ok(vec![ty.clone(), packed(s, ty)?])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut part = sum::<R>(cx, inputs)?;
    let words = &cx.node.outputs[1].shape;
    let top = cx.draw::<u64>("second", lane::TOP, words)?;
    let pad = cx.draw::<u64>("second", lane::TO_SECOND, words)?;
    let mut sent = Elements::zeros(words);
    let small = [top.as_slice(), pad.as_slice()];
    truncate_second(bits(cx)?, part.make_mut(), small, sent.make_mut());
    Ok(vec![R::tensor(part), Tensor::Ring64(sent)])
}
