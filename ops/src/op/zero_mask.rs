//! `zero_mask(z)`: a server's part of a sum, made safe to send.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::ring::add_assign;
use crate::value::{Tensor, TensorRing};

/// `z + pad(plus) − pad(minus)`: server i's part of a sharing of 0 is added to its part of a sum.
/// `plus` are the holders of the pad with the server before it, of the lane `lane`, `minus` those
/// of the pad with the server after it, of the lane after that. All three parts of 0 add up to 0,
/// and who lacks one of the two pads sees a uniformly random element. Several inputs are added up.
/// Source: ABY3, section 3.2.
pub static OP: Op = Op::new("zero_mask", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("lane", AttributeKind::Int),
    ("minus", AttributeKind::Players),
    ("pad", AttributeKind::Int),
    ("plus", AttributeKind::Players),
]);

/// Lanes of the three pads: lane i is of the servers i − 1 and i.
pub(crate) const LANES: u32 = 3;

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&first, rest)) = s.inputs.split_first() else { return type_error!("needs a share") };
    if s.size("lane")? >= LANES as usize {
        return type_error!("has the lanes 0, 1 and 2");
    }
    if first.secrecy != Secrecy::Share
        || first.fixed().is_none()
        || rest.iter().any(|&t| t != first)
    {
        return type_error!("adds up shares of one type, not {:?}", s.inputs);
    }
    Ok(vec![first.clone()])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut shares = cx.shares::<R>(inputs)?.into_iter();
    let Some(mut sum) = shares.next() else { return cx.bug("got no share") };
    shares.for_each(|share| add_assign(sum.make_mut(), share.as_slice()));
    let lane = cx.number("lane")?;
    cx.pad("plus", lane)?.add_to(sum.make_mut());
    cx.pad("minus", (lane + 1) % LANES)?.sub_from(sum.make_mut());
    Ok(vec![R::tensor(sum)])
}
