//! `reshape(x)`: the same elements under another shape.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// The elements of `x`, row-major, as a tensor of `shape`, which holds as many. Takes values of any
/// type.
///
/// Source: Python array API 2023.12, `reshape`.
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn reshape<'r>(x: Value<'r>, shape: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("shape", shape).input(x).build()
}

/// See [`reshape()`].
pub static OP: Op = Op::new("reshape", Role::Arrange, infer, kernel)
    .attributes(&[("shape", AttributeKind::Ints)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let shape = s.shape("shape")?;
    if shape.elements() == x.shape.elements() {
        Ok(vec![Type { shape, ..x.clone() }])
    } else {
        type_error!("cannot make {shape} of {x}: the number of elements differs")
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let shape = b.inputs[0].ty().map(|ty| ty.shape);
    vec![b.gradient().zip(shape).map(|(dy, shape)| reshape(dy, shape.axes()))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let shape = &cx.node.outputs[0].shape;
    let axes = ndarray::IxDyn(shape.axes());
    // Contiguous arrays keep their elements; only the view of them changes.
    let kept = match &x {
        Tensor::F32(x) => x.clone().into_shape_with_order(axes).map(Tensor::F32),
        Tensor::F64(x) => x.clone().into_shape_with_order(axes).map(Tensor::F64),
        Tensor::I32(x) => x.clone().into_shape_with_order(axes).map(Tensor::I32),
        Tensor::Ring64(x) => Ok(Tensor::Ring64(x.clone().reshaped(shape))),
        Tensor::Ring128(x) => Ok(Tensor::Ring128(x.clone().reshaped(shape))),
    };
    kept.map_or_else(|_| cx.bug("got as many elements as it cannot hold"), |kept| Ok(vec![kept]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANY, check_gradients, check_values, fault, input};

    #[test]
    fn keeps_the_elements() {
        let x = (&[2, 3][..], &[1, 2, 3, 4, 5, 6][..]);
        check_values(ANY, &[x], (&[3, 1, 2], x.1), |_, x| reshape(x[0], &[3, 1, 2]));
        check_values(ANY, &[(&[1, 1], &[7])], (&[], &[7]), |_, x| reshape(x[0], &[]));
        check_values(ANY, &[(&[0, 7], &[])], (&[3, 0], &[]), |_, x| reshape(x[0], &[3, 0]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 6]], |_, x| reshape(x[0], &[3, 4]));
    }

    #[test]
    fn the_number_of_elements_stays() {
        let fault = fault(|g| {
            reshape(input(g, "x", &[2, 3]), &[5]);
        });
        assert!(fault.contains("cannot make [5] of f32[2,3]"), "{fault}");
    }
}
