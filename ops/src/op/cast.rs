//! `cast(x)`: the same numbers in another format.

use sordino_graph::{
    AttributeKind, AttributeSpec, Backward, Element, OpSpec, Role, Secrecy, Shape, Signature, Type,
    TypeError, Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice};

/// The floats `x` with the elements `to`: f32 or f64.
///
/// f64 become the nearest f32.
#[track_caller]
pub fn cast(x: Value<'_>, to: Element) -> Value<'_> {
    let to = Type::plain(to, Shape::scalar());
    x.recording().op(&OP.spec).attr("to", to).input(x).build()
}

/// See [`cast()`]. `to` is the type of one element.
pub static OP: Op = Op {
    spec: OpSpec {
        name: "cast",
        role: Role::Compute,
        attributes: &[AttributeSpec { name: "to", kind: AttributeKind::Type }],
        infer,
        gradient: Some(gradient),
    },
    kernel,
    accumulate: None,
    expand: None,
};

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let Some(to) = s.attributes.ty("to").filter(|to| to.shape.rank() == 0) else {
        return type_error!("needs the type of one element");
    };
    let floats = x.element.is_float() && to.element.is_float();
    if x.secrecy != Secrecy::Plain || to.secrecy != x.secrecy || !floats {
        return type_error!("makes no {to} of {x}");
    }
    Ok(vec![x.with_element(to.element)])
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
