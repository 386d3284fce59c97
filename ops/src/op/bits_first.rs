//! `bits_first(c, c')`: shares, as numbers, the bits that one server knows.

use sordino_graph::{AttributeKind, Role, Secrecy, Shape, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::tensor::bits::xor_into;
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
    let [c, other] = s.inputs()?;
    let (planes, _) = planes::stacks(s)?;
    let (number, pairs) = numbers(s, planes[0])?;
    planes::check_stack(c, planes[0], number.shape.elements())?;
    if c != other {
        return type_error!("takes two stacks of one type, not {c} and {other}");
    }
    Ok(vec![shared(&number, pairs.count())?])
}

/// The type of the numbers that words of so many bits become, and how.
pub(super) fn numbers(s: &Signature<'_>, bits: usize) -> Result<(Type, Pairs), TypeError> {
    let ty = s.attributes.ty("type").filter(|ty| ty.secrecy == Secrecy::Share);
    let Some((ty, fixed)) = ty.and_then(|ty| ty.fixed().map(|fixed| (ty, fixed))) else {
        return type_error!("makes shares of numbers: say their type");
    };
    let width = fixed.width().bits();
    let bits = u32::try_from(bits).ok().filter(|bits| (1..=width).contains(bits));
    let Some(bits) = bits else { return type_error!("takes words of 1 to {width} bits") };
    Ok((ty.clone(), Pairs::new(bits, width)))
}

/// The type of so many vectors of numbers.
pub(super) fn shared(number: &Type, vectors: usize) -> Result<Type, TypeError> {
    let shape = Shape::new(&[vectors, number.shape.elements()]);
    Ok(number.with_shape(shape.map_err(|e| TypeError(e.to_string()))?))
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut u, other] = cx.stacks(inputs)?.try_into().or_else(|_| cx.bug("takes two stacks"))?;
    xor_into(other.as_slice(), u.make_mut());
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    let pairs = Pairs::new(u.shape().axes()[0] as u32, R::WIDTH);
    let n = out.shape().axes()[1];
    bits_first(pairs, u.as_slice(), n, out.make_mut());
    Ok(vec![R::tensor(out)])
}
