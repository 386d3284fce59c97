//! `split_bits(x, range)`: the bits of words.

use std::ops::Range;

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::truth::expect_words;
use crate::value::{Elements, Tensor};

/// `y[i] = ⌊x / 2^(range.start + i)⌋ mod 2`: the bits `range` of plaintext or secret words, along a
/// new first axis: `bitsn[…]` to `bits1[range.len(),…]`.
///
/// Source: NumPy `unpackbits`, from the lowest bit; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn split_bits(x: Value<'_>, range: Range<usize>) -> Value<'_> {
    x.recording().op(&OP.spec).attr("begin", range.start).attr("end", range.end).input(x).build()
}

/// See [`split_bits()`].
pub static OP: Op = Op::new("split_bits", Role::Compute, infer, kernel)
    .attributes(&[("begin", AttributeKind::Int), ("end", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let x = expect_words::<1>(s)?;
    let (begin, end) = (s.size("begin")?, s.size("end")?);
    if begin >= end || end > x.expect_bits()? as usize {
        return type_error!("takes bits that {x} has, not {begin} to {end}");
    }
    let axes = [&[end - begin], x.shape.axes()].concat();
    Ok(vec![x.with_element(Element::BIT).with_shape(rules::shape(&axes)?)])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let begin = cx.size("begin")?;
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    let bit = |word: u128, i: usize| (word >> (begin + i) & 1) as u64;
    match &x {
        Tensor::Ring64(x) => fill(x.as_slice(), out.make_mut(), |x, i| bit(x.into(), i)),
        Tensor::Ring128(x) => fill(x.as_slice(), out.make_mut(), bit),
        _ => return cx.bug("got no words"),
    }
    Ok(vec![Tensor::Ring64(out)])
}

fn fill<T: Copy>(x: &[T], out: &mut [u64], bit: impl Fn(T, usize) -> u64) {
    for (i, out) in out.chunks_mut(x.len().max(1)).enumerate() {
        out.iter_mut().zip(x).for_each(|(out, &x)| *out = bit(x, i));
    }
}
