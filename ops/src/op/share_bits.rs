//! `share_bits(x, x')`: shares the bits of a sum that one server knows.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use crate::items::for_rings;
use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::bits::{slice_bits, xor_into};
use crate::tensor::digits::{Digits, multiply_digits};
use crate::tensor::ring::add_assign;
use crate::value::{Elements, Tensor, TensorRing};

/// Shares of the planes of bits of `x + x'`, and of the products of bits in each of its digits if
/// there is the flag `products` (see [`tensor::digits`](crate::tensor::digits)): what is left when
/// a pad of `holders` is taken from them, and the pad.
pub static OP: Op = Op::new("share_bits", Role::Pad, infer, kernel).attributes(&[
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("products", AttributeKind::Flag),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x, other] = s.inputs()?;
    let Some(fixed) = x.fixed().filter(|_| x == other && x.secrecy == Secrecy::Share) else {
        return type_error!("takes two shares of one type, not {x} and {other}");
    };
    let width = fixed.width().bits();
    let products = s.attributes.flag("products").unwrap_or(false);
    let count = if products { Digits::new(width).planes() } else { width as usize };
    let stack = planes::stack(count, x.shape.elements())?;
    Ok(vec![stack.clone(), stack])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    for_rings!(cx, &inputs[0], R => run::<R>(cx, inputs))
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut x, other] =
        cx.shares::<R>(inputs)?.try_into().or_else(|_| cx.bug("takes two shares"))?;
    add_assign(x.make_mut(), other.as_slice());
    let shape = &cx.node.outputs[0].shape;
    let mut bits = Elements::<u64>::zeros(shape);
    let words = shape.axes()[1];
    slice_bits(x.as_slice(), 0..R::WIDTH, &mut bits.make_mut()[..R::WIDTH as usize * words]);
    if cx.flag("products") {
        multiply_digits(Digits::new(R::WIDTH), bits.make_mut(), words);
    }
    let mut pad = Elements::<u64>::zeros(shape);
    cx.lone_pad()?.fill(pad.make_mut());
    xor_into(pad.as_slice(), bits.make_mut());
    Ok(vec![Tensor::Ring64(bits), Tensor::Ring64(pad)])
}
