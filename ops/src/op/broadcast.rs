//! `broadcast(x, shape)`: repeats a tensor along axes that it lacks.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::{reduce_sum, reshape};
use crate::kernel::{Context, KernelError, Op};
use crate::tensor::arrange::View;
use crate::value::Tensor;

/// `x` repeated to `shape`, by the rules of NumPy: axes are matched from the last to the first, and
/// each of `x` is as large as that of `shape`, or of size 1, or missing. Takes values of any type.
///
/// Source: Python array API 2023.12, `broadcast_to`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn broadcast<'r>(x: Value<'r>, shape: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("shape", shape).input(x).build()
}

/// See [`broadcast()`].
pub static OP: Op = Op::new("broadcast", Role::Arrange, infer, kernel)
    .attributes(&[("shape", AttributeKind::Ints)])
    .gradient(gradient);

/// The axes that two tensors have after each is broadcast to the other; `None` where they have
/// different sizes, of which none is 1.
pub(super) fn common_axes(x: &[usize], y: &[usize]) -> Option<Vec<usize>> {
    let rank = x.len().max(y.len());
    let size = |axes: &[usize], i: usize| (i + axes.len()).checked_sub(rank).map_or(1, |i| axes[i]);
    (0..rank)
        .map(|i| match (size(x, i), size(y, i)) {
            (1, n) | (n, 1) => Some(n),
            (n, m) => (n == m).then_some(n),
        })
        .collect()
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let shape = s.shape("shape")?;
    if common_axes(x.shape.axes(), shape.axes()).is_some_and(|axes| axes == shape.axes()) {
        Ok(vec![x.with_shape(shape)])
    } else {
        type_error!("cannot repeat {x} to {shape}: sizes must agree or be 1")
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let types = b.inputs[0].ty().zip(b.outputs[0].ty());
    let sum = b.gradient().zip(types).map(|(dy, (x, y))| {
        let (from, to) = (x.shape.axes(), y.shape.axes());
        let missing = to.len() - from.len();
        let repeated =
            (0..to.len()).filter(|&i| i < missing || (from[i - missing] == 1 && to[i] != 1));
        let repeated: Vec<_> = repeated.collect();
        if repeated.is_empty() { dy } else { reshape(reduce_sum(dy, &repeated, false), from) }
    });
    vec![sum]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.viewed(&x, &View::broadcast(x.axes(), cx.node.outputs[0].shape.axes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_gradients, check_values, fault, input};

    #[test]
    fn repeats() {
        let x = (&[2, 1][..], &[1, 2][..]);
        let expected = [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2];
        check_values(ANY, &[x], (&[2, 2, 3], &expected), |_, x| broadcast(x[0], &[2, 2, 3]));
        check_values(ANY, &[(&[], &[7])], (&[3], &[7, 7, 7]), |_, x| broadcast(x[0], &[3]));
        check_values(ANY, &[(&[1], &[7])], (&[1, 0], &[]), |_, x| broadcast(x[0], &[1, 0]));
        check_values(ANY, &[(&[0, 1], &[])], (&[0, 4], &[]), |_, x| broadcast(x[0], &[0, 4]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 1]], |_, x| broadcast(x[0], &[2, 3, 4]));
        check_gradients(&[&[1, 2, 1]], |_, x| broadcast(x[0], &[1, 2, 3]));
        check_gradients(&[&[2, 3]], |_, x| broadcast(x[0], &[2, 3]));
        check_gradients(&[&[]], |_, x| broadcast(x[0], &[2, 2]));
    }

    #[test]
    fn sizes_agree_or_are_one() {
        for fault in [
            fault(|g| {
                broadcast(input(g, "x", &[2, 3]), &[2, 6]);
            }),
            fault(|g| {
                broadcast(input(g, "x", &[2, 3]), &[3]);
            }),
        ] {
            assert!(fault.contains("broadcast cannot repeat f32[2,3] to ["), "{fault}");
            assert!(fault.contains("broadcast.rs:"), "{fault}");
        }
    }
}
