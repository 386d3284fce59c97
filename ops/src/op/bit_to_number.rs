//! `bit_to_number(b)`: 1 for what is true, 0 for what is not; whole numbers from binary ones.

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value, type_error};

use super::from_bits::{floats, number, numbers};
use super::to_bits::format;
use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// `Σ b[i]·2^i`: the number 1 where `b`, plaintext or secret `bits1`, is set, else 0; of words of
/// up to 16 bits, the whole number that they are in binary. A secret becomes one in the format of
/// the program, plaintext floats of the type that reveals give.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes a truth value |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 24 |
/// | 128 | all | exact | 2 | 48 |
#[track_caller]
pub fn bit_to_number(b: Value<'_>) -> Value<'_> {
    b.recording().op(&OP.spec).attr("type", number(b, format(b))).input(b).build()
}

/// See [`bit_to_number()`]. `type` is that of one number.
pub static OP: Op = Op::new("bit_to_number", Role::Compute, infer, kernel)
    .attributes(&[("type", AttributeKind::Type)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [b] = s.inputs()?;
    if !matches!(b.element, Element::Bits(1..=16)) {
        return type_error!("takes truth values or words of up to 16 bits, not {b}");
    }
    Ok(vec![numbers(s, b)?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [Tensor::Ring64(b)] = cx.inputs(inputs)? else { return cx.bug("got no truth values") };
    floats(cx, b.as_slice().iter().map(|&bit| bit as f64))
}
