//! `place(x, …, r, r')`: shuffled shares put where ranks say.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use super::ranks_first::{sizes, small};
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::order::ranks::{opened, place};
use crate::truncation::sum;
use crate::value::{Elements, Tensor, TensorRing};

/// The sum of shares `[columns, items, lanes]`, each item where its rank says, which is the sum of
/// both parts, `r` and `r'`.
pub static OP: Op = Op::new("place", Role::Compute, infer, in_ring!(run))
    .attributes(&[("items", AttributeKind::Int), ("lanes", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [items, lanes] = sizes(s)?;
    let ranks = small(items * lanes)?;
    match s.inputs {
        [shares @ .., r, other]
            if **r == ranks
                && **other == ranks
                && !shares.is_empty()
                && shares.iter().all(|&ty| ty == shares[0])
                && shares[0].secrecy == Secrecy::Share
                && shares[0].fixed().is_some()
                && shares[0].expect_rank::<3>()?[1..] == [items, lanes] =>
        {
            Ok(vec![shares[0].clone()])
        }
        _ => type_error!("takes shares of sequences and their ranks, not {:?}", s.inputs),
    }
}

fn run<R: TensorRing>(
    cx: &Context<'_>,
    mut inputs: Vec<Tensor>,
) -> Result<Vec<Tensor>, KernelError> {
    let lanes = cx.size("lanes")?;
    let parts = inputs.split_off(inputs.len().saturating_sub(2));
    let [r, other] = cx.stacks(parts)?.try_into().or_else(|_| cx.bug("takes ranks"))?;
    let x = sum::<R>(cx, inputs)?;
    let Some(ranks) = opened([cx.size("items")?, lanes], [r.as_slice(), other.as_slice()]) else {
        return cx.bug("got ranks that are no permutation");
    };
    let mut out = Elements::<R>::zeros(x.shape());
    place(lanes, &ranks, x.as_slice(), out.make_mut());
    Ok(vec![R::tensor(out)])
}
