//! `tile(x, repeats)`: a tensor several times along each axis.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value};

use super::{reduce_sum, reshape};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange::View;
use crate::value::Tensor;

/// `y[i, ..] = x[i mod n, ..]` for each axis of n elements: `x` put together `repeats[i]` times
/// along axis `i`. Takes values of any type.
///
/// Source: Python array API 2023.12, `tile`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn tile<'r>(x: Value<'r>, repeats: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("repeats", repeats).input(x).build()
}

/// See [`tile()`].
pub static OP: Op = Op::new("tile", Role::Arrange, infer, kernel)
    .attributes(&[("repeats", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let repeats = rules::sizes_of(s, "repeats", x)?;
    let each = x.shape.axes().iter().zip(&repeats);
    let axes: Vec<_> = each.map(|(n, repeats)| n.saturating_mul(*repeats)).collect();
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

/// Axis by axis, the sum of the repetitions: a tensor may have as many axes as there can be.
fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let types = b.inputs[0].ty().zip(b.outputs[0].ty());
    let repeats = b.attributes.ints("repeats").unwrap_or_default();
    let sum = b.gradient().zip(types).map(|(mut dy, (x, y))| {
        let mut axes = y.shape.axes().to_vec();
        for (axis, (&n, &repeats)) in x.shape.axes().iter().zip(repeats).enumerate() {
            if repeats != 1 {
                let inner = n * axes[axis + 1..].iter().product::<usize>();
                let outer = axes[..axis].iter().product();
                dy = reduce_sum(reshape(dy, &[outer, repeats as usize, inner]), &[1], false);
                axes[axis] = n;
                dy = reshape(dy, &axes);
            }
        }
        dy
    });
    vec![sum]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.viewed(&x, &View::tiled(x.axes(), &cx.sizes("repeats")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_gradients, check_values, fault, input};

    #[test]
    fn repeats_whole_tensors() {
        let x = (&[2, 2][..], &[1, 2, 3, 4][..]);
        let expected = [1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4];
        check_values(ANY, &[x], (&[4, 4], &expected), |_, x| tile(x[0], &[2, 2]));
        check_values(ANY, &[x], (&[2, 0], &[]), |_, x| tile(x[0], &[1, 0]));
        check_values(ANY, &[(&[], &[7])], (&[], &[7]), |_, x| tile(x[0], &[]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3]], |_, x| tile(x[0], &[3, 2]));
        check_gradients(&[&[1, 2, 1, 1, 2, 1, 1, 2]], |_, x| tile(x[0], &[1, 2, 1, 1, 1, 1, 3, 1]));
    }

    #[test]
    fn a_number_for_each_axis() {
        let fault = fault(|g| {
            tile(input(g, "x", &[2, 3]), &[2]);
        });
        assert!(fault.contains("takes repeats for each axis of f32[2,3], not [2]"), "{fault}");
    }
}
