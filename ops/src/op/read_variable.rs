//! `read_variable()`: the value of a variable of a player.

use sordino_graph::{
    AttributeKind, PlayerName, Recording, Role, Secrecy, Signature, Type, TypeError, Value,
    type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// The value of the variable `name` of `player`, which must be of the type `ty`.
///
/// Running it before anything assigned the variable is an error.
#[track_caller]
pub fn read_variable<'r>(
    g: &Recording<'r>,
    player: &PlayerName,
    name: &str,
    ty: &Type,
) -> Value<'r> {
    g.op(&OP.spec).attr("variable", name).attr("type", ty.clone()).at(player).build()
}

/// See [`read_variable()`].
pub static OP: Op = Op::new("read_variable", Role::ReadVariable, infer, kernel)
    .attributes(&[("type", AttributeKind::Type), ("variable", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    match s.attributes.ty("type") {
        Some(ty) if ty.secrecy != Secrecy::Secret => Ok(vec![ty.clone()]),
        _ => type_error!("reads plaintext or, on a server, a share: say its type"),
    }
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let name = cx.name("variable")?;
    let value = cx.host.read_variable(name)?;
    let expected = &cx.node.outputs[0];
    if value.fits(expected) {
        return Ok(vec![value]);
    }
    let (name, axes) = (name.to_owned(), value.axes().to_vec());
    Err(KernelError::VariableType { name, expected: expected.to_string(), axes })
}
