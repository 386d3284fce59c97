//! `change_ring(x)`: a share among those of another ring.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Elements, Tensor};

/// A share of the format that `width` and `fraction` say: of 64 bits from 128 the low ones; of 128
/// bits from 64, 2^64 times the share, less 2^`minus` if that is not 0.
pub static OP: Op = Op::new("change_ring", Role::Compute, infer, kernel).attributes(&[
    ("fraction", AttributeKind::Int),
    ("minus", AttributeKind::Int),
    ("width", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let to = s.fixed()?;
    let differs = x.fixed().is_some_and(|from| from.width() != to.width());
    if x.secrecy != Secrecy::Share || !differs || s.size("minus")? > 127 {
        return type_error!("makes a share of {to} of a share of the other ring, not of {x}");
    }
    Ok(vec![Type::share(to, x.shape.clone())])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let shape = &cx.node.outputs[0].shape;
    Ok(vec![match x {
        Tensor::Ring64(x) => {
            let minus = match cx.size("minus")? {
                0 => 0,
                bits => 1u128 << bits.min(127),
            };
            let mut out = Elements::<u128>::zeros(shape);
            let each = out.make_mut().iter_mut().zip(x.as_slice());
            each.for_each(|(out, &x)| *out = (u128::from(x) << 64).wrapping_sub(minus));
            Tensor::Ring128(out)
        }
        Tensor::Ring128(x) => {
            let mut out = Elements::<u64>::zeros(shape);
            out.make_mut().iter_mut().zip(x.as_slice()).for_each(|(out, &x)| *out = x as u64);
            Tensor::Ring64(out)
        }
        _ => return cx.bug("got no share"),
    }])
}
