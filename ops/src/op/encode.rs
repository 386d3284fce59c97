//! `encode(x)`: floats as fixed-point ring elements.

use sordino_graph::{AttributeKind, Element, Fixed, Role, Signature, Type, TypeError, Value};

use super::constant::{self, expect_encodable};
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::fixed::{self, OutOfRange};
use crate::tensor::ring::Ring;
use crate::value::{Elements, Tensor, TensorRing, slice};

/// `round(x · 2^fraction)` in the ring of `fixed`, on the player that holds `x`.
///
/// The error is at most 2^-(fraction+1). NaN, infinities and magnitudes of 2^(width−14−fraction)
/// or more are refused: 2^34 at 64.16 bits, 2^82 at 128.32. Of a constant, when it is recorded; of
/// what only its player knows, by that player in the step that has it. The step's error names the
/// first such element and the limit, never the number.
#[track_caller]
pub fn encode(x: Value<'_>, fixed: Fixed) -> Value<'_> {
    if let Err(error) = expect_encodable(&constant::values(x), fixed) {
        return x.recording().faulty(OP.spec.name, error.to_string());
    }
    let op = x.recording().op(&OP.spec).input(x);
    op.attr("width", fixed.width().bits()).attr("fraction", fixed.fraction()).build()
}

/// See [`encode()`].
pub static OP: Op = Op::new("encode", Role::Compute, infer, in_ring!(run))
    .attributes(&[("fraction", AttributeKind::Int), ("width", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let shape = x.expect_float()?.shape.clone();
    Ok(vec![Type::plain(Element::Fixed(s.fixed()?), shape)])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let mut out = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    let fraction = cx.number("fraction")?;
    match &x {
        Tensor::F32(x) => fixed::encode(slice(x), fraction, out.make_mut()),
        Tensor::F64(x) => fixed::encode(slice(x), fraction, out.make_mut()),
        _ => return cx.bug("got no floats"),
    }
    .map_err(|error| out_of_range::<R>(error, fraction))?;
    Ok(vec![R::tensor(out)])
}

/// The error of a number that the ring of `R` cannot hold.
pub(super) fn out_of_range<R: Ring>(error: OutOfRange, fraction: u32) -> KernelError {
    let OutOfRange { index, kind } = error;
    KernelError::OutOfRange { index, kind, limit: fixed::limit::<R>(fraction) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Own, floats, input, me, run};

    fn error_of(elements: &[f32], fixed: Fixed) -> String {
        let axes = [elements.len()];
        let graph = sordino_graph::record("encoding", &sordino_graph::Setup::new([me()]), |g| {
            encode(input(g, "x", &axes), fixed);
        });
        let own = Own::with([("x".into(), floats(&axes, elements))]);
        run(&graph.unwrap(), &own).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_place_and_range_and_never_the_value() {
        let secret = 31_415_926_535.0;
        for (x, fixed, what, limit) in [
            (f32::NAN, Fixed::LOW, "is not a number", "1.7179869184e10"),
            (secret, Fixed::LOW, "is too large for the ring", "1.7179869184e10"),
            (-secret, Fixed::LOW, "is too large for the ring", "1.7179869184e10"),
            (f32::INFINITY, Fixed::HIGH, "is too large for the ring", "4.835703278458517e24"),
        ] {
            let error = error_of(&[1.0, 2.0, x, f32::NAN], fixed);
            let expected = format!("element 2 of the value to share {what}");
            assert!(error.starts_with(&expected), "{error}");
            assert!(error.contains(&format!("numbers below {limit}")), "{error}");
            assert!(!error.contains("3141") && !error.contains("inf"), "{error}");
        }
    }
}
