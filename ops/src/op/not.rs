//! `not(x)`: the bits that are not set.

use sordino_graph::{Role, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{self, map_words, ones};
use crate::value::Tensor;

/// `¬x`: plaintext or secret words with every bit turned over.
///
/// Source: Python array API 2023.12, `bitwise_invert`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn not(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`not()`].
pub static OP: Op = Op::new("not", Role::Compute, truth::bitwise::<1>, kernel);

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let ones = ones(cx.node.outputs[0].bits().unwrap_or(128));
    map_words(cx, inputs, |[x]| x ^ ones as u64, |[x]| x ^ ones)
}
