//! `weigh_first(u, u')`: shares, as numbers, the bits that weigh something of a sum that server 0
//! knows.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::rules;
use crate::tensor::weighing::Weighing;
use crate::value::{Elements, Tensor, TensorRing};

/// What is left of the bits of `u ^ u'` when a pad of `holders` is taken from them; see
/// [`tensor::weighing`](crate::tensor::weighing). `words` is the number of words of each of the
/// results, whose type is `type`.
pub static OP: Op = Op::new("weigh_first", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("type", AttributeKind::Type),
    ("weights", AttributeKind::Reals),
    ("words", AttributeKind::Int),
]);

/// The results' type, the type of the bits shared as numbers, and the weighing of a stack.
pub(super) fn weighing(
    s: &Signature<'_>,
    stack: &Type,
) -> Result<(Type, Type, Weighing), TypeError> {
    let (ty, fixed) = rules::shares(s)?;
    let ([rows, n], [planes, _]) = (ty.expect_rank()?, planes::expect_stack(stack)?);
    let words = s.size("words")?;
    planes::check_stack(stack, planes, words.saturating_mul(n))?;
    let weights = s.attributes.reals("weights").unwrap_or_default();
    if weights.len() != rows.saturating_mul(words).saturating_mul(planes) {
        return type_error!("takes a weight for each bit and row");
    }
    let weighing = Weighing::new([words, planes, n], weights, fixed.fraction());
    let shape = rules::shape(&[weighing.bits(), n])?;
    Ok((ty.clone(), ty.with_shape(shape), weighing))
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let (_, shared, _) = weighing(s, planes::expect_pair(s)?)?;
    Ok(vec![shared])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let u = cx.sum_of_stacks(inputs)?;
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    let (_, _, weighing) = weighing(&cx.signature(), &stack_type(&u))?;
    weighing.share(u.as_slice(), out.make_mut());
    Ok(vec![R::tensor(out)])
}

/// The type of a stack that a kernel got.
pub(super) fn stack_type(stack: &Elements<u64>) -> Type {
    let element = sordino_graph::Element::Bits(64);
    Type { secrecy: Secrecy::Share, element, shape: stack.shape().clone() }
}
