//! What the nodes of boolean shares have in common.
//!
//! A secret of n words of N bits is, in a lowered graph, a stack of N planes of n bits each: see
//! [`tensor::bits`](crate::tensor::bits). Its type is `share bits64[N,words]`.

use sordino_graph::{
    Attribute, Attributes, Element, Secrecy, Signature, Type, TypeError, type_error,
};

use crate::kernel::{Context, KernelError};
use crate::rules;
use crate::tensor::bits::xor_into;
use crate::tensor::gates::Sum;
use crate::value::{Elements, Tensor};

/// Words of a plane of `n` bits.
pub(crate) fn words(n: usize) -> usize {
    n.div_ceil(64)
}

/// The type of a stack of planes of `n` bits each.
pub(crate) fn stack(planes: usize, n: usize) -> Result<Type, TypeError> {
    stack_of_words(planes, words(n))
}

/// The type of a stack of planes of so many words each.
pub(crate) fn stack_of_words(planes: usize, words: usize) -> Result<Type, TypeError> {
    let shape = rules::shape(&[planes, words])?;
    Ok(Type { secrecy: Secrecy::Share, element: Element::Bits(64), shape })
}

/// Planes and words of a stack, if a type is that of one.
pub(crate) fn expect_stack(ty: &Type) -> Result<[usize; 2], TypeError> {
    if ty.secrecy == Secrecy::Share && ty.element == Element::Bits(64) {
        ty.expect_rank()
    } else {
        type_error!("takes shares of planes of bits, not {ty}")
    }
}

/// Fails unless a type is that of a stack of so many planes of `n` bits.
pub(crate) fn check_stack(ty: &Type, planes: usize, n: usize) -> Result<(), TypeError> {
    if expect_stack(ty)? == [planes, words(n)] {
        Ok(())
    } else {
        type_error!("takes {planes} planes of {n} bits, not {ty}")
    }
}

/// Bits of a number or word that can be sliced.
pub(crate) fn width(ty: &Type) -> Result<usize, TypeError> {
    let width = ty.fixed().map(|fixed| fixed.width().bits()).or(ty.bits());
    width.map_or_else(|| type_error!("takes numbers or words, not {ty}"), |bits| Ok(bits as usize))
}

/// The one type of two stacks.
pub(crate) fn expect_pair<'a>(s: &Signature<'a>) -> Result<&'a Type, TypeError> {
    let [x, y] = s.inputs()?;
    if x == y { Ok(x) } else { type_error!("takes two stacks of one type, not {x} and {y}") }
}

/// Stands for the end of a sum in a list.
const END: i64 = -1;

/// Stands for a plane of ones in a list.
const ONE: i64 = -2;

/// Numbers of planes in a list start anew with each stack, so far apart.
const STACK: i64 = 1 << 12;

/// Sums of planes as an attribute: `[5,4096,-1]` is the sum of the plane 5 of the first stack and
/// the plane 0 of the second, and `[5,-2,-1]` the plane 5 turned over.
pub(crate) fn list<'a>(sums: impl IntoIterator<Item = &'a Sum>) -> Attribute {
    let mut list = Vec::new();
    for sum in sums {
        list.extend(sum.terms.iter().map(|&(stack, plane)| STACK * stack as i64 + plane as i64));
        list.extend(sum.flipped.then_some(ONE));
        list.push(END);
    }
    Attribute::Ints(list)
}

/// The sums of an attribute, whose terms are planes of the stacks that are `planes` high.
pub(crate) fn sums(
    attributes: &Attributes,
    name: &str,
    planes: &[usize],
) -> Result<Vec<Sum>, TypeError> {
    let Some(list) = attributes.ints(name) else { return type_error!("lacks {name}") };
    let (mut sums, mut sum) = (Vec::new(), Sum::default());
    for &number in list {
        match number {
            END => sums.push(std::mem::take(&mut sum)),
            ONE => sum.flipped = true,
            _ => {
                let place = (number.div_euclid(STACK), number.rem_euclid(STACK));
                let term = (usize::try_from(place.0).unwrap_or(usize::MAX), place.1 as usize);
                if planes.get(term.0).is_none_or(|&planes| term.1 >= planes) {
                    return type_error!("has no plane {number} to take");
                }
                sum.terms.push(term);
            }
        }
    }
    if sum == Sum::default() { Ok(sums) } else { type_error!("has a list {name} without an end") }
}

/// Planes of the stacks that are inputs, and the words that all of them have.
pub(crate) fn stacks(s: &Signature<'_>) -> Result<(Vec<usize>, usize), TypeError> {
    let stacks = s.inputs.iter().map(|ty| expect_stack(ty)).collect::<Result<Vec<_>, _>>()?;
    let Some(&[_, words]) = stacks.first() else { return type_error!("needs a share") };
    if stacks.iter().any(|stack| stack[1] != words) {
        return type_error!("takes planes of one length, not {:?}", s.inputs);
    }
    Ok((stacks.into_iter().map(|[planes, _]| planes).collect(), words))
}

impl Context<'_> {
    /// The pad of the attributes `pad` and `lane`, of the secret of `holders`.
    pub(crate) fn lone_pad(&self) -> Result<crate::tensor::pad::Pad, KernelError> {
        self.pad("holders", self.number("lane")?)
    }

    /// The words of tensors that are stacks of planes.
    pub(crate) fn stacks(
        &self,
        inputs: impl IntoIterator<Item = Tensor>,
    ) -> Result<Vec<Elements<u64>>, KernelError> {
        self.shares::<u64>(inputs)
    }

    /// The XOR of two stacks of one type.
    pub(crate) fn sum_of_stacks(&self, inputs: Vec<Tensor>) -> Result<Elements<u64>, KernelError> {
        let stacks = self.stacks(inputs)?.try_into();
        let [mut sum, other] = stacks.or_else(|_| self.bug("takes two stacks"))?;
        xor_into(other.as_slice(), sum.make_mut());
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_back() {
        let sum = |terms: &[(usize, usize)], flipped| Sum { terms: terms.to_vec(), flipped };
        let all = [sum(&[(0, 5), (1, 0)], false), sum(&[], false), sum(&[(1, 1)], true)];
        let mut attributes = Attributes::default();
        attributes.set("add", list(&all));
        assert_eq!(attributes.ints("add").unwrap(), [5, 4096, -1, -1, 4097, -2, -1]);
        assert_eq!(sums(&attributes, "add", &[6, 2]).unwrap(), all);
        assert!(sums(&attributes, "add", &[6, 1]).is_err());
        assert!(sums(&attributes, "add", &[5, 2]).is_err());
        attributes.set("add", Attribute::Ints(vec![0]));
        assert!(sums(&attributes, "add", &[6]).is_err());
    }
}
