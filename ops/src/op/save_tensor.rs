//! `save_tensor(x)`: a tensor into a file of the player's own.

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value};

use super::load_tensor::expect_plain_word;
use crate::data::npy;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// Writes the f32 tensor `x` of its player to `tensors/NAME.npy` in the player's data, where
/// [`load_tensor`](super::load_tensor()) finds it in a later run. A file of that name is replaced.
/// The operator allows it by making the folder `tensors`; without it the plan is not prepared.
#[track_caller]
pub fn save_tensor(name: &str, x: Value<'_>) {
    x.recording().op(&OP.spec).attr("variable", name).input(x).finish();
}

/// See [`save_tensor()`]. The file is a variable of the player that outlives the session.
pub static OP: Op = Op::new("save_tensor", Role::AssignVariable, infer, kernel)
    .attributes(&[("variable", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    x.expect_plain(Element::F32)?;
    expect_plain_word(s.attributes.text("variable"))?;
    Ok(vec![])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let shape = rules::shape(x.axes())?;
    let Some(elements) = x.as_f32() else { return cx.bug("got no f32 tensor") };
    npy::save(cx.host.folder(), cx.name("variable")?, &shape, elements)?;
    Ok(vec![])
}
