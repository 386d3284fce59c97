//! `relu_grad(y, dy)`: the gradient of `relu`.

use sordino_graph::{Expanding, Role, Signature, Type, TypeError, Value, type_error};

use crate::compare::positive;
use crate::kernel::{Context, KernelError, Op};
use crate::op::mul_bit;
use crate::truth::expect_open_number;
use crate::value::{Tensor, slice, slice_mut};

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
    if expect_open_number(y)? == dy {
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
    let [y, mut dy] = cx.inputs(inputs)?;
    match (&y, &mut dy) {
        (Tensor::F32(y), Tensor::F32(dy)) => {
            let each = slice_mut(dy).iter_mut().zip(slice(y));
            each.for_each(|(dy, y)| *dy = if *y > 0.0 { *dy } else { 0.0 });
        }
        (Tensor::F64(y), Tensor::F64(dy)) => {
            let each = slice_mut(dy).iter_mut().zip(slice(y));
            each.for_each(|(dy, y)| *dy = if *y > 0.0 { *dy } else { 0.0 });
        }
        _ => return cx.bug("got no floats of one kind"),
    }
    Ok(vec![dy])
}
