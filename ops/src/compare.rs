//! Comparisons and choices, made of [`negative()`], [`is_zero()`] and [`mul_bit()`]: of plaintext
//! floats or of secrets, of equal types. Truth values are `bits1`; gradients are those of what is
//! chosen. A comparison, also with a constant, costs what `negative` does, and one for equality what
//! `is_zero` does.

use sordino_graph::Value;

use crate::op::{add_constant, add_n, and, is_zero, mul_bit, negative, not, scale};

/// `x − y`.
#[track_caller]
fn difference<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    add_n([x, scale(y, -1.0)])
}

/// Whether `x > 0`.
#[track_caller]
pub fn positive(x: Value<'_>) -> Value<'_> {
    negative(scale(x, -1.0))
}

/// Whether `x < y`.
#[track_caller]
pub fn less<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    negative(difference(x, y))
}

/// Whether `x ≤ y`.
#[track_caller]
pub fn less_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(y, x))
}

/// Whether `x > y`.
#[track_caller]
pub fn greater<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    less(y, x)
}

/// Whether `x ≥ y`.
#[track_caller]
pub fn greater_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(less(x, y))
}

/// Whether `x = y`.
#[track_caller]
pub fn equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    is_zero(difference(x, y))
}

/// Whether `x ≠ y`.
#[track_caller]
pub fn not_equal<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(equal(x, y))
}

/// Whether `x < c`, for a public number.
#[track_caller]
pub fn less_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(x, -c))
}

/// Whether `x ≤ c`, for a public number.
#[track_caller]
pub fn less_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(greater_constant(x, c))
}

/// Whether `x > c`, for a public number.
#[track_caller]
pub fn greater_constant(x: Value<'_>, c: f64) -> Value<'_> {
    negative(add_constant(scale(x, -1.0), c))
}

/// Whether `x ≥ c`, for a public number.
#[track_caller]
pub fn greater_equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    not(less_constant(x, c))
}

/// Whether `x = c`, for a public number: of a secret, whether `x` is the encoding of `c`.
#[track_caller]
pub fn equal_constant(x: Value<'_>, c: f64) -> Value<'_> {
    is_zero(add_constant(x, -c))
}

/// The bits that are set in either word, or in both.
#[track_caller]
pub fn or<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    not(and(not(x), not(y)))
}

/// `x` where `b` is set, else `y`.
#[track_caller]
pub fn select<'r>(b: Value<'r>, x: Value<'r>, y: Value<'r>) -> Value<'r> {
    add_n([y, mul_bit(b, difference(x, y))])
}

/// The larger of both.
#[track_caller]
pub fn maximum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(positive(above), above)])
}

/// The smaller of both.
#[track_caller]
pub fn minimum<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    let above = difference(x, y);
    add_n([y, mul_bit(negative(above), above)])
}

/// The magnitude.
#[track_caller]
pub fn abs(x: Value<'_>) -> Value<'_> {
    add_n([x, mul_bit(negative(x), scale(x, -2.0))])
}

/// 1, 0 or −1.
#[track_caller]
pub fn sign(x: Value<'_>) -> Value<'_> {
    use crate::op::bit_to_number;
    difference(bit_to_number(positive(x)), bit_to_number(negative(x)))
}
