//! `mul_bit_first(c, c', x, x')`: shares what one server knows of a product with bits.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use super::bits_first::shared;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::planes;
use crate::tensor::conversion::product_first;
use crate::tensor::ring::add_assign;
use crate::value::{Elements, Tensor, TensorRing};

/// What is left of u·(x + x') and of u, where u = c ^ c' is a bit an element, when a pad of
/// `holders` is taken from them; see [`tensor::conversion`](crate::tensor::conversion).
pub static OP: Op = Op::new("mul_bit_first", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [c, other_c, x, other_x] = s.inputs()?;
    if c != other_c || x != other_x || x.secrecy != Secrecy::Share || x.fixed().is_none() {
        return type_error!("takes two shares of bits and two of numbers, not {:?}", s.inputs);
    }
    planes::check_stack(c, 1, x.shape.elements())?;
    Ok(vec![shared(x, 2)?])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [c, other_c, x, other_x] = cx.inputs(inputs)?;
    let u = cx.sum_of_stacks(vec![c, other_c])?;
    let [mut x, other_x] =
        cx.shares::<R>([x, other_x])?.try_into().or_else(|_| cx.bug("takes numbers"))?;
    add_assign(x.make_mut(), other_x.as_slice());
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    product_first(u.as_slice(), x.as_slice(), out.make_mut());
    cx.lone_pad()?.sub_from(out.make_mut());
    Ok(vec![R::tensor(out)])
}
