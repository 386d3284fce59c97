//! `scale(x, factor)`: multiplies by a public number.

use sordino_graph::{
    AttributeKind, Backward, Role, Secrecy, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::tensor::ring::{Ring, scale_assign};
use crate::value::{Tensor, slice_mut};

/// `factor · x`, of plaintext floats or of a secret.
///
/// By 1 it is `x` itself. A secret multiplied by a whole number costs no message and is exact. Any
/// other factor costs a truncation, unless only reveals use the result: then the player that learns
/// it multiplies.
///
/// Source: Python array API 2023.12, `multiply`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | results below 2^29 | 1 unit, and half of one times x | 2 | 14 |
/// | 128 | results below 2^61 | 1 unit, and half of one times x | 2 | 28 |
#[track_caller]
pub fn scale(x: Value<'_>, factor: f64) -> Value<'_> {
    if factor == 1.0 && x.ty().is_some_and(|ty| ty.expect_number().is_ok()) {
        return x;
    }
    x.recording().op(&OP.spec).attr("factor", factor).input(x).build()
}

/// See [`scale()`]. On shares, `factor` is a whole number.
pub static OP: Op = Op::new("scale", Role::Scale, infer, kernel)
    .attributes(&[("factor", AttributeKind::Real)])
    .gradient(gradient);

/// Largest magnitude of a factor: a product with it keeps the headroom of encoded values.
pub(super) const LARGEST: f64 = 4096.0;

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let factor = s.attributes.real("factor").unwrap_or(f64::NAN);
    match x.secrecy {
        Secrecy::Plain => Ok(vec![x.expect_float()?.clone()]),
        Secrecy::Secret => {
            expect_factor(x, factor)?;
            Ok(vec![x.clone()])
        }
        // Lowering folds the fixed-point encoding of a factor into the number.
        Secrecy::Share if factor.fract() == 0.0 && is_exact(factor) => Ok(vec![x.clone()]),
        Secrecy::Share => type_error!("multiplies shares by whole numbers"),
    }
}

/// Whether the secret `x` can be multiplied by `factor`.
pub(super) fn expect_factor(x: &Type, factor: f64) -> Result<(), TypeError> {
    if factor.abs() > LARGEST || factor.is_nan() {
        return type_error!(
            "multiplies secrets by at most {LARGEST}, not {factor}: multiply before sharing"
        );
    }
    if factor.fract() != 0.0 && !is_exact(encoded(x, factor)) {
        return type_error!(
            "cannot encode {factor} as {x}: take a smaller factor or fewer fractional bits"
        );
    }
    Ok(())
}

/// The whole number that stands for `factor` in the format of `x`.
fn encoded(x: &Type, factor: f64) -> f64 {
    let fraction = x.fixed().map_or(0, |fixed| fixed.fraction());
    (factor * f64::from(fraction).exp2()).round()
}

/// Whether a whole number is one that floats tell from its neighbours.
fn is_exact(number: f64) -> bool {
    number.abs() < (1u64 << 53) as f64
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let factor = b.attributes.real("factor").unwrap_or(1.0);
    vec![b.gradient().map(|dy| scale(dy, factor))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut x] = cx.inputs(inputs)?;
    let Some(factor) = cx.node.attributes.real("factor") else { return cx.bug("lacks a factor") };
    match &mut x {
        Tensor::F32(x) => slice_mut(x).iter_mut().for_each(|x| *x *= factor as f32),
        Tensor::F64(x) => slice_mut(x).iter_mut().for_each(|x| *x *= factor),
        Tensor::Ring64(x) => scale_assign(x.make_mut(), u64::from_whole(factor)),
        Tensor::Ring128(x) => scale_assign(x.make_mut(), u128::from_whole(factor)),
        Tensor::I32(_) => return cx.bug("got integers"),
    }
    Ok(vec![x])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, floats, input, me, value_of};

    #[test]
    fn multiplies() {
        let x = floats(&[3], &[1.0, -2.0, 0.0]);
        assert_eq!(value_of(&[x], |_, x| scale(x[0], -0.5)), [-0.5, 1.0, 0.0]);
    }

    #[test]
    fn by_one_nothing_is_recorded() {
        let graph = sordino_graph::record("test", &sordino_graph::Setup::new([me()]), |g| {
            let x = input(g, "x", &[2]);
            assert_eq!(scale(x, 1.0).port(), x.port());
            assert_ne!(scale(x, -1.0).port(), x.port());
        });
        assert_eq!(graph.unwrap().len(), 2);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 2]], |_, x| scale(x[0], -1.75));
    }
}
