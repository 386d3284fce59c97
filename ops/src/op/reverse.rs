//! `reverse(x, axes)`: a tensor from the last element to the first.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::arrange::View;
use crate::value::Tensor;

/// `y[.., i, ..] = x[.., n − 1 − i, ..]` along each of `axes`, of n elements. Takes values of any
/// type.
///
/// Source: Python array API 2023.12, `flip`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn reverse<'r>(x: Value<'r>, axes: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("axes", axes).input(x).build()
}

/// See [`reverse()`].
pub static OP: Op = Op::new("reverse", Role::Arrange, infer, kernel)
    .attributes(&[("axes", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    rules::axes(s, x)?;
    Ok(vec![x.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let axes = b.attributes.ints("axes").unwrap_or_default();
    let axes: Vec<_> = axes.iter().map(|&axis| axis as usize).collect();
    vec![b.gradient().map(|dy| reverse(dy, &axes))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.viewed(&x, &View::reversed(x.axes(), &cx.sizes("axes")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_faults, check_gradients, check_values, fault, input};

    #[test]
    fn turns_around() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]);
        check_values(ANY, &[x], (&[2, 3], &[3, 2, 1, 6, 5, 4]), |_, x| reverse(x[0], &[1]));
        check_values(ANY, &[x], (&[2, 3], &[6, 5, 4, 3, 2, 1]), |_, x| reverse(x[0], &[1, 0]));
        check_values(ANY, &[x], (&[2, 3], &[1, 2, 3, 4, 5, 6]), |_, x| reverse(x[0], &[]));
        check_values(ANY, &[(&[0], &[])], (&[0], &[]), |_, x| reverse(x[0], &[0]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3, 2]], |_, x| reverse(x[0], &[0, 2]));
    }

    #[test]
    fn axes_exist_once() {
        let faults = [
            fault(|g| {
                reverse(input(g, "x", &[2]), &[1]);
            }),
            fault(|g| {
                reverse(input(g, "x", &[2]), &[0, 0]);
            }),
        ];
        check_faults(faults, ["no axis 1 in f32[2]", "axis 0 twice"]);
    }
}
