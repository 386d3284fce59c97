//! `gather(x, indices, axis)`: rows picked by public indices.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use super::scatter;
use crate::items::for_items;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange;
use crate::value::Tensor;

/// `y[.., k, ..] = x[.., indices[k], ..]` along `axis`. Indices are public, in any order, and may
/// repeat. Takes values of any type.
///
/// Source: Python array API 2023.12, `take`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn gather<'r>(x: Value<'r>, indices: &[usize], axis: usize) -> Value<'r> {
    x.recording().op(&OP.spec).attr("indices", indices).attr("axis", axis).input(x).build()
}

/// See [`gather()`].
pub static OP: Op = Op::new("gather", Role::Arrange, infer, kernel)
    .attributes(&[("axis", AttributeKind::Int), ("indices", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let axis = rules::axis(s, x)?;
    let indices = rules::sizes(s, "indices")?;
    let mut axes = x.shape.axes().to_vec();
    if let Some(index) = indices.iter().find(|&&i| i >= axes[axis]) {
        return type_error!("finds no index {index} on axis {axis} of {x}");
    }
    axes[axis] = indices.len();
    Ok(vec![x.with_shape(rules::shape(&axes)?)])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let axis = b.attributes.int("axis").unwrap_or_default() as usize;
    let indices = b.attributes.ints("indices").unwrap_or_default();
    let indices: Vec<_> = indices.iter().map(|&i| i as usize).collect();
    let shape = b.inputs[0].ty().map(|ty| ty.shape);
    let back = b.gradient().zip(shape);
    vec![back.map(|(dy, shape)| scatter(dy, &indices, axis, shape.axes()[axis]))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let indices = cx.sizes("indices")?;
    let [_, rows, row] = rules::matrices(x.axes(), cx.size("axis")?);
    for_items!(&x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| arrange::gather(x, rows, row, &indices, out)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_faults, check_gradients, check_values, fault, input};

    #[test]
    fn picks() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]);
        check_values(ANY, &[x], (&[2, 4], &[3, 1, 3, 3, 6, 4, 6, 6]), |_, x| {
            gather(x[0], &[2, 0, 2, 2], 1)
        });
        check_values(ANY, &[x], (&[1, 3], &[4, 5, 6]), |_, x| gather(x[0], &[1], 0));
        check_values(ANY, &[x], (&[0, 3], &[]), |_, x| gather(x[0], &[], 0));
        check_values(ANY, &[(&[2, 0], &[])], (&[1, 0], &[]), |_, x| gather(x[0], &[1], 0));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 2]], |_, x| gather(x[0], &[2, 0, 2], 1));
        check_gradients(&[&[5]], |_, x| gather(x[0], &[4, 1], 0));
    }

    #[test]
    fn indices_are_inside() {
        let faults = [
            fault(|g| {
                gather(input(g, "x", &[2, 3]), &[0, 3], 1);
            }),
            fault(|g| {
                gather(input(g, "x", &[2, 3]), &[0], 2);
            }),
        ];
        let expected = ["no index 3 on axis 1 of f32[2,3]", "no axis 2 in f32[2,3]"];
        check_faults(faults, expected);
    }
}
