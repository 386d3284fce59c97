//! What the nodes of a truncation share. The protocol is in
//! [`tensor::truncation`](crate::tensor::truncation): server 0 has one side of a shared number,
//! servers 1 and 2 the other.

use sordino_graph::{Element, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError};
use crate::rules;
use crate::tensor::ring::add_assign;
use crate::tensor::truncation::Packing;
use crate::value::{Elements, Tensor, TensorRing};

/// Lanes of a truncation's pads.
pub(crate) mod lane {
    /// The summand that server 0 has with server 1.
    pub(crate) const SUMMAND: u32 = 0;
    /// Hides the part of server 1 from server 2.
    pub(crate) const TO_FIRST: u32 = 1;
    /// Hides the top bit of server 0 from server 1.
    pub(crate) const TOP: u32 = 2;
    /// Hides the part of server 2 from server 1.
    pub(crate) const TO_SECOND: u32 = 3;

    /// The attributes that list holders, with the lanes of their pads.
    pub(crate) const OF_GROUPS: [(&str, [u32; 2]); 2] =
        [("first", [SUMMAND, TO_FIRST]), ("second", [TOP, TO_SECOND])];
}

/// The type of words that hold, for each element of `ty`, as many bits as are dropped.
pub(crate) fn packed(s: &Signature<'_>, ty: &Type) -> Result<Type, TypeError> {
    let bits = u32::try_from(s.size("bits")?).ok().filter(|bits| (1..=62).contains(bits));
    let Some(bits) = bits else { return type_error!("drops 1 to 62 bits") };
    let shape = rules::shape(&[Packing::new(bits).words(ty.shape.elements())])?;
    Ok(Type { secrecy: Secrecy::Share, element: Element::Bits(64), shape })
}

/// The type [`packed`], if it is that of what a server received.
pub(crate) fn expect_packed(
    s: &Signature<'_>,
    ty: &Type,
    received: &Type,
) -> Result<Type, TypeError> {
    let packed = packed(s, ty)?;
    if *received == packed { Ok(packed) } else { type_error!("receives {packed}, not {received}") }
}

/// The one type of shares that `inputs` have.
pub(crate) fn summands<'a>(s: &Signature<'a>, inputs: &[&'a Type]) -> Result<&'a Type, TypeError> {
    let Some((&first, rest)) = inputs.split_first() else { return type_error!("needs a share") };
    let width = first.fixed().map(|fixed| fixed.width().bits() as usize);
    if first.secrecy != Secrecy::Share || rest.iter().any(|&ty| ty != first) {
        return type_error!("adds up shares of one type, not {inputs:?}");
    }
    match width {
        Some(width) if s.size("bits")? + 2 < width => Ok(first),
        _ => type_error!("drops fewer bits than {first} has"),
    }
}

/// The number of bits to drop.
pub(crate) fn bits(cx: &Context<'_>) -> Result<u32, KernelError> {
    cx.number("bits")
}

/// The sum of shares, in the place of the first.
pub(crate) fn sum<R: TensorRing>(
    cx: &Context<'_>,
    shares: impl IntoIterator<Item = Tensor>,
) -> Result<Elements<R>, KernelError> {
    let mut shares = cx.shares::<R>(shares)?.into_iter();
    let Some(mut sum) = shares.next() else { return cx.bug("got no share") };
    shares.for_each(|share| add_assign(sum.make_mut(), share.as_slice()));
    Ok(sum)
}
