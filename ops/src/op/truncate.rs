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
    expand: None,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sordino_graph::{Attributes, Emitter, Fixed, Graph, Setup, Stage};

    use super::*;
    use crate::testing::{Own, me, pad_of, shape};
    use crate::value::{Elements, TensorRing};

    fn truncated<R: TensorRing>(fixed: Fixed, x: Vec<R>, bits: u32, negated: bool) -> Vec<R> {
        let graph = Graph::new("truncation", Arc::new(Setup::new([me()])), Stage::Lowered);
        let mut emitter = Emitter::new(graph);
        let place = (&me()).into();
        let ty = Type::share(fixed, shape(&[x.len()]));
        let mut attributes = Attributes::default();
        attributes.set("edge", 0u32);
        attributes.set("from", &me());
        attributes.set("type", ty.clone());
        let received = emitter.emit(&sordino_graph::RECEIVE, attributes, &[], &place);
        let mut attributes = Attributes::default();
        attributes.set("bits", bits);
        attributes.set("negated", negated);
        let port = emitter.emit(&OP.spec, attributes, &[received], &place);
        let node = emitter.graph().node(port.node);
        let own = Own::default();
        let x = R::tensor(Elements::new(ty.shape, x));
        let outputs = kernel(&Context { node, step: 0, host: &own }, vec![x]).unwrap();
        R::elements(outputs.into_iter().next().unwrap()).unwrap().as_slice().to_vec()
    }

    fn errs_by_one_unit<R: TensorRing>(fixed: Fixed, bits: u32) {
        let values: Vec<i64> = (0..2000)
            .map(|i: i64| (i - 1000).wrapping_mul(0x9_e377_9b97))
            .chain([0, 1, -1, (1 << bits) - 1, 1 << bits, -(1 << bits)])
            .collect();
        let mut pads = vec![R::default(); values.len()];
        pad_of(&[me()], 0, 0, 0).fill(&mut pads);
        let rest =
            values.iter().zip(&pads).map(|(&v, &pad)| R::from_i64(v).wrapping_sub(pad)).collect();
        let left = truncated(fixed, rest, bits, false);
        let right = truncated(fixed, pads, bits, true);
        for ((v, left), right) in values.iter().zip(left).zip(right) {
            let sum = left.wrapping_add(right).to_f64();
            let exact = (v >> bits) as f64;
            assert!((sum - exact).abs() <= 1.0, "{v} >> {bits} is {exact}, not {sum}");
        }
    }

    /// The values are below 2^46: in the 64-bit ring one of them fails with a probability of 2^-6
    /// over all pads, and the pads of this test are always the same.
    #[test]
    fn the_two_halves_err_by_at_most_one_unit() {
        errs_by_one_unit::<u64>(Fixed::LOW, 16);
        errs_by_one_unit::<u128>(Fixed::HIGH, 32);
    }
}
