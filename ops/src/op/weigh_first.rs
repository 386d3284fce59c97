//! `weigh_first(u, u')`: shares, as numbers, the bits that weigh something of a sum that server 0
//! knows.

use sordino_graph::{AttributeKind, Role, Secrecy, Shape, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::tensor::bits::xor_into;
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
    let ty = s.attributes.ty("type").filter(|ty| ty.secrecy == Secrecy::Share);
    let Some((ty, fixed)) = ty.and_then(|ty| ty.fixed().map(|fixed| (ty, fixed))) else {
        return type_error!("makes shares of numbers: say their type");
    };
    let ([rows, n], [planes, _]) = (ty.expect_rank()?, planes::expect_stack(stack)?);
    let words = s.size("words")?;
    planes::check_stack(stack, planes, words.saturating_mul(n))?;
    let weights = s.attributes.reals("weights").unwrap_or_default();
    if weights.len() != rows.saturating_mul(words).saturating_mul(planes) {
        return type_error!("takes a weight for each bit and row");
    }
    let weighing = Weighing::new([words, planes, n], weights, fixed.fraction());
    let shape = Shape::new(&[weighing.bits(), n]).map_err(|e| TypeError(e.to_string()))?;
    Ok((ty.clone(), ty.with_shape(shape), weighing))
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [u, other] = s.inputs()?;
    if u != other {
        return type_error!("takes two stacks of one type, not {u} and {other}");
    }
    let (_, shared, _) = weighing(s, u)?;
    Ok(vec![shared])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut u, other] = cx.stacks(inputs)?.try_into().or_else(|_| cx.bug("takes two stacks"))?;
    xor_into(other.as_slice(), u.make_mut());
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    let s = Signature { inputs: &[], attributes: &cx.node.attributes };
    let (_, _, weighing) = weighing(&s, &stack_type(&u))?;
    weighing.share(u.as_slice(), out.make_mut());
    Ok(vec![R::tensor(out)])
}

/// The type of a stack that a kernel got.
pub(super) fn stack_type(stack: &Elements<u64>) -> Type {
    let element = sordino_graph::Element::Bits(64);
    Type { secrecy: Secrecy::Share, element, shape: stack.shape().clone() }
}
