//! `cast(x)`: the same numbers in another format.

use sordino_graph::{
    AttributeKind, Backward, Element, Fixed, Role, Secrecy, Shape, Signature, Type, TypeError,
    Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice};

/// The floats `x` with the elements `to`, f32 or f64, or the secret `x` in the format `to`.
///
/// f64 become the nearest f32. A secret fix64.16 becomes a fix128.32 exactly; a fix128.32, which
/// must be in the range of the other, a fix64.16.
///
/// Source: Python array API 2023.12, `astype`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 40 |
/// | 128 | below 2^34 | 1 unit of 64 bits | 2 | 22 |
#[track_caller]
pub fn cast(x: Value<'_>, to: Element) -> Value<'_> {
    if x.ty().is_some_and(|ty| ty.fixed().is_some() && ty.element == to) {
        return x;
    }
    let to = match to {
        Element::Fixed(fixed) => Type::secret(fixed, Shape::scalar()),
        _ => Type::plain(to, Shape::scalar()),
    };
    x.recording().op(&OP.spec).attr("to", to).input(x).build()
}

/// See [`cast()`]. `to` is the type of one element.
pub static OP: Op = Op::new("cast", Role::Compute, infer, kernel)
    .attributes(&[("to", AttributeKind::Type)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let Some(to) = s.attributes.ty("to").filter(|to| to.shape.rank() == 0) else {
        return type_error!("needs the type of one element");
    };
    if let (Some(from), Some(into), Secrecy::Secret) = (x.fixed(), to.fixed(), x.secrecy)
        && to.secrecy == x.secrecy
    {
        return if can_become(from, into) {
            Ok(vec![x.with_element(to.element)])
        } else {
            type_error!("makes no {into} of {from}")
        };
    }
    let floats = x.element.is_float() && to.element.is_float();
    if x.secrecy != Secrecy::Plain || to.secrecy != x.secrecy || !floats {
        return type_error!("makes no {to} of {x}");
    }
    Ok(vec![x.with_element(to.element)])
}

/// Whether a truncation leads from one format to another: see the rule.
fn can_become(from: Fixed, to: Fixed) -> bool {
    let more = i64::from(to.fraction()) - i64::from(from.fraction());
    match from.width().bits().cmp(&to.width().bits()) {
        std::cmp::Ordering::Less => (2..=63).contains(&more),
        std::cmp::Ordering::Greater => (-62..=-1).contains(&more),
        std::cmp::Ordering::Equal => false,
    }
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let from = b.inputs.first().and_then(Value::ty);
    vec![b.gradient().zip(from).map(|(dy, from)| cast(dy, from.element))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let ty = &cx.node.outputs[0];
    Ok(vec![match (&x, ty.element) {
        (Tensor::F32(x), Element::F64) => {
            Tensor::f64(&ty.shape, slice(x).iter().map(|&x| f64::from(x)).collect())
        }
        (Tensor::F64(x), Element::F32) => {
            Tensor::f32(&ty.shape, slice(x).iter().map(|&x| x as f32).collect())
        }
        _ => x,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, floats, value_of};

    #[test]
    fn rounds_to_the_nearest() {
        let x = floats(&[2], &[0.1, -3.0]);
        let there_and_back = value_of(&[x], |_, x| cast(cast(x[0], Element::F64), Element::F32));
        assert_eq!(there_and_back, [f64::from(0.1f32), -3.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3]], |_, x| cast(cast(x[0], Element::F64), Element::F32));
    }
}
