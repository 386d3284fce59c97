//! `pad_zeros(x, before, after)`: a tensor with zeros around it.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value};

use super::slice;
use crate::items::for_items;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange::embed;
use crate::value::Tensor;

/// `y[i + before] = x[i]`, else 0: `x` with `before[i]` zeros in front of it and `after[i]` behind
/// it along axis `i`. Takes values of any type.
///
/// Source: ONNX `Pad`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn pad_zeros<'r>(x: Value<'r>, before: &[usize], after: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("before", before).attr("after", after).input(x).build()
}

/// See [`pad_zeros()`].
pub static OP: Op = Op::new("pad_zeros", Role::Arrange, infer, kernel)
    .attributes(&[("after", AttributeKind::Ints), ("before", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let (before, after) = (rules::sizes_of(s, "before", x)?, rules::sizes_of(s, "after", x)?);
    let each = x.shape.axes().iter().zip(before.iter().zip(&after));
    let axes: Vec<_> = each.map(|(n, (b, a))| n.saturating_add(*b).saturating_add(*a)).collect();
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let shape = b.inputs[0].ty().map(|ty| ty.shape);
    let begin = b.attributes.ints("before").unwrap_or_default();
    let inner = b.gradient().zip(shape).map(|(dy, shape)| {
        let end: Vec<_> = begin.iter().zip(shape.axes()).map(|(b, &n)| b + n as i64).collect();
        slice(dy, begin, &end, &vec![1; end.len()])
    });
    vec![inner]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let (before, outer) = (cx.sizes("before")?, cx.node.outputs[0].shape.axes());
    for_items!(&x, T => {
        let elements = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| embed(x.axes(), elements, outer, &before, out)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_faults, check_gradients, check_values, fault, input};

    #[test]
    fn surrounds() {
        let x = (&[2, 2][..], &[1, 2, 3, 4][..]);
        let expected = [0, 1, 2, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0];
        check_values(ANY, &[x], (&[3, 5], &expected), |_, x| pad_zeros(x[0], &[0, 1], &[1, 2]));
        check_values(ANY, &[(&[], &[7])], (&[], &[7]), |_, x| pad_zeros(x[0], &[], &[]));
        check_values(ANY, &[(&[0], &[])], (&[2], &[0, 0]), |_, x| pad_zeros(x[0], &[1], &[1]));
        check_values(ANY, &[x], (&[2, 2], &[1, 2, 3, 4]), |_, x| pad_zeros(x[0], &[0, 0], &[0, 0]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 1, 3]], |_, x| pad_zeros(x[0], &[1, 0, 2], &[0, 2, 1]));
    }

    #[test]
    fn zeros_for_each_axis() {
        let faults = [
            fault(|g| {
                pad_zeros(input(g, "x", &[2, 3]), &[1], &[1, 1]);
            }),
            fault(|g| {
                pad_zeros(input(g, "x", &[2]), &[1], &[usize::MAX]);
            }),
        ];
        let expected = ["takes before for each axis of f32[2,3], not [1]", "has the axes"];
        check_faults(faults, expected);
    }
}
