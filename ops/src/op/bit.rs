//! `bit(x, index)`: one bit of words.

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{expect_words, map_words};
use crate::value::Tensor;

/// `⌊x / 2^index⌋ mod 2`: the bit `index`, the lowest being 0, of plaintext or secret words, as
/// `bits1`.
///
/// Source: ONNX `BitShift`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn bit(x: Value<'_>, index: usize) -> Value<'_> {
    x.recording().op(&OP.spec).attr("index", index).input(x).build()
}

/// See [`bit()`].
pub static OP: Op =
    Op::new("bit", Role::Compute, infer, kernel).attributes(&[("index", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let x = expect_words::<1>(s)?;
    if s.size("index")? >= x.expect_bits()? as usize {
        return type_error!("takes a bit that {x} has");
    }
    Ok(vec![x.with_element(Element::BIT)])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let index = cx.size("index")?;
    map_words(cx, inputs, |[x]| x >> index & 1, |[x]| x >> index & 1)
}
