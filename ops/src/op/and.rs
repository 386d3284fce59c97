//! `and(x, y)`: the bits that are set in both.

use sordino_graph::{Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{expect_words, map_words};
use crate::value::Tensor;

/// The bits that are set in both words, of plaintext or secret words of one type and shape.
///
/// | bits | error at most | rounds | bytes a truth value |
/// |---|---|---|---|
/// | 64 | exact | 1 | 0.375 |
/// | 128 | exact | 1 | 0.375 |
#[track_caller]
pub fn and<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(y).build()
}

/// See [`and()`].
pub static OP: Op = Op::new("and", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    Ok(vec![expect_words::<2>(s)?.clone()])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    map_words(cx, inputs, |[x, y]| x & y, |[x, y]| x & y)
}
