//! `truncate(x)`: drops low bits of one of two shares.

use sordino_graph::{
    AttributeKind, AttributeSpec, OpSpec, Role, Secrecy, Signature, Type, TypeError, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// One of two additive shares of `v`, made into a share of `⌊v / 2^bits⌋`: `⌊x / 2^bits⌋` of the
/// unsigned `x` on the side that is not `negated`, `−⌊−x / 2^bits⌋` on the other.
///
/// The sum errs by at most one unit, but with probability 2^(l+1−width) for `|v| < 2^l` it is
/// wrong altogether. Source: Mohassel and Zhang, *SecureML* (S&P 2017), theorem 1.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "truncate",
        role: Role::Compute,
        attributes: &[
            AttributeSpec { name: "bits", kind: AttributeKind::Int },
            AttributeSpec { name: "negated", kind: AttributeKind::Flag },
        ],
        infer,
        gradient: None,
    },
    kernel,
    accumulate: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.fixed() {
        Some(fixed) if x.secrecy == Secrecy::Share => {
            if s.size("bits")? < fixed.width().bits() as usize {
                Ok(vec![x.clone()])
            } else {
                type_error!("drops fewer bits than {x} has")
            }
        }
        _ => type_error!("takes a share, not {x}"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut x] = cx.inputs(inputs)?;
    let bits = cx.size("bits")?;
    let negated = cx.node.attributes.flag("negated").unwrap_or_default();
    macro_rules! shift {
        ($elements:expr) => {
            for x in $elements.make_mut() {
                *x = if negated { (x.wrapping_neg() >> bits).wrapping_neg() } else { *x >> bits };
            }
        };
    }
    match &mut x {
        Tensor::Ring64(x) => shift!(x),
        Tensor::Ring128(x) => shift!(x),
        _ => return cx.bug("got no share"),
    }
    Ok(vec![x])
}
