//! `negative(x)`: whether numbers are below zero.

use sordino_graph::{Role, Value};

use crate::kernel::Op;
use crate::truth::{self, truths};

/// Whether `x < 0`, of each element of plaintext floats or a secret: `bits1`.
///
/// Of a secret it is exact, also for the smallest unit, as long as `x` is in the range that can be
/// encoded. There is no gradient by `x`.
///
/// Source: Python array API 2023.12, `less`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 6 | 46.6 |
/// | 128 | all | exact | 7 | 96.3 |
#[track_caller]
pub fn negative(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`negative()`].
pub static OP: Op = Op::new("negative", Role::Compute, truth::of_numbers, |cx, inputs| {
    truths(cx, inputs, |x| x < 0.0, |x| x < 0.0)
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::bit_to_number;
    use crate::testing::{floats, value_of};

    #[test]
    fn zero_is_not_negative() {
        let x = floats(&[5], &[-1.0, -0.0, 0.0, 2.5, -1e-30]);
        assert_eq!(value_of(&[x], |_, x| bit_to_number(negative(x[0]))), [1.0, 0.0, 0.0, 0.0, 1.0]);
    }
}
