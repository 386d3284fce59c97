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
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn positive(x: Value<'_>) -> Value<'_> {
    negative(scale(x, -1.0))
}

/// Whether `x < y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn less<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    negative(difference(x, y))
}

/// Whether `x ≤ y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn less_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(y, x))
}

/// Whether `x > y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn greater<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    less(y, x)
}

/// Whether `x ≥ y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(x, y))
}

/// Whether `x = y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 7 | 31.6 |
/// | 128 | exact | 8 | 63.6 |
#[track_caller]
pub fn equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    is_zero(difference(x, y))
}

/// Whether `x ≠ y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 7 | 31.6 |
/// | 128 | exact | 8 | 63.6 |
#[track_caller]
pub fn not_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(equal(x, y))
}

/// Whether `x < c`, for a public number.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn less_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(x, -c))
}

/// Whether `x ≤ c`, for a public number.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn less_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(greater_constant(x, c))
}

/// Whether `x > c`, for a public number.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(scale(x, -1.0), c))
}

/// Whether `x ≥ c`, for a public number.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 6 | 46.6 |
/// | 128 | exact | 7 | 96.3 |
#[track_caller]
pub fn greater_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(less_constant(x, c))
}

/// Whether `x = c`, for a public number: of a secret, whether `x` is the encoding of `c`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 7 | 31.6 |
/// | 128 | exact | 8 | 63.6 |
#[track_caller]
pub fn equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    is_zero(add_constant(x, -c))
}

/// The bits that are set in either word, or in both.
///
/// | bits | error at most | rounds | bytes a truth value |
/// |---|---|---|---|
/// | 64 | exact | 1 | 0.375 |
/// | 128 | exact | 1 | 0.375 |
#[track_caller]
pub fn or<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(and(not(x), not(y)))
}

/// `x` where `b` is set, else `y`.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 2 | 32 |
/// | 128 | exact | 2 | 64 |
#[track_caller]
pub fn select<'r>(b: Value<'r>, x: Value<'r>, y: Value<'r>) -> Value<'r> {
    add_n([y, mul_bit(b, difference(x, y))])
}

/// The larger of both.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 8 | 78.5 |
/// | 128 | exact | 8 | 160.1 |
#[track_caller]
pub fn maximum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(positive(above), above)])
}

/// The smaller of both.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 8 | 78.5 |
/// | 128 | exact | 8 | 160.1 |
#[track_caller]
pub fn minimum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(negative(above), above)])
}

/// The magnitude.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 8 | 78.5 |
/// | 128 | exact | 8 | 160.1 |
#[track_caller]
pub fn abs(x: Value<'_>) -> Value<'_> {
    add_n([x, mul_bit(negative(x), scale(x, -2.0))])
}

/// 1, 0 or −1.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 8 | 141 |
/// | 128 | exact | 8 | 288.3 |
#[track_caller]
pub fn sign(x: Value<'_>) -> Value<'_> {
    use crate::op::bit_to_number;
    difference(bit_to_number(positive(x)), bit_to_number(negative(x)))
}
