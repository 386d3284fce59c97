//! `bits_first(c, c')`: shares, as numbers, the bits that one server knows.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::rules;
use crate::tensor::conversion::{Pairs, bits_first};
use crate::value::{Elements, Tensor, TensorRing};

/// What is left of the bits of c ^ c', each a number of the ring of `type`, when a pad of
/// `holders` is taken from them; see [`tensor::conversion`](crate::tensor::conversion). `type` is
/// that of the numbers that the words become.
pub static OP: Op = Op::new("bits_first", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("type", AttributeKind::Type),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let c = planes::expect_pair(s)?;
    let [bits, _] = planes::expect_stack(c)?;
    let (number, pairs) = numbers(s, bits)?;
    planes::check_stack(c, bits, number.shape.elements())?;
    Ok(vec![shared(&number, pairs.count())?])
}

/// The type of the numbers that words of so many bits become, and how.
pub(super) fn numbers(s: &Signature<'_>, bits: usize) -> Result<(Type, Pairs), TypeError> {
    let (ty, fixed) = rules::shares(s)?;
    let width = fixed.width().bits();
    let bits = u32::try_from(bits).ok().filter(|bits| (1..=width).contains(bits));
    let Some(bits) = bits else { return type_error!("takes words of 1 to {width} bits") };
    Ok((ty.clone(), Pairs::new(bits, width)))
}

/// The type of so many vectors of numbers.
pub(super) fn shared(number: &Type, vectors: usize) -> Result<Type, TypeError> {
    Ok(number.with_shape(rules::shape(&[vectors, number.shape.elements()])?))
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let u = cx.sum_of_stacks(inputs)?;
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    let pairs = Pairs::new(u.shape().axes()[0] as u32, R::WIDTH);
    let n = out.shape().axes()[1];
    bits_first(pairs, u.as_slice(), n, out.make_mut());
    Ok(vec![R::tensor(out)])
}
