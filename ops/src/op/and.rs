//! `and(x, y)`: the bits that are set in both.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, map_words};

/// `x ∧ y`: the bits that are set in both words, of plaintext or secret words of one type and
/// shape.
///
/// Source: Python array API 2023.12, `bitwise_and`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes a truth value |
/// |---|---|---|---|---|
/// | 64 | all | exact | 1 | 0.375 |
/// | 128 | all | exact | 1 | 0.375 |
#[track_caller]
pub fn and<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(x).input(y).build()
}

/// See [`and()`].
pub static OP: Op = Op::new("and", Role::Compute, truth::bitwise::<2>, |cx, inputs| {
    map_words(cx, inputs, |[x, y]| x & y, |[x, y]| x & y)
});
