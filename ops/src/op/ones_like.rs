//! `ones_like(x)`: ones of the shape of a tensor.

use sordino_graph::Role;

use super::constant::constant_of;
use crate::items::for_floats;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// Ones of the type of the input, which is plaintext floats or a secret: where differentiation
/// starts.
pub static OP: Op = Op::new("ones_like", Role::Compute, rules::elementwise, kernel)
    .expand(|e| vec![constant_of(&e.recording, e.node.place.clone(), &[1.0], e.ty())]);

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    for_floats!(cx, &x, T => Ok(cx.output::<T>(|out| out.fill(T::ONE))))
}
