//! `pad()`: a share that is nothing but a pseudo-random pad.

use sordino_graph::{
    AttributeKind, Element, Role, Secrecy, Signature, Type, TypeError, Width, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Elements, Tensor, TensorRing};

/// The pad of number `pad` and `lane`, of the secret that `holders` know, as a share.
pub static OP: Op = Op::new("pad", Role::Pad, infer, kernel).attributes(&[
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("type", AttributeKind::Type),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    s.size("pad")?;
    s.size("lane")?;
    match s.attributes.ty("type") {
        Some(ty) if ty.secrecy == Secrecy::Share && (is_stack(ty) || ty.fixed().is_some()) => {
            Ok(vec![ty.clone()])
        }
        _ => type_error!("makes a share: say its type"),
    }
}

/// Whether a type is that of planes of bits.
fn is_stack(ty: &Type) -> bool {
    ty.element == Element::Bits(64)
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    match cx.node.outputs[0].fixed().map(|fixed| fixed.width()) {
        Some(Width::W64) => run::<u64>(cx),
        Some(Width::W128) => run::<u128>(cx),
        None => run::<u64>(cx),
    }
}

fn run<R: TensorRing>(cx: &Context<'_>) -> Result<Vec<Tensor>, KernelError> {
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    cx.lone_pad()?.fill(out.make_mut());
    Ok(vec![R::tensor(out)])
}
