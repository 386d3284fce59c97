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

#[cfg(test)]
mod tests {
    use crate::testing::{Own, floats, input, me, run};

    #[test]
    fn a_variable_of_another_shape_is_not_read() {
        let graph = sordino_graph::record("read", &sordino_graph::Setup::new([me()]), |g| {
            input(g, "x", &[2, 3]);
        });
        let own = Own::with([("x".into(), floats(&[3, 2], &[0.0; 6]))]);
        let error = run(&graph.unwrap(), &own).unwrap_err().to_string();
        let parts = ["variable x", "f32[2,3]", "[3, 2]"];
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}
