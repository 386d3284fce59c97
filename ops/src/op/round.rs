//! `round(x)`: the nearest whole numbers.

use sordino_graph::{Expanding, Role, Value};

use super::{add_constant, floor};
use crate::approximate::map;
use crate::kernel::Op;
use crate::rules;

/// `⌊x + ½⌋`, the whole number nearest to `x`, the larger of two: plaintext floats or a secret. No
/// gradient.
///
/// See [`floor()`].
///
/// Source: Python array API 2023.12, `floor`.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 9 | 84.5 |
/// | 128 | all | exact | 9 | 172.1 |
#[track_caller]
pub fn round(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`round()`].
pub static OP: Op =
    Op::new("round", Role::Compute, rules::elementwise, |cx, inputs| map(cx, inputs, half_up))
        .expand(|e: &Expanding<'_, '_>| vec![floor(add_constant(e.inputs[0], 0.5))]);

/// Without x + ½, which floats round.
fn half_up(x: f64) -> f64 {
    let below = x.floor();
    if x - below < 0.5 { below } else { below + 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{floats, value_of};

    #[test]
    fn halves_go_up() {
        let x = floats(&[6], &[-1.5, -0.5, 0.499_999_97, 0.5, 1.5, -0.6]);
        assert_eq!(value_of(&[x], |_, x| round(x[0])), [-1.0, 0.0, 0.0, 1.0, 2.0, -1.0]);
    }
}
