//! `publish(x)`: hands plaintext to the driver.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// Hands the floats `x` of its player to the driver, under `name`. The program's policy must let
/// the player release.
#[track_caller]
pub fn publish(name: &str, x: Value<'_>) {
    x.recording().op(&OP.spec).attr("name", name).input(x).finish();
}

/// See [`publish()`].
pub static OP: Op =
    Op::new("publish", Role::Publish, infer, kernel).attributes(&[("name", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    x.expect_float()?;
    Ok(vec![])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.host.publish(cx.name("name")?, cx.step, x);
    Ok(vec![])
}
