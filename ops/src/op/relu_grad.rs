//! `relu_grad(y, dy)`: the gradient of `relu`.

use sordino_graph::{Expanding, Role, Signature, Type, TypeError, Value, type_error};

use crate::compare::positive;
use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::op::mul_bit;
use crate::rules;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `dy` where `y`, which is `x` or `relu(x)`, is positive, else 0. At x = 0 the gradient is taken
/// as 0.
#[track_caller]
pub(crate) fn relu_grad<'r>(y: Value<'r>, dy: Value<'r>) -> Value<'r> {
    y.recording().op(&OP.spec).input(y).input(dy).build()
}

/// `dy` where `y` is positive, else 0: the gradient of [`relu`](super::relu()).
pub static OP: Op = Op::new("relu_grad", Role::Compute, infer, kernel).expand(expand);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [y, dy] = s.inputs()?;
    if rules::number(y)? == dy {
        Ok(vec![dy.clone()])
    } else {
        type_error!("takes two tensors of one type, not {y} and {dy}")
    }
}

/// The comparison is that of [`relu`](super::relu()), and made once for both.
fn expand<'r>(e: &Expanding<'_, 'r>) -> Vec<Value<'r>> {
    vec![mul_bit(positive(e.inputs[0]), e.inputs[1])]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [y, dy] = cx.inputs(inputs)?;
    for_floats!(cx, &y, T => run::<T>(cx, &y, dy))
}

fn run<T: Item + Float>(
    cx: &Context<'_>,
    y: &Tensor,
    mut dy: Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let zero = T::default();
    let each = cx.items_mut::<T>(&mut dy)?.iter_mut().zip(cx.items::<T>(y)?);
    each.for_each(|(dy, y)| *dy = if *y > zero { *dy } else { zero });
    Ok(vec![dy])
}
