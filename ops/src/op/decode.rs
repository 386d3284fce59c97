//! `decode(share, …)`: the floats that shares add up to.

use sordino_graph::{
    AttributeKind, Element, Role, Secrecy, Signature, Type, TypeError, type_error,
};

use crate::items::for_rings;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::decode_sum;
use crate::value::{Elements, Tensor, TensorRing};

/// `scale · 2^-fraction · (the sum of the inputs as a signed number)`, in one pass over memory.
///
/// The inputs are of one type. Of shares it returns f32 for up to 16 fractional bits, else f64,
/// rounded once; of encoded values f64.
pub static OP: Op = Op::new("decode", Role::Compute, infer, kernel)
    .attributes(&[("fraction", AttributeKind::Int), ("scale", AttributeKind::Real)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some(&first) = s.inputs.first() else { return type_error!("needs at least one share") };
    let Some(fixed) = first.fixed() else { return type_error!("decodes no {first}") };
    if s.inputs.iter().any(|&ty| ty != first) || s.size("fraction")? != fixed.fraction() as usize {
        return type_error!("decodes shares of one type with the fraction of that type");
    }
    let share = first.secrecy == Secrecy::Share;
    let element = if share { fixed.decoded() } else { Element::F64 };
    Ok(vec![Type::plain(element, first.shape.clone())])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    for_rings!(cx, &inputs[0], R => run::<R>(cx, inputs))
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let shape = &cx.node.outputs[0].shape;
    let fraction = cx.number("fraction")?;
    let scale = cx.node.attributes.real("scale").unwrap_or(1.0);
    let shares = inputs.into_iter().map(|share| R::elements(share));
    let Some(shares) = shares.collect::<Option<Vec<_>>>() else {
        return cx.bug("got shares of two rings");
    };
    let n = shape.elements();
    Ok(vec![if cx.node.outputs[0].element == Element::F32 {
        let mut out = vec![0.0f32; n];
        Elements::spend(shares, &mut out, &|shares, out| decode_sum(shares, fraction, scale, out));
        Tensor::f32(shape, out)
    } else {
        let mut out = vec![0.0f64; n];
        Elements::spend(shares, &mut out, &|shares, out| decode_sum(shares, fraction, scale, out));
        Tensor::f64(shape, out)
    }])
}
