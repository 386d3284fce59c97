//! `is_zero(x)`: whether numbers are zero.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, truths};

/// Whether each element of `x`, plaintext floats or a secret, is zero: `bits1`. A secret is zero if
/// its encoding is, so if it is closer to zero than to any unit.
///
/// | bits | error at most | rounds | bytes an element |
/// |---|---|---|---|
/// | 64 | exact | 7 | 31.6 |
/// | 128 | exact | 8 | 63.6 |
#[track_caller]
pub fn is_zero(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`is_zero()`].
pub static OP: Op = Op::new("is_zero", Role::Compute, truth::of_numbers, |cx, inputs| {
    truths(cx, inputs, |x| x == 0.0)
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::bit_to_number;
    use crate::testing::{floats, value_of};

    #[test]
    fn both_zeros_are() {
        let x = floats(&[4], &[-1.0, -0.0, 0.0, 1e-30]);
        assert_eq!(value_of(&[x], |_, x| bit_to_number(is_zero(x[0]))), [0.0, 1.0, 1.0, 0.0]);
    }
}
