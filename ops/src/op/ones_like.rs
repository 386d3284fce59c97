//! `ones_like(x)`: ones of the shape of a tensor.

use sordino_graph::{OpSpec, Role};

use super::constant::constant_of;
use crate::items::for_floats;
use crate::kernel::Op;
use crate::rules;
use crate::tensor::number::Float;

/// Ones of the type of the input, which is plaintext floats or a secret: where differentiation
/// starts.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "ones_like",
        role: Role::Compute,
        attributes: &[],
        infer: |s| {
            let [x] = s.inputs()?;
            Ok(vec![rules::factor(x)?.clone()])
        },
        gradient: None,
    },
    kernel: |cx, inputs| {
        let [x] = cx.inputs(inputs)?;
        for_floats!(cx, &x, T => Ok(cx.output::<T>(|out| out.fill(T::ONE))))
    },
    accumulate: None,
    expand: Some(|e| vec![constant_of(&e.recording, e.node.place.clone(), &[1.0], e.ty())]),
};
