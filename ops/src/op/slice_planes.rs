//! `slice_planes(x)`: the bits of numbers, plane by plane.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::bits::slice_bits;
use crate::tensor::ring::Ring;
use crate::value::{Elements, Tensor};

/// The planes of bits of a share `x` of numbers or words, to each of which `plus` is added first.
/// See [`tensor::bits`](crate::tensor::bits).
pub static OP: Op = Op::new("slice_planes", Role::Compute, infer, kernel)
    .attributes(&[("plus", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    if x.secrecy != Secrecy::Share {
        return type_error!("takes a share, not {x}");
    }
    Ok(vec![planes::stack(planes::width(x)?, x.shape.elements())?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let plus = cx.node.attributes.int("plus").unwrap_or(0);
    let ty = &cx.node.outputs[0];
    let mut out = Elements::zeros(&ty.shape);
    let count = ty.shape.axes()[0] as u32;
    match x {
        Tensor::Ring64(x) => slice(x, plus, count, out.make_mut()),
        Tensor::Ring128(x) => slice(x, plus, count, out.make_mut()),
        _ => return cx.bug("got no share"),
    }
    Ok(vec![Tensor::Ring64(out)])
}

fn slice<R: crate::value::TensorRing>(mut x: Elements<R>, plus: i64, planes: u32, out: &mut [u64]) {
    if plus != 0 {
        let plus = <R as Ring>::from_i64(plus);
        x.make_mut().iter_mut().for_each(|x| *x = x.wrapping_add(plus));
    }
    slice_bits(x.as_slice(), 0..planes, out);
}
