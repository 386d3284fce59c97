//! `reshape(x)`: the same elements under another shape.

use sordino_graph::{
    AttributeKind, AttributeSpec, Backward, Element, OpSpec, Role, Signature, Type, TypeError,
    Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice};

/// The elements of `x`, row-major, as a tensor of `shape`, which holds as many.
#[track_caller]
pub fn reshape<'r>(x: Value<'r>, shape: &[usize]) -> Value<'r> {
    x.recording().op(&OP.spec).attr("shape", shape).input(x).build()
}

/// See [`reshape()`].
pub static OP: Op = Op {
    spec: OpSpec {
        name: "reshape",
        role: Role::Compute,
        attributes: &[AttributeSpec { name: "shape", kind: AttributeKind::Ints }],
        infer,
        gradient: Some(gradient),
    },
    kernel,
    accumulate: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    x.expect_plain(Element::F32)?;
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
    let [Tensor::F32(x)] = cx.inputs(inputs)? else { return cx.bug("got no f32 tensor") };
    let shape = ndarray::IxDyn(cx.node.outputs[0].shape.axes());
    // Contiguous arrays keep their elements; only the view of them changes.
    let reshaped = match x.clone().into_shape_with_order(shape) {
        Ok(array) => Tensor::F32(array),
        Err(_) => Tensor::f32(&cx.node.outputs[0].shape, slice(&x).to_vec()),
    };
    Ok(vec![reshaped])
}
