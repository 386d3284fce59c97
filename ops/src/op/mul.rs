//! `mul(x, y)`: products of elements.

use sordino_graph::{Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::arithmetic::together;
use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice, slice_mut};

/// `x · y`, element by element, of plaintext floats or of secrets, with both repeated to a common
/// shape, see [`broadcast()`](super::broadcast()).
///
/// Of secrets it is truncated, without large errors: see the
/// [truncation](crate::tensor::truncation). Source: Mohassel and Rindal, *ABY3* (CCS 2018), section
/// 3.2.
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | 1 unit | 2 | 30 |
/// | 128 | products below 2^62 | 1 unit | 2 | 60 |
#[track_caller]
pub fn mul<'r>(x: Value<'r>, y: Value<'r>) -> Value<'r> {
    match together("mul", x, y) {
        Ok((x, y)) => x.recording().op(&OP.spec).input(x).input(y).build(),
        Err(faulty) => faulty,
    }
}

/// See [`mul()`]. Both inputs have one type.
pub static OP: Op = Op::new("mul", Role::Compute, infer, kernel).gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x, y] = s.inputs()?;
    if x != y {
        return type_error!("multiplies values of one type, not {x} and {y}");
    }
    Ok(vec![x.expect_number()?.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let [x, y] = b.inputs[..] else { return vec![] };
    let by = |other| b.gradient().map(|dy| mul(dy, other));
    vec![by(y), by(x)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    fn run<T: Copy + std::ops::MulAssign>(x: &mut [T], y: &[T]) {
        x.iter_mut().zip(y).for_each(|(x, y)| *x *= *y);
    }
    let [mut x, y] = cx.inputs(inputs)?;
    match (&mut x, &y) {
        (Tensor::F32(x), Tensor::F32(y)) => run(slice_mut(x), slice(y)),
        (Tensor::F64(x), Tensor::F64(y)) => run(slice_mut(x), slice(y)),
        _ => return cx.bug("got no floats of one kind"),
    }
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOATS, check_gradients, check_values, fault, input};

    #[test]
    fn multiplies() {
        let (x, y) = ((&[2, 2][..], &[6, 8, -9, 4][..]), (&[2][..], &[3, -2][..]));
        check_values(FLOATS, &[x, y], (&[2, 2], &[18, -16, -27, -8]), |_, x| mul(x[0], x[1]));
        check_values(FLOATS, &[(&[0], &[]), (&[], &[1])], (&[0], &[]), |_, x| mul(x[0], x[1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 2], &[2, 2]], |_, x| mul(x[0], mul(x[1], x[0])));
        check_gradients(&[&[2, 3], &[2, 1]], |_, x| mul(x[1], x[0]));
    }

    #[test]
    fn shapes_fit() {
        let fault = fault(|g| {
            mul(input(g, "x", &[2]), input(g, "y", &[3]));
        });
        assert!(fault.contains("mul cannot repeat f32[2] and f32[3] to one shape"), "{fault}");
    }
}
