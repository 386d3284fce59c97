//! `mul_bit_second(shared, v, y, x)`: a server's part of a product with bits.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use super::bits_first::shared;
use super::bits_second::hide;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::tensor::conversion::product_second;
use crate::value::{Elements, Tensor, TensorRing};

/// The server's part of (u ^ v)·(x + x' + y), from its part of what
/// [`mul_bit_first`](super::mul_bit_first) shared, the bits v and the summand y, which two servers
/// know, and its own of the summands x and x'. Just one of the two is `first`. What hides the part
/// is that of [`bits_second`](super::bits_second).
pub static OP: Op = Op::new("mul_bit_second", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("first", AttributeKind::Flag),
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&[words, v, y, x], masks)) = s.inputs.split_first_chunk() else {
        return type_error!("takes what is shared, bits and two numbers");
    };
    let masked = masks.len() + usize::from(s.attributes.flag("first").unwrap_or(false)) == 1;
    let equal = [y].iter().chain(masks).all(|&other| other == x);
    if !masked || !equal || x.secrecy != Secrecy::Share || *words != shared(x, 2)? {
        return type_error!("cannot multiply {:?}", s.inputs);
    }
    planes::check_stack(v, 1, x.shape.elements())?;
    Ok(vec![x.clone()])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut inputs = inputs.into_iter();
    let mut next = || inputs.next();
    let (Some(shared), Some(v), Some(y), Some(x)) = (next(), next(), next(), next()) else {
        return cx.bug("takes what is shared, bits and two numbers");
    };
    let [shared, y, x] =
        cx.shares::<R>([shared, y, x])?.try_into().or_else(|_| cx.bug("takes numbers"))?;
    let Some(v) = u64::elements(v) else { return cx.bug("takes bits") };
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    let first = cx.flag("first");
    let numbers = [y.as_slice(), x.as_slice()];
    product_second(shared.as_slice(), v.as_slice(), numbers, first, out.make_mut());
    hide(cx, first, inputs, &mut out)?;
    Ok(vec![R::tensor(out)])
}
