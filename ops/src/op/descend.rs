//! `descend(gradient)`: a step of gradient descent on a variable.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::{Tensor, slice, slice_mut};

/// `variable -= rate · gradient`, in place, on the player that holds the gradient.
///
/// The variable is f32; the gradient f32 or f64. An f64 product is rounded once.
#[track_caller]
pub fn descend(name: &str, rate: f64, gradient: Value<'_>) {
    let op = gradient.recording().op(&OP.spec);
    op.attr("variable", name).attr("rate", rate).input(gradient).finish();
}

/// See [`descend()`].
pub static OP: Op = Op::new("descend", Role::AssignVariable, infer, kernel)
    .attributes(&[("rate", AttributeKind::Real), ("variable", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [gradient] = s.inputs()?;
    gradient.expect_float()?;
    match s.attributes.real("rate") {
        Some(rate) if rate > 0.0 => Ok(vec![]),
        rate => type_error!("takes a rate above 0, not {}", rate.unwrap_or_default()),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [gradient] = cx.inputs(inputs)?;
    let attributes = &cx.node.attributes;
    let (Some(name), Some(rate)) = (attributes.text("variable"), attributes.real("rate")) else {
        return cx.bug("lacks an attribute");
    };
    cx.host.update_variable(name, &mut |variable| {
        if variable.axes() != gradient.axes() {
            return cx.bug("got a gradient of another shape than the variable's");
        }
        let Tensor::F32(variable) = variable else { return cx.bug("changes f32 variables") };
        let variable = slice_mut(variable).iter_mut();
        match &gradient {
            Tensor::F32(gradient) => {
                let rate = rate as f32;
                variable.zip(slice(gradient)).for_each(|(w, g)| *w -= rate * g);
            }
            Tensor::F64(gradient) => variable
                .zip(slice(gradient))
                .for_each(|(w, g)| *w = (f64::from(*w) - rate * g) as f32),
            _ => return cx.bug("got no floats"),
        }
        Ok(())
    })?;
    Ok(vec![])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Own;
    use crate::testing::{fault, floats, input, me, run, shape};

    fn descended(gradient: Tensor, rate: f64) -> Result<Tensor, KernelError> {
        let ty = match &gradient {
            Tensor::F64(_) => sordino_graph::Element::F64,
            _ => sordino_graph::Element::F32,
        };
        let ty = Type::plain(ty, shape(gradient.axes()));
        let graph = sordino_graph::record("descent", &sordino_graph::Setup::new([me()]), |g| {
            descend("w", rate, crate::op::read_variable(g, &me(), "dw", &ty));
        });
        let own = Own::with([("w".into(), floats(&[2], &[1.0, -1.0])), ("dw".into(), gradient)]);
        run(&graph.unwrap(), &own).map(|_| own.variable("w"))
    }

    #[test]
    fn goes_down_the_gradient() {
        let expected = floats(&[2], &[0.0, -0.5]);
        assert_eq!(descended(floats(&[2], &[2.0, -1.0]), 0.5).unwrap(), expected);
        let wide = Tensor::f64(&shape(&[2]), vec![2.0, -1.0]);
        assert_eq!(descended(wide, 0.5).unwrap(), expected);
    }

    #[test]
    fn a_gradient_of_another_shape_changes_nothing() {
        let error = descended(floats(&[1], &[2.0]), 0.5).unwrap_err().to_string();
        assert!(error.contains("descend got a gradient of another shape"), "{error}");
    }

    #[test]
    fn rates_are_above_zero() {
        for fault in [
            fault(|g| descend("w", 0.0, input(g, "x", &[1]))),
            fault(|g| descend("w", -1.0, input(g, "x", &[1]))),
        ] {
            assert!(fault.contains("takes a rate above 0"), "{fault}");
        }
    }
}
