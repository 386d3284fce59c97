//! `mask(x)`: what is left of a value when pads are taken from it.

use sordino_graph::{
    AttributeKind, AttributeSpec, Fixed, OpSpec, Role, Secrecy, Signature, Type, TypeError, Width,
    type_error,
};

use super::encode::out_of_range;
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::encode_minus_pads;
use crate::tensor::pad::Pad;
use crate::value::{Elements, Tensor, TensorRing, slice};

/// `x − pad(first) − pad(second)`, a share: `x` is a float, encoded on the way, an encoded value,
/// or a share; the pads have the number `pad` and the lanes 0 and 1, each of the secret of its
/// holders. An empty list of holders stands for no pad.
///
/// One pass over memory. Whoever lacks one of the secrets sees uniformly random elements.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "mask",
        role: Role::Pad,
        attributes: &[
            AttributeSpec { name: "first", kind: AttributeKind::Players },
            AttributeSpec { name: "fraction", kind: AttributeKind::Int },
            AttributeSpec { name: "pad", kind: AttributeKind::Int },
            AttributeSpec { name: "second", kind: AttributeKind::Players },
            AttributeSpec { name: "width", kind: AttributeKind::Int },
        ],
        infer,
        gradient: None,
    },
    kernel,
    accumulate: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let fixed = s.fixed()?;
    let fits = x.element.is_float() || x.fixed() == Some(fixed);
    if x.secrecy == Secrecy::Secret || !fits {
        return type_error!("makes a share of {fixed} of a float, of {fixed} or of its share, not of {x}");
    }
    if s.attributes.players("first").unwrap_or_default().is_empty() {
        return type_error!("needs the holders of the first pad");
    }
    s.size("pad")?;
    Ok(vec![Type::share(fixed, x.shape.clone())])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    match cx.node.outputs[0].fixed() {
        Some(fixed) if fixed.width() == Width::W64 => run::<u64>(cx, x, fixed),
        Some(fixed) => run::<u128>(cx, x, fixed),
        None => cx.bug("makes no share"),
    }
}

fn run<R: TensorRing>(
    cx: &Context<'_>,
    x: Tensor,
    fixed: Fixed,
) -> Result<Vec<Tensor>, KernelError> {
    let pads = pads(cx)?;
    let fraction = fixed.fraction();
    let mut out = match &x {
        Tensor::F32(_) | Tensor::F64(_) => Elements::<R>::zeros(&cx.node.outputs[0].shape),
        _ => match R::elements(x.clone()) {
            Some(elements) => elements,
            None => return cx.bug("got another ring"),
        },
    };
    match x {
        Tensor::F32(x) => encode_minus_pads(slice(&x), fraction, pads, out.make_mut()),
        Tensor::F64(x) => encode_minus_pads(slice(&x), fraction, pads, out.make_mut()),
        other => {
            // The handle goes first, so that the elements can be changed in place.
            drop(other);
            pads.into_iter().for_each(|pad| pad.sub_from(out.make_mut()));
            Ok(())
        }
    }
    .map_err(|error| out_of_range::<R>(error, fraction))?;
    Ok(vec![R::tensor(out)])
}

fn pads(cx: &Context<'_>) -> Result<Vec<Pad>, KernelError> {
    let number = u32::try_from(cx.size("pad")?).unwrap_or(u32::MAX);
    let mut pads = Vec::new();
    for (lane, name) in ["first", "second"].into_iter().enumerate() {
        let holders = cx.node.attributes.players(name).unwrap_or_default();
        if !holders.is_empty() {
            pads.push(cx.host.pad(holders, number, lane as u32, cx.step)?);
        }
    }
    Ok(pads)
}
