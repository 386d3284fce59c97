//! `shift_left(x, n)`, `shift_right(x, n)`: words with their bits moved.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{expect_words, map_words, ones};
use crate::value::Tensor;

/// `x · 2^n` modulo 2^width: plaintext or secret words with every bit moved `n` places up; what
/// leaves the word is lost.
///
/// Source: ONNX `BitShift`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn shift_left(x: Value<'_>, n: usize) -> Value<'_> {
    x.recording().op(&OP.spec).attr("by", n).input(x).build()
}

/// `⌊x / 2^n⌋`: plaintext or secret words, as numbers that are not negative, with every bit moved
/// `n` places down; zeros come in at the top.
///
/// Source: ONNX `BitShift`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn shift_right(x: Value<'_>, n: usize) -> Value<'_> {
    let by = i64::try_from(n).unwrap_or(i64::MAX);
    x.recording().op(&OP.spec).attr("by", -by).input(x).build()
}

/// Words with every bit moved `by` places up, or down if that is negative.
pub static OP: Op =
    Op::new("shift", Role::Compute, infer, kernel).attributes(&[("by", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let x = expect_words::<1>(s)?;
    match s.attributes.int("by") {
        Some(-1024..=1024) => Ok(vec![x.clone()]),
        _ => type_error!("moves bits of {x} by at most 1024 places"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let by = cx.node.attributes.int("by").unwrap_or(0) as i32;
    let ones = ones(cx.node.outputs[0].bits().unwrap_or(128));
    let n = by.unsigned_abs();
    map_words(
        cx,
        inputs,
        |[x]| if by < 0 { x.unbounded_shr(n) } else { x.unbounded_shl(n) & ones as u64 },
        |[x]| if by < 0 { x.unbounded_shr(n) } else { x.unbounded_shl(n) & ones },
    )
}
