//! `regroup_planes(x)`: planes of bits that are put in one, or taken from one.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::segments::{join_segments, split_segments};
use crate::value::{Elements, Tensor};

/// With `apart`, the `count` planes of `bits` bits that one plane holds one after the other; else
/// the one plane of such planes.
pub static OP: Op = Op::new("regroup_planes", Role::Compute, infer, kernel).attributes(&[
    ("apart", AttributeKind::Flag),
    ("bits", AttributeKind::Int),
    ("count", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let (bits, count) = (s.size("bits")?, s.size("count")?);
    let Some(all) = bits.checked_mul(count) else { return type_error!("has too many bits") };
    let (one, many) = (planes::stack(1, all)?, planes::stack(count, bits)?);
    let apart = s.attributes.flag("apart").unwrap_or(false);
    let (from, to) = if apart { (one, many) } else { (many, one) };
    if *x == from { Ok(vec![to]) } else { type_error!("takes {from}, not {x}") }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [Tensor::Ring64(x)] = cx.inputs(inputs)? else { return cx.bug("got no planes") };
    let shape = &cx.node.outputs[0].shape;
    let bits = cx.size("bits")?;
    if bits % 64 == 0 {
        return Ok(vec![Tensor::Ring64(x.reshaped(shape))]);
    }
    let mut out = Elements::zeros(shape);
    if cx.flag("apart") {
        split_segments(x.as_slice(), bits, out.make_mut());
    } else {
        join_segments(x.as_slice(), bits, out.make_mut());
    }
    Ok(vec![Tensor::Ring64(out)])
}
