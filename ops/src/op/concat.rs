//! `concat(xs, axis)`: tensors one after the other along an axis.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::slice_axis;
use crate::items::{Item, for_items};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange;
use crate::value::Tensor;

/// `y[.., i, ..] = x[0][.., i, ..]`, then `x[1]` and on: the tensors one after the other along
/// `axis`; their other axes are equal. Takes values of any one type.
///
/// Source: Python array API 2023.12, `concat`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
///
/// # Panics
/// When there is nothing to put together.
#[track_caller]
pub fn concat<'r>(parts: impl IntoIterator<Item = Value<'r>>, axis: usize) -> Value<'r> {
    let parts: Vec<_> = parts.into_iter().collect();
    let first = parts.first().expect("concat takes at least one value");
    first.recording().op(&OP.spec).attr("axis", axis).inputs(parts.iter().copied()).build()
}

/// See [`concat()`].
pub static OP: Op = Op::new("concat", Role::Arrange, infer, kernel)
    .attributes(&[("axis", AttributeKind::Int)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&first, rest)) = s.inputs.split_first() else {
        return type_error!("needs at least one input");
    };
    let axis = rules::axis(s, first)?;
    let mut axes = first.shape.axes().to_vec();
    for &other in rest {
        let sizes = || axes.iter().zip(other.shape.axes()).enumerate();
        let kind = (first.secrecy, first.element) == (other.secrecy, other.element);
        let rank = axes.len() == other.shape.rank();
        if !kind || !rank || sizes().any(|(i, (n, m))| i != axis && n != m) {
            return type_error!("cannot put {first} and {other} together along axis {axis}");
        }
        axes[axis] = axes[axis].saturating_add(other.shape.axes()[axis]);
    }
    Ok(vec![first.with_shape(rules::shape(&axes)?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let axis = b.attributes.int("axis").unwrap_or_default() as usize;
    let mut begin = 0;
    let part = |x: &Value<'r>| {
        let end = begin + x.ty()?.shape.axes()[axis];
        let part = b.gradient().map(|dy| slice_axis(dy, axis, begin..end));
        begin = end;
        part
    };
    b.inputs.iter().map(part).collect()
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let Some(first) = inputs.first() else { return cx.bug("got nothing") };
    for_items!(first, T => run::<T>(cx, &inputs))
}

fn run<T: Item>(cx: &Context<'_>, inputs: &[Tensor]) -> Result<Vec<Tensor>, KernelError> {
    let axis = cx.size("axis")?;
    let part = |x| Ok((cx.items::<T>(x)?, x.axes()[axis..].iter().product()));
    let parts = inputs.iter().map(part).collect::<Result<Vec<_>, KernelError>>()?;
    Ok(cx.output::<T>(|out| arrange::concat(&parts, out)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_gradients, check_values, fault, input, labels};

    #[test]
    fn puts_together() {
        let x = (&[2, 1][..], &[1, 2][..]);
        let y = (&[2, 2][..], &[3, 4, 5, 6][..]);
        let empty = (&[2, 0][..], &[][..]);
        check_values(ANY, &[x, empty, y], (&[2, 3], &[1, 3, 4, 2, 5, 6]), |_, x| {
            concat(x.iter().copied(), 1)
        });
        check_values(ANY, &[y, y], (&[4, 2], &[3, 4, 5, 6, 3, 4, 5, 6]), |_, x| {
            concat([x[0], x[1]], 0)
        });
        check_values(ANY, &[x], (&[2, 1], &[1, 2]), |_, x| concat([x[0]], 0));
        check_values(ANY, &[empty, empty], (&[2, 0], &[]), |_, x| concat([x[0], x[1]], 1));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 1, 2], &[2, 3, 2]], |_, x| concat([x[0], x[1], x[0]], 1));
        check_gradients(&[&[2], &[1]], |_, x| concat([x[0], x[1]], 0));
    }

    #[test]
    fn other_axes_and_types_are_equal() {
        for fault in [
            fault(|g| {
                concat([input(g, "x", &[2, 3]), input(g, "y", &[3, 3])], 1);
            }),
            fault(|g| {
                concat([input(g, "x", &[2]), input(g, "y", &[2, 1])], 0);
            }),
            fault(|g| {
                concat([input(g, "x", &[2]), labels(g, 2)], 0);
            }),
        ] {
            assert!(fault.contains("concat cannot put f32[2"), "{fault}");
        }
        let fault = fault(|g| {
            concat([input(g, "x", &[])], 0);
        });
        assert!(fault.contains("no axis 0 in f32[]"), "{fault}");
    }
}
