//! `scatter(x, indices, axis, size)`: rows added where public indices say.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::gather;
use crate::items::for_numbers;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::sums;
use crate::value::Tensor;

/// `y[.., i, ..] = Σ x[.., k, ..]` over the k with `indices[k] = i`, along `axis`, on which the
/// result has `size` elements: zero where no index points. Indices are public.
///
/// Takes plaintext floats, secrets and shares. Elements of one index are added from the first to
/// the last.
///
/// Source: TensorFlow `unsorted_segment_sum`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: sums of up to 2^12 numbers of any size, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn scatter<'r>(x: Value<'r>, indices: &[usize], axis: usize, size: usize) -> Value<'r> {
    let op = x.recording().op(&OP.spec).input(x);
    op.attr("indices", indices).attr("axis", axis).attr("size", size).build()
}

/// See [`scatter()`].
pub static OP: Op = Op::new("scatter", Role::Compute, infer, kernel)
    .attributes(&[
        ("axis", AttributeKind::Int),
        ("indices", AttributeKind::Ints),
        ("size", AttributeKind::Int),
    ])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let axis = rules::axis(s, x.expect_number()?)?;
    let (indices, size) = (rules::sizes(s, "indices")?, s.size("size")?);
    let mut axes = x.shape.axes().to_vec();
    if indices.len() != axes[axis] {
        return type_error!("takes an index for each element on axis {axis} of {x}");
    }
    if let Some(index) = indices.iter().find(|&&i| i >= size) {
        return type_error!("finds no index {index} on an axis of {size} elements");
    }
    axes[axis] = size;
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let axis = b.attributes.int("axis").unwrap_or_default() as usize;
    let indices = b.attributes.ints("indices").unwrap_or_default();
    let indices: Vec<_> = indices.iter().map(|&i| i as usize).collect();
    vec![b.gradient().map(|dy| gather(dy, &indices, axis))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let (indices, size) = (cx.sizes("indices")?, cx.size("size")?);
    let [_, _, row] = rules::matrices(x.axes(), cx.size("axis")?);
    for_numbers!(cx, &x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| sums::scatter(x, &indices, size, row, out)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        NUMBERS, check_faults, check_gradients, check_values, fault, input, labels,
    };

    #[test]
    fn adds_what_has_one_index() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]);
        check_values(NUMBERS, &[x], (&[2, 4], &[2, 0, 4, 0, 5, 0, 10, 0]), |_, x| {
            scatter(x[0], &[2, 0, 2], 1, 4)
        });
        check_values(NUMBERS, &[x], (&[1, 3], &[5, 7, 9]), |_, x| scatter(x[0], &[0, 0], 0, 1));
        check_values(NUMBERS, &[(&[0], &[])], (&[2], &[0, 0]), |_, x| scatter(x[0], &[], 0, 2));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 2]], |_, x| scatter(x[0], &[3, 0, 3], 1, 5));
    }

    #[test]
    fn indices_fit() {
        let faults = [
            fault(|g| {
                scatter(input(g, "x", &[2, 3]), &[0, 1], 1, 4);
            }),
            fault(|g| {
                scatter(input(g, "x", &[2, 3]), &[0, 4], 0, 4);
            }),
            fault(|g| {
                scatter(labels(g, 2), &[0, 1], 0, 4);
            }),
        ];
        let expected = ["each element on axis 1 of f32[2,3]", "no index 4", "not i32[2]"];
        check_faults(faults, expected);
    }
}
