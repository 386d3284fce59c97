//! `to_bits(x)`: numbers as the words that encode them.

use sordino_graph::{
    AttributeKind, Element, Fixed, Role, Secrecy, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::ring::Ring;
use crate::value::{Elements, Tensor, TensorRing};

/// `round(x · 2^fraction)` modulo 2^width: the words of 64 or 128 bits that encode `x` in fixed
/// point, in two's complement: of a secret, its own format; of plaintext floats, that of the
/// program.
///
/// Source: [ABY3](crate::protocol::aby3); Sklansky, *Conditional-sum addition logic* (1960).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 7 | 88.5 |
/// | 128 | all | exact | 8 | 193.8 |
#[track_caller]
pub fn to_bits(x: Value<'_>) -> Value<'_> {
    let fixed = format(x);
    let op = x.recording().op(&OP.spec).attr("width", fixed.width().bits());
    op.attr("fraction", fixed.fraction()).input(x).build()
}

/// The format of a secret, or else that of the program.
pub(super) fn format(x: Value<'_>) -> Fixed {
    let program = || x.recording().setup().secure.as_ref().map(|secure| secure.fixed);
    x.ty().and_then(|ty| ty.fixed()).or_else(program).unwrap_or(Fixed::LOW)
}

/// See [`to_bits()`].
pub static OP: Op = Op::new("to_bits", Role::Compute, infer, kernel)
    .attributes(&[("fraction", AttributeKind::Int), ("width", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let fixed = s.fixed()?;
    if rules::number(x)?.secrecy == Secrecy::Secret && x.fixed() != Some(fixed) {
        return type_error!("has the format of {x}, not {fixed}");
    }
    Ok(vec![x.with_element(Element::Bits(fixed.width().bits() as u8))])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let Some(x) = x.to_f64() else { return cx.bug("got no floats") };
    if cx.size("width")? == 64 { run::<u64>(cx, &x) } else { run::<u128>(cx, &x) }
}

fn run<R: TensorRing>(cx: &Context<'_>, x: &[f64]) -> Result<Vec<Tensor>, KernelError> {
    let unit = (cx.size("fraction")? as f64).exp2();
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    for (out, x) in out.make_mut().iter_mut().zip(x) {
        *out = Ring::from_whole((x * unit).round_ties_even());
    }
    Ok(vec![R::tensor(out)])
}
