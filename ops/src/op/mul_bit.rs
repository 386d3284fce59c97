//! `mul_bit(b, x)`: numbers where bits are set.

use sordino_graph::{Backward, Element, Role, Signature, Type, TypeError, Value, type_error};

use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// `x` where `b` is set, else 0: both plaintext, or both secret.
///
/// Shapes: equal; `b` is `bits1`. Of secrets it is exact. The gradient by `x` is that of a constant
/// `b`.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 32 |
/// | 128 | all | exact | 2 | 64 |
#[track_caller]
pub fn mul_bit<'r>(b: Value<'r>, x: Value<'r>) -> Value<'r> {
    x.recording().op(&OP.spec).input(b).input(x).build()
}

/// See [`mul_bit()`].
pub static OP: Op = Op::new("mul_bit", Role::Compute, infer, kernel).gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [b, x] = s.inputs()?;
    if *b != rules::number(x)?.with_element(Element::BIT) {
        return type_error!("takes truth values and as many numbers, not {b} and {x}");
    }
    Ok(vec![x.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![None, b.gradient().map(|dy| mul_bit(b.inputs[0], dy))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [Tensor::Ring64(b), x] = cx.inputs(inputs)? else { return cx.bug("got no bits") };
    for_floats!(cx, &x, T => run::<T>(cx, b.as_slice(), x))
}

fn run<T: Item>(cx: &Context<'_>, b: &[u64], mut x: Tensor) -> Result<Vec<Tensor>, KernelError> {
    let each = cx.items_mut::<T>(&mut x)?.iter_mut().zip(b);
    each.for_each(|(x, &b)| *x = if b == 0 { T::default() } else { *x });
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::negative;
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn keeps_what_is_marked() {
        let x = floats(&[3], &[-1.0, 0.0, 2.5]);
        assert_eq!(value_of(&[x], |_, x| mul_bit(negative(x[0]), x[0])), [-1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[4, 5]], |_, x| mul_bit(negative(x[0]), x[0]));
    }
}
