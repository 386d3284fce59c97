//! `bits_second(shared, v)`: a server's part of the numbers that words of bits stand for.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use super::bits_first::{numbers, shared};
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::tensor::conversion::{Pairs, bits_second};
use crate::tensor::ring::{scale_assign, sub_assign};
use crate::value::{Elements, Tensor, TensorRing};

/// The server's part of the numbers, times 2^`shift`, whose bits are u ^ v, from its part of what
/// [`bits_first`](super::bits_first) shared and the planes of v, which two servers know; see
/// [`tensor::conversion`](crate::tensor::conversion). Just one of them is `first`.
///
/// The first takes a pad of the two, `holders`, off; the other puts it on and takes off its third
/// input: what hides the part from the others.
pub static OP: Op = Op::new("bits_second", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("first", AttributeKind::Flag),
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("shift", AttributeKind::Int),
    ("type", AttributeKind::Type),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let first = s.attributes.flag("first").unwrap_or(false);
    let Some((&[words, v], masks)) = s.inputs.split_first_chunk() else {
        return type_error!("takes what is shared and a stack");
    };
    let [bits, _] = planes::expect_stack(v)?;
    let (number, pairs) = numbers(s, bits)?;
    planes::check_stack(v, bits, number.shape.elements())?;
    let expected = if first { 0 } else { 1 };
    if *words != shared(&number, pairs.count())?
        || masks.len() != expected
        || masks.iter().any(|mask| **mask != number)
        || s.size("shift")? > 64
    {
        return type_error!("cannot make {number} of {:?}", s.inputs);
    }
    Ok(vec![number])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut inputs = inputs.into_iter();
    let (Some(shared), Some(v)) = (inputs.next(), inputs.next()) else {
        return cx.bug("takes what is shared and a stack");
    };
    let (Some(shared), Some(v)) = (R::elements(shared), u64::elements(v)) else {
        return cx.bug("got another ring");
    };
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    let first = cx.flag("first");
    let pairs = Pairs::new(v.shape().axes()[0] as u32, R::WIDTH);
    bits_second(pairs, shared.as_slice(), v.as_slice(), first, out.make_mut());
    let shift = cx.size("shift")?;
    if shift > 0 {
        scale_assign(out.make_mut(), R::from_bits(1 << shift));
    }
    hide(cx, first, inputs, &mut out)?;
    Ok(vec![R::tensor(out)])
}

/// Hides a server's part of numbers as the op's documentation says.
pub(super) fn hide<R: TensorRing>(
    cx: &Context<'_>,
    first: bool,
    masks: impl Iterator<Item = Tensor>,
    part: &mut Elements<R>,
) -> Result<(), KernelError> {
    if first {
        cx.lone_pad()?.sub_from(part.make_mut());
    } else {
        cx.lone_pad()?.add_to(part.make_mut());
    }
    for mask in cx.shares::<R>(masks)? {
        sub_assign(part.make_mut(), mask.as_slice());
    }
    Ok(())
}
