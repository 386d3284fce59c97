//! `winners(c, items)`: the first of the largest, from comparisons of all pairs.

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::truth::expect_words;
use crate::value::{Elements, Tensor};

/// Of `items` numbers, 2 to 16, a word whose one set bit is that of the first largest. The bits of
/// the words `c`, plaintext or secret, say of each of [`pairs`] whether the first number is below
/// the second.
#[track_caller]
pub(crate) fn winners(c: Value<'_>, items: usize) -> Value<'_> {
    c.recording().op(&OP.spec).attr("items", items).input(c).build()
}

/// The pairs i < j of so many items, in the order of i and then j.
pub(crate) fn pairs(items: usize) -> Vec<(usize, usize)> {
    (0..items).flat_map(|i| (i + 1..items).map(move |j| (i, j))).collect()
}

/// See `winners()`.
pub static OP: Op =
    Op::new("winners", Role::Compute, infer, kernel).attributes(&[("items", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let c = expect_words::<1>(s)?;
    let items = s.size("items")?;
    if !(2..=16).contains(&items) || pairs(items).len() != c.expect_bits()? as usize {
        return type_error!("takes a bit for each pair of 2 to 16 items, not {c}");
    }
    Ok(vec![c.with_element(Element::Bits(items as u8))])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [c] = cx.inputs(inputs)?;
    let items = cx.size("items")?;
    let pairs = pairs(items);
    let winner = |word: u128| {
        let mut lost = 0u64;
        for (bit, (i, j)) in pairs.iter().enumerate() {
            lost |= 1 << if word >> bit & 1 == 1 { *i } else { *j };
        }
        !lost & ((1 << items) - 1)
    };
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    let words = out.make_mut().iter_mut();
    match &c {
        Tensor::Ring64(c) => words.zip(c.as_slice()).for_each(|(o, &c)| *o = winner(c.into())),
        Tensor::Ring128(c) => words.zip(c.as_slice()).for_each(|(o, &c)| *o = winner(c)),
        _ => return cx.bug("got no words"),
    }
    Ok(vec![Tensor::Ring64(out)])
}
