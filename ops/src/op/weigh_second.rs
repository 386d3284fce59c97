//! `weigh_second(v, part)`: the part that server 1 or 2 has of sums of what bits weigh.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use super::weigh_first::{stack_type, weighing};
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::ring::{Ring, sub_assign};
use crate::value::{Elements, Tensor, TensorRing};

/// The player's part of the sums, less a pad of `holders`; see
/// [`tensor::weighing`](crate::tensor::weighing). The player that is `first` adds the constants.
/// Returns them, and the pad, which is a summand of the result.
pub static OP: Op = Op::new("weigh_second", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("constants", AttributeKind::Reals),
    ("first", AttributeKind::Flag),
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("type", AttributeKind::Type),
    ("weights", AttributeKind::Reals),
    ("words", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [v, part] = s.inputs()?;
    let (ty, shared, _) = weighing(s, v)?;
    if *part != shared {
        return type_error!("takes its part of the bits, {shared}, not {part}");
    }
    let constants = s.attributes.reals("constants").unwrap_or_default();
    if constants.len() != ty.shape.axes()[0] {
        return type_error!("takes a constant for each row");
    }
    Ok(vec![ty.clone(), ty])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [v, part] = cx.inputs(inputs)?;
    let Some(v) = u64::elements(v) else { return cx.bug("got no stack") };
    let Some(part) = R::elements(part) else { return cx.bug("got no shares of its ring") };
    let (ty, _, weighing) = weighing(&cx.signature(), &stack_type(&v))?;
    let mut out = Elements::<R>::zeros(&ty.shape);
    let first = cx.flag("first");
    if first {
        let unit = ty.fixed().map_or(1.0, |fixed| (1u64 << fixed.fraction()) as f64);
        let constants = cx.node.attributes.reals("constants").unwrap_or_default();
        let n = ty.shape.axes()[1].max(1);
        for (row, constant) in out.make_mut().chunks_mut(n).zip(constants) {
            row.fill(<R as Ring>::from_whole((constant * unit).round()));
        }
    }
    let mut pad = Elements::<R>::zeros(&ty.shape);
    cx.lone_pad()?.fill(pad.make_mut());
    sub_assign(out.make_mut(), pad.as_slice());
    weighing.weigh(v.as_slice(), part.as_slice(), first, out.make_mut());
    Ok(vec![R::tensor(out), R::tensor(pad)])
}
