//! `mask_planes(x)`: what is left of words of bits when pads are taken from them.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::bits::slice_bits;
use crate::value::{Elements, Tensor};

/// `x ^ pad(first) ^ pad(second)`, of the plaintext words `x`, as planes of bits: the counterpart
/// of [`mask`](super::mask). The pads have the lanes 0 and 1.
pub static OP: Op = Op::new("mask_planes", Role::Pad, infer, kernel).attributes(&[
    ("first", AttributeKind::Players),
    ("pad", AttributeKind::Int),
    ("second", AttributeKind::Players),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    if x.secrecy != Secrecy::Plain {
        return type_error!("takes plaintext words, not {x}");
    }
    Ok(vec![planes::stack(x.expect_bits()? as usize, x.shape.elements())?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    let count = out.shape().axes()[0] as u32;
    match x {
        Tensor::Ring64(x) => slice_bits(x.as_slice(), 0..count, out.make_mut()),
        Tensor::Ring128(x) => slice_bits(x.as_slice(), 0..count, out.make_mut()),
        _ => return cx.bug("got no words"),
    }
    cx.pad("first", 0)?.xor_to(out.make_mut());
    cx.pad("second", 1)?.xor_to(out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
