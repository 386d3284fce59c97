//! `xor(x, y)`: the bits that are set in one.

use sordino_graph::{Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{expect_words, map_words};
use crate::value::Tensor;

/// The bits that are set in just one of both words, of plaintext or secret words of one type and
/// shape.
///
/// Of secrets exact, and without a message.
#[track_caller]
pub fn xor<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(y).build()
}

/// See [`xor()`].
pub static OP: Op = Op::new("xor", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    Ok(vec![expect_words::<2>(s)?.clone()])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    map_words(cx, inputs, |[x, y]| x ^ y, |[x, y]| x ^ y)
}
