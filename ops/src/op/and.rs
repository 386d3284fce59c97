//! `and(x, y)`: the bits that are set in both.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, map_words};

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
pub static OP: Op = Op::new("and", Role::Compute, truth::bitwise::<2>, |cx, inputs| {
    map_words(cx, inputs, |[x, y]| x & y, |[x, y]| x & y)
});
