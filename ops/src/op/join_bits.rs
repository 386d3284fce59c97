//! `join_bits(x)`: words from bits.

use sordino_graph::{Element, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::truth::expect_words;
use crate::value::{Elements, Tensor, TensorRing};

/// `Σ x[i]·2^i`: words from their bits, which stand along the first axis, the lowest first:
/// `bits1[n,…]` to `bitsn[…]`, of plaintext or secrets, n from 1 to 128.
///
/// Source: NumPy `packbits`, from the lowest bit; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn join_bits(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`join_bits()`].
pub static OP: Op = Op::new("join_bits", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let x = expect_words::<1>(s)?;
    match x.shape.axes() {
        [n @ 1..=128, rest @ ..] if x.element == Element::BIT => {
            Ok(vec![x.with_element(Element::Bits(*n as u8)).with_shape(rules::shape(rest)?)])
        }
        _ => type_error!("takes truth values whose first axis has 1 to 128, not {x}"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [Tensor::Ring64(x)] = cx.inputs(inputs)? else { return cx.bug("got no truth values") };
    match cx.node.outputs[0].bits() {
        Some(..=64) => run::<u64>(cx, x.as_slice()),
        _ => run::<u128>(cx, x.as_slice()),
    }
}

fn run<R: TensorRing>(cx: &Context<'_>, x: &[u64]) -> Result<Vec<Tensor>, KernelError> {
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    let n = out.as_slice().len();
    for (i, bits) in x.chunks(n.max(1)).enumerate() {
        for (word, &bit) in out.make_mut().iter_mut().zip(bits) {
            *word = word.wrapping_add(R::from_bits(u128::from(bit) << i));
        }
    }
    Ok(vec![R::tensor(out)])
}
