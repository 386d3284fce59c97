//! `position(x)`: which bit of a word is set.

use sordino_graph::{Element, Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::{expect_words, map_words};
use crate::value::Tensor;

/// `i` of `x = 2^i`: the number, in binary, of the one bit that is set in each plaintext or secret
/// word. Of several bits, the XOR of their numbers.
///
/// Source: NumPy `flatnonzero`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn position(x: Value<'_>) -> Value<'_> {
    x.recording().op(&OP.spec).input(x).build()
}

/// See [`position()`].
pub static OP: Op = Op::new("position", Role::Compute, infer, kernel);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let x = expect_words::<1>(s)?;
    let bits = x.expect_bits()?.next_power_of_two().trailing_zeros().max(1);
    Ok(vec![x.with_element(Element::Bits(bits as u8))])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let position = |word: u128| {
        let set = (0..128).filter(|bit| word >> bit & 1 == 1);
        set.fold(0, |all: u64, bit| all ^ bit)
    };
    map_words(cx, inputs, |[x]| position(x.into()), |[x]| position(x).into())
}
