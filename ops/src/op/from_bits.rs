//! `from_bits(x)`: the numbers that words encode.

use sordino_graph::{
    AttributeKind, Element, Fixed, Role, Secrecy, Shape, Signature, Type, TypeError, Value,
    type_error,
};

use super::to_bits::format;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::ring::Ring;
use crate::value::Tensor;

/// `Σ x[i]·2^(i − fraction)`, the top bit of a full word counting negatively: the numbers that
/// words encode in the fixed-point format of the program: the inverse of
/// [`to_bits`](super::to_bits()). Words of fewer bits than the format encode no negative numbers.
/// Plaintext words become floats of the type that reveals give.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 280 |
/// | 128 | all | exact | 2 | 1072 |
#[track_caller]
pub fn from_bits(x: Value<'_>) -> Value<'_> {
    let fixed = format(x);
    let op = x.recording().op(&OP.spec).attr("width", fixed.width().bits());
    op.attr("fraction", fixed.fraction()).attr("type", number(x, fixed)).input(x).build()
}

/// The type of one number beside `x`: secret if that is.
pub(super) fn number(x: Value<'_>, fixed: Fixed) -> Type {
    match x.ty().map(|ty| ty.secrecy) {
        Some(Secrecy::Secret) => Type::secret(fixed, Shape::scalar()),
        _ => Type::plain(fixed.decoded(), Shape::scalar()),
    }
}

/// See [`from_bits()`]. `type` is that of one number.
pub static OP: Op = Op::new("from_bits", Role::Compute, infer, kernel).attributes(&[
    ("fraction", AttributeKind::Int),
    ("type", AttributeKind::Type),
    ("width", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let fixed = s.fixed()?;
    let ty = numbers(s, x)?;
    let fits = ty.fixed().is_none_or(|of| of == fixed);
    if !fits || x.expect_bits()? > fixed.width().bits() {
        return type_error!("makes no {fixed} of {x}");
    }
    Ok(vec![ty])
}

/// The type of the numbers that `x` becomes.
pub(super) fn numbers(s: &Signature<'_>, x: &Type) -> Result<Type, TypeError> {
    match s.attributes.ty("type") {
        Some(ty) if ty.shape.rank() == 0 && ty.secrecy == x.secrecy => {
            Ok(rules::number(ty)?.with_shape(x.shape.clone()))
        }
        _ => type_error!("needs the type of one number, secret if {x} is"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let unit = (-(cx.size("fraction")? as f64)).exp2();
    let wide = cx.size("width")? == 128;
    let whole: Vec<f64> = match &x {
        Tensor::Ring64(x) if wide => x.as_slice().iter().map(|&x| x as f64).collect(),
        Tensor::Ring64(x) => x.as_slice().iter().map(|&x| Ring::to_f64(x)).collect(),
        Tensor::Ring128(x) => x.as_slice().iter().map(|&x| Ring::to_f64(x)).collect(),
        _ => return cx.bug("got no words"),
    };
    floats(cx, whole.into_iter().map(|x| x * unit))
}

/// Floats of the output's type.
pub(super) fn floats(
    cx: &Context<'_>,
    x: impl Iterator<Item = f64>,
) -> Result<Vec<Tensor>, KernelError> {
    let ty = &cx.node.outputs[0];
    Ok(vec![match ty.element {
        Element::F32 => Tensor::f32(&ty.shape, x.map(|x| x as f32).collect()),
        _ => Tensor::f64(&ty.shape, x.collect()),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{bit, bit_to_number, not, shift_left, shift_right, to_bits, xor};
    use crate::testing::{floats, value_of};

    #[test]
    fn words_are_the_encoding() {
        let x = || [floats(&[4], &[0.0, 1.0, -1.0, 3.5])];
        assert_eq!(value_of(&x(), |_, x| from_bits(to_bits(x[0]))), [0.0, 1.0, -1.0, 3.5]);
        let signs = value_of(&x(), |_, x| bit_to_number(bit(to_bits(x[0]), 63)));
        assert_eq!(signs, [0.0, 0.0, 1.0, 0.0]);
        let doubled = value_of(&x(), |_, x| from_bits(shift_left(to_bits(x[0]), 1)));
        assert_eq!(doubled, [0.0, 2.0, -2.0, 7.0]);
        let halved = value_of(&x(), |_, x| from_bits(shift_right(to_bits(x[0]), 1)));
        assert_eq!(halved[..2], [0.0, 0.5]);
        let ones = value_of(&x(), |_, x| from_bits(xor(to_bits(x[0]), not(to_bits(x[0])))));
        assert_eq!(ones, [-1.0 / 65536.0; 4]);
    }
}
