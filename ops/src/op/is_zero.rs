//! `is_zero(x)`: whether numbers are zero.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, truths};

/// Whether `x = 0`, of each element of plaintext floats or a secret: `bits1`. A secret is zero if
/// its encoding is, so if it is closer to zero than to any unit.
///
/// Source: Python array API 2023.12, `equal`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 7 | 31.6 |
/// | 128 | all | exact | 8 | 63.6 |
#[track_caller]
pub fn is_zero(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`is_zero()`].
pub static OP: Op = Op::new("is_zero", Role::Compute, truth::of_numbers, |cx, inputs| {
    truths(cx, inputs, |x| x == 0.0, |x| x == 0.0)
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
