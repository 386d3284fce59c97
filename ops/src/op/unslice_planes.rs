//! `unslice_planes(x)`: words from their planes of bits.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::bits::{unslice_bits, xor_into};
use crate::value::{Elements, Tensor};

/// The words of type `type` whose planes of bits are the XOR of the inputs. Of all three shares it
/// is the value.
pub static OP: Op = Op::new("unslice_planes", Role::Compute, infer, kernel)
    .attributes(&[("type", AttributeKind::Type)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some(ty) = s.attributes.ty("type") else { return type_error!("needs a type") };
    let secrecy = if s.inputs.len() == 3 { Secrecy::Plain } else { Secrecy::Share };
    if ty.secrecy != secrecy || s.inputs.is_empty() {
        return type_error!("makes no {ty} of {} shares", s.inputs.len());
    }
    let bits = ty.expect_bits()? as usize;
    s.inputs.iter().try_for_each(|x| planes::check_stack(x, bits, ty.shape.elements()))?;
    Ok(vec![ty.clone()])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut shares = cx.stacks(inputs)?.into_iter();
    let Some(mut sum) = shares.next() else { return cx.bug("got no share") };
    shares.for_each(|share| xor_into(share.as_slice(), sum.make_mut()));
    let ty = &cx.node.outputs[0];
    let mut out = Tensor::zeros(ty);
    match &mut out {
        Tensor::Ring64(out) => unslice_bits(sum.as_slice(), out.make_mut()),
        Tensor::Ring128(out) => unslice_bits(sum.as_slice(), Elements::make_mut(out)),
        _ => return cx.bug("makes words"),
    }
    Ok(vec![out])
}
