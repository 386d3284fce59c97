//! What ops on truth values and words have in common, on plaintext.

use sordino_graph::{Element, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError};
use crate::rules;
use crate::value::{Elements, Tensor, slice};

/// The one type of words, plaintext or secret, that all inputs have.
pub(crate) fn expect_words<'a, const N: usize>(s: &Signature<'a>) -> Result<&'a Type, TypeError> {
    let inputs = s.inputs::<N>()?;
    let Some(&first) = inputs.first() else { return type_error!("takes words") };
    first.expect_bits()?;
    if first.secrecy == Secrecy::Share || inputs.iter().any(|&ty| ty != first) {
        return type_error!("takes words of one type, not {inputs:?}");
    }
    Ok(first)
}

/// The type of what turns words, all of one type, into as many of the same.
pub(crate) fn bitwise<const N: usize>(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    Ok(vec![expect_words::<N>(s)?.clone()])
}

/// The type of a truth value of each number.
pub(crate) fn of_numbers(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    Ok(vec![rules::number(x)?.with_element(Element::BIT)])
}

/// A truth value of each float.
pub(crate) fn truths(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
    of_f32: impl Fn(f32) -> bool,
    of_f64: impl Fn(f64) -> bool,
) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let mut out = Elements::<u64>::zeros(&cx.node.outputs[0].shape);
    let bits = out.make_mut().iter_mut();
    match &x {
        Tensor::F32(x) => bits.zip(slice(x)).for_each(|(bit, &x)| *bit = u64::from(of_f32(x))),
        Tensor::F64(x) => bits.zip(slice(x)).for_each(|(bit, &x)| *bit = u64::from(of_f64(x))),
        _ => return cx.bug("got no floats"),
    }
    Ok(vec![Tensor::Ring64(out)])
}

/// A function of each word, or of each pair of words.
pub(crate) fn map_words<const N: usize>(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
    short: impl Fn([u64; N]) -> u64,
    long: impl Fn([u128; N]) -> u128,
) -> Result<Vec<Tensor>, KernelError> {
    let n = cx.node.outputs[0].shape.elements();
    let inputs: [Tensor; N] = cx.inputs(inputs)?;
    let mut out = Tensor::zeros(&cx.node.outputs[0]);
    if inputs.iter().all(|x| matches!(x, Tensor::Ring64(_))) {
        let words = cx.shares::<u64>(inputs)?;
        let each = (0..n).map(|i| short(std::array::from_fn(|j| words[j].as_slice()[i])));
        match &mut out {
            Tensor::Ring64(out) => out.make_mut().iter_mut().zip(each).for_each(|(o, x)| *o = x),
            _ => return cx.bug("makes no such words"),
        }
    } else {
        let words = cx.shares::<u128>(inputs)?;
        let each = (0..n).map(|i| long(std::array::from_fn(|j| words[j].as_slice()[i])));
        match &mut out {
            Tensor::Ring64(out) => {
                out.make_mut().iter_mut().zip(each).for_each(|(o, x)| *o = x as u64);
            }
            Tensor::Ring128(out) => out.make_mut().iter_mut().zip(each).for_each(|(o, x)| *o = x),
            _ => return cx.bug("makes no such words"),
        }
    }
    Ok(vec![out])
}

/// The words of so many bits that are all ones.
pub(crate) fn ones(bits: u32) -> u128 {
    u128::MAX >> (128 - bits.clamp(1, 128))
}
