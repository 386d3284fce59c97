//! Comparisons and choices, made of [`negative()`], [`is_zero()`] and [`mul_bit()`]: of plaintext
//! floats or of secrets, of equal types. Truth values are `bits1`; gradients are those of what is
//! chosen.

use sordino_graph::Value;

use crate::op::{add_constant, add_n, and, is_zero, mul_bit, negative, not, scale};

/// `x − y`.
#[track_caller]
fn difference<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    add_n([x, scale(y, -1.0)])
}

/// Whether `x > 0`.
///
/// Source: Python array API 2023.12, `greater`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn positive(x: Value<'_>) -> Value<'_> {
    negative(scale(x, -1.0))
}

/// Whether `x < y`.
///
/// Source: Python array API 2023.12, `less`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn less<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    negative(difference(x, y))
}

/// Whether `x ≤ y`.
///
/// Source: Python array API 2023.12, `less_equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn less_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(y, x))
}

/// Whether `x > y`.
///
/// Source: Python array API 2023.12, `greater`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn greater<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    less(y, x)
}

/// Whether `x ≥ y`.
///
/// Source: Python array API 2023.12, `greater_equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(x, y))
}

/// Whether `x = y`.
///
/// Source: Python array API 2023.12, `equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 7 | 31.6 |
/// | 128 | all | exact | 8 | 63.6 |
#[track_caller]
pub fn equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    is_zero(difference(x, y))
}

/// Whether `x ≠ y`.
///
/// Source: Python array API 2023.12, `not_equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 7 | 31.6 |
/// | 128 | all | exact | 8 | 63.6 |
#[track_caller]
pub fn not_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(equal(x, y))
}

/// Whether `x < c`, for a public number.
///
/// Source: Python array API 2023.12, `less`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn less_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(x, -c))
}

/// Whether `x ≤ c`, for a public number.
///
/// Source: Python array API 2023.12, `less_equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn less_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(greater_constant(x, c))
}

/// Whether `x > c`, for a public number.
///
/// Source: Python array API 2023.12, `greater`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(scale(x, -1.0), c))
}

/// Whether `x ≥ c`, for a public number.
///
/// Source: Python array API 2023.12, `greater_equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(less_constant(x, c))
}

/// Whether `x = c`, for a public number: of a secret, whether `x` is the encoding of `c`.
///
/// Source: Python array API 2023.12, `equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 7 | 31.6 |
/// | 128 | all | exact | 8 | 63.6 |
#[track_caller]
pub fn equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    is_zero(add_constant(x, -c))
}

/// `x ∨ y`: the bits that are set in either word, or in both.
///
/// Source: Python array API 2023.12, `bitwise_or`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes a truth value |
/// |---|---|---|---|---|
/// | 64 | all | exact | 1 | 0.375 |
/// | 128 | all | exact | 1 | 0.375 |
#[track_caller]
pub fn or<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(and(not(x), not(y)))
}

/// `x` where `b` is set, else `y`.
///
/// Source: Python array API 2023.12, `where`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 32 |
/// | 128 | all | exact | 2 | 64 |
#[track_caller]
pub fn select<'r>(b: Value<'r>, x: Value<'r>, y: Value<'r>) -> Value<'r> {
    add_n([y, mul_bit(b, difference(x, y))])
}

/// `max(x, y)`.
///
/// Source: Python array API 2023.12, `maximum`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 8 | 78.5 |
/// | 128 | all | exact | 8 | 160.1 |
#[track_caller]
pub fn maximum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(positive(above), above)])
}

/// `min(x, y)`.
///
/// Source: Python array API 2023.12, `minimum`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 8 | 78.5 |
/// | 128 | all | exact | 8 | 160.1 |
#[track_caller]
pub fn minimum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(negative(above), above)])
}

/// `|x|`.
///
/// Source: Python array API 2023.12, `abs`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 8 | 78.5 |
/// | 128 | all | exact | 8 | 160.1 |
#[track_caller]
pub fn abs(x: Value<'_>) -> Value<'_> {
    add_n([x, mul_bit(negative(x), scale(x, -2.0))])
}

/// `1` where `x > 0`, `−1` where `x < 0`, else `0`.
///
/// Source: Python array API 2023.12, `sign`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 8 | 141 |
/// | 128 | all | exact | 8 | 288.3 |
#[track_caller]
pub fn sign(x: Value<'_>) -> Value<'_> {
    use crate::op::bit_to_number;
    difference(bit_to_number(positive(x)), bit_to_number(negative(x)))
}
