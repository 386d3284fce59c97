//! `shuffle(x, …, ranks)`: a server's part of secrets, permuted as two servers know.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use super::ranks_first::{sizes, small};
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::order::ranks::{permutations, permute, permute_small};
use crate::tensor::ring::{add_assign, sub_assign};
use crate::truncation::sum;
use crate::value::{Elements, Tensor, TensorRing};

/// Lanes of a shuffle's pads.
pub(crate) mod lane {
    /// The permutation.
    pub(crate) const PERMUTATION: u32 = 0;
    /// Hides the ranks.
    pub(crate) const RANKS: u32 = 1;
    /// Hides the numbers.
    pub(crate) const NUMBERS: u32 = 2;
}

/// The sum of `summands` shares `[columns, items, lanes]` and the server's part of ranks, each lane
/// permuted by a pad of `holders`, which two servers have.
///
/// With the flag `adds`, pads of the two are added to both, else taken off: so the parts change and
/// their sum does not. If there is one more input, that is taken off the numbers instead of a pad.
pub static OP: Op = Op::new("shuffle", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("adds", AttributeKind::Flag),
    ("holders", AttributeKind::Players),
    ("items", AttributeKind::Int),
    ("lanes", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("summands", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let sizes = sizes(s)?;
    let summands = s.size("summands")?;
    let (Some(&x), Some(&ranks)) = (s.inputs.first(), s.inputs.get(summands)) else {
        return type_error!("takes numbers and ranks");
    };
    let [_, items, lanes] = x.expect_rank()?;
    let numbers = s.inputs.iter().enumerate().filter(|(i, _)| *i != summands);
    let masked = s.inputs.len() <= summands + 2;
    if x.secrecy != Secrecy::Share
        || x.fixed().is_none()
        || [items, lanes] != sizes
        || *ranks != small(items * lanes)?
        || numbers.into_iter().any(|(_, &ty)| ty != x)
        || summands == 0
        || !masked
    {
        return type_error!("takes shares of sequences and their ranks, not {:?}", s.inputs);
    }
    Ok(vec![x.clone(), ranks.clone()])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut inputs = inputs.into_iter();
    let summands = cx.size("summands")?;
    let x = sum::<R>(cx, inputs.by_ref().take(summands))?;
    let Some(ranks) = inputs.next().and_then(u64::elements) else { return cx.bug("got no ranks") };
    let sizes = [cx.size("items")?, cx.size("lanes")?];
    let mut random = vec![0u64; sizes[0] * sizes[1]];
    cx.pad("holders", lane::PERMUTATION)?.fill(&mut random);
    let places = permutations(sizes, &random);

    let adds = cx.flag("adds");
    let mut numbers = Elements::<R>::zeros(x.shape());
    permute(sizes[1], &places, x.as_slice(), numbers.make_mut());
    match inputs.next() {
        Some(mask) => match R::elements(mask) {
            Some(mask) => sub_assign(numbers.make_mut(), mask.as_slice()),
            None => return cx.bug("got another ring"),
        },
        None => {
            let pad = cx.draw::<R>("holders", lane::NUMBERS, x.shape())?;
            if adds {
                add_assign(numbers.make_mut(), pad.as_slice());
            } else {
                sub_assign(numbers.make_mut(), pad.as_slice());
            }
        }
    }
    let pad = cx.draw::<u64>("holders", lane::RANKS, ranks.shape())?;
    let mut permuted = Elements::<u64>::zeros(ranks.shape());
    let pads = (pad.as_slice(), adds);
    permute_small(sizes[1], &places, pads, ranks.as_slice(), permuted.make_mut());
    Ok(vec![R::tensor(numbers), Tensor::Ring64(permuted)])
}
