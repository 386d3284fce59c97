//! `digit_carries(a, b)`: a server's part of the carries of each digit of a sum.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::digits::{Digits, carries};
use crate::value::{Elements, Tensor};

/// Generates and propagates of the digits of a + b, in planes, from the server's part `a` of the
/// bits of a and their products and from the bits `b`, which two servers know; see
/// [`tensor::digits`](crate::tensor::digits). Just one of them is `first`. With `prefixes`, those
/// up to each bit of a digit.
///
/// A pad of the two, `holders`, is added, and a third input if there is one: what hides the part
/// from the others.
pub static OP: Op = Op::new("digit_carries", Role::Pad, infer, kernel).attributes(&[
    ("first", AttributeKind::Flag),
    ("holders", AttributeKind::Players),
    ("lane", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("prefixes", AttributeKind::Flag),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let (planes, words) = planes::stacks(s)?;
    let prefixes = s.attributes.flag("prefixes").unwrap_or(false);
    let digits = planes.get(1).and_then(|&width| u32::try_from(width).ok());
    // No number is wider, and carries are counted one by one.
    let digits = digits.filter(|width| *width <= 128).map(Digits::new);
    match (digits, &planes[..]) {
        (Some(digits), [a, b, rest @ ..])
            if *a == digits.planes()
                && *b == digits.width()
                && rest.len() <= 1
                && rest.iter().all(|&mask| mask == digits.carries(prefixes)) =>
        {
            Ok(vec![planes::stack_of_words(digits.carries(prefixes), words)?])
        }
        _ => type_error!("takes the planes of two summands, not {:?}", s.inputs),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut inputs = cx.stacks(inputs)?.into_iter();
    let (Some(a), Some(b)) = (inputs.next(), inputs.next()) else {
        return cx.bug("takes two stacks");
    };
    let [planes, words] = b.shape().axes()[..] else { return cx.bug("takes planes") };
    let mut out = match inputs.next() {
        Some(mut mask) => {
            cx.lone_pad()?.xor_to(mask.make_mut());
            mask
        }
        None => {
            let mut out = Elements::zeros(&cx.node.outputs[0].shape);
            cx.lone_pad()?.fill(out.make_mut());
            out
        }
    };
    let digits = Digits::new(planes as u32);
    let sides = [a.as_slice(), b.as_slice()];
    carries(digits, sides, words, cx.flag("first"), cx.flag("prefixes"), out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
