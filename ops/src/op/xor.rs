//! `xor(x, y)`: the bits that are set in one.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, map_words};

/// `x ⊕ y`: the bits that are set in just one of both words, of plaintext or secret words of one
/// type and shape.
///
/// Source: Python array API 2023.12, `bitwise_xor`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn xor<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(y).build()
}

/// See [`xor()`].
pub static OP: Op = Op::new("xor", Role::Compute, truth::bitwise::<2>, |cx, inputs| {
    map_words(cx, inputs, |[x, y]| x ^ y, |[x, y]| x ^ y)
});
