//! `and_planes(own.., next..)`: what one server adds to a layer of AND gates.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use super::zero_mask::LANES;
use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::gates::{Gate, Half, and_layer};
use crate::value::{Elements, Tensor};

/// The server's part of the gates `left & right ^ add`, a plane each, safe to send: it comes with
/// the server's part of a sharing of 0, the XOR of the pads of `plus` and `minus`, as in
/// [`zero_mask`](super::zero_mask). Source: ABY3, section 3.2, in the ring of two elements.
///
/// The inputs are its own stacks and then as many of the next server. `left`, `right` and `add`
/// list the planes of each sum that goes into a gate; see [`planes`].
pub static OP: Op = Op::new("and_planes", Role::Pad, infer, kernel).attributes(&[
    ("add", AttributeKind::Ints),
    ("lane", AttributeKind::Int),
    ("left", AttributeKind::Ints),
    ("minus", AttributeKind::Players),
    ("pad", AttributeKind::Int),
    ("plus", AttributeKind::Players),
    ("right", AttributeKind::Ints),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let (planes, words) = planes::stacks(s)?;
    if planes.len() % 2 != 0 || s.size("lane")? >= LANES as usize {
        return type_error!("takes own stacks and next ones, of a server of three");
    }
    let (own, next) = planes.split_at(planes.len() / 2);
    let least: Vec<_> = own.iter().zip(next).map(|(own, next)| *own.min(next)).collect();
    Ok(vec![planes::stack_of_words(gates(s, &least)?.len(), words)?])
}

fn gates(s: &Signature<'_>, planes: &[usize]) -> Result<Vec<Gate>, TypeError> {
    let sums = |name| planes::sums(s.attributes, name, planes);
    let (left, right, add) = (sums("left")?, sums("right")?, sums("add")?);
    if left.len() != right.len() || left.len() != add.len() {
        return type_error!("lists as many sums to add as factors");
    }
    let gates = left.into_iter().zip(right).zip(add);
    Ok(gates.map(|((left, right), add)| Gate { left, right, add }).collect())
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let stacks = cx.stacks(inputs)?;
    let least = vec![usize::MAX; stacks.len() / 2];
    let gates = gates(&cx.signature(), &least)?;
    let lane = cx.number("lane")?;
    let mut out = Elements::zeros(&cx.node.outputs[0].shape);
    cx.pad("plus", lane)?.fill(out.make_mut());
    cx.pad("minus", (lane + 1) % LANES)?.xor_to(out.make_mut());
    let words = out.shape().axes()[1];
    let stacks: Vec<&[u64]> = stacks.iter().map(Elements::as_slice).collect();
    let (own, next) = stacks.split_at(stacks.len() / 2);
    // The summand 0 is turned over: server 0's own, and the next one of server 2.
    let halves =
        [Half { stacks: own, flips: lane == 0 }, Half { stacks: next, flips: lane == LANES - 1 }];
    and_layer(&gates, halves, words, out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
