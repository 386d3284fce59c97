//! `truncate_last`: puts together what two servers have of a number without its low bits.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::truncation::truncate_last;
use crate::truncation::{bits, expect_packed, sum, summands};
use crate::value::{Tensor, TensorRing};

/// The last node of a truncation by `bits` bits at servers 1 and 2; see
/// [`truncation`](crate::tensor::truncation). The inputs are the server's part of the summand that
/// both have, and what the other sent of it. Returns that summand.
pub static OP: Op = Op::new("truncate_last", Role::Compute, infer, in_ring!(run))
    .attributes(&[("bits", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [part, received] = s.inputs()?;
    let ty = summands(s, &[part])?;
    expect_packed(s, ty, received)?;
    Ok(vec![ty.clone()])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [part, received] = cx.inputs(inputs)?;
    let mut part = sum::<R>(cx, [part])?;
    let Tensor::Ring64(received) = received else { return cx.bug("receives words") };
    truncate_last(bits(cx)?, part.make_mut(), received.as_slice());
    Ok(vec![R::tensor(part)])
}
