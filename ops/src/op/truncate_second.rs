//! `truncate_second`: server 1's part in dropping low bits of a secret.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::truncation::{truncate_last, truncate_second};
use crate::truncation::{bits, expect_packed, lane, sum, summands};
use crate::value::{Elements, Tensor, TensorRing};

/// Server 1's node of a truncation by `bits` bits; see
/// [`truncation`](crate::tensor::truncation). The inputs are what it got from server 0, and the
/// summands that it and server 2 have. `first` are the holders of its pads with server 0.
///
/// Returns its summand that server 0 has too, its part of the one that server 2 has too, and, for
/// server 2, what that lacks of it under a pad, packed.
pub static OP: Op = Op::new("truncate_second", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("bits", AttributeKind::Int),
    ("first", AttributeKind::Players),
    ("pad", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&received, rest)) = s.inputs.split_first() else {
        return type_error!("needs shares");
    };
    let ty = summands(s, rest)?;
    Ok(vec![ty.clone(), ty.clone(), expect_packed(s, ty, received)?])
}

fn run<R: TensorRing>(
    cx: &Context<'_>,
    mut inputs: Vec<Tensor>,
) -> Result<Vec<Tensor>, KernelError> {
    let bits = bits(cx)?;
    let mut part = sum::<R>(cx, inputs.drain(1..))?;
    let [received] = cx.inputs(inputs)?;
    let Tensor::Ring64(received) = received else { return cx.bug("receives words") };
    let words = received.shape();
    let pad = cx.draw::<u64>("first", lane::TO_FIRST, words)?;
    let mut summand = cx.draw::<R>("first", lane::SUMMAND, part.shape())?;
    truncate_last(bits, summand.make_mut(), pad.as_slice());
    let mut sent = Elements::zeros(words);
    let small = [received.as_slice(), pad.as_slice()];
    truncate_second(bits, part.make_mut(), small, sent.make_mut());
    Ok(vec![R::tensor(summand), R::tensor(part), Tensor::Ring64(sent)])
}
