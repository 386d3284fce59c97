//! `read_secret()`: the value of a secret variable.

use sordino_graph::{
    AttributeKind, Place, PlayerName, Recording, Role, Secrecy, Signature, Type, TypeError, Value,
    type_error,
};

use crate::kernel::{self, Op};

/// The value of the secret variable `name`, which [`assign_secret`](super::assign_secret()) set and
/// the servers keep as shares. It must be of the type `ty` and have been assigned with the same
/// `owners`: the players from whose data it derives, for the policy to count.
///
/// Running it before anything assigned the variable is an error.
#[track_caller]
pub fn read_secret<'r>(
    g: &Recording<'r>,
    name: &str,
    ty: &Type,
    owners: &[PlayerName],
) -> Value<'r> {
    let op = g.op(&OP.spec).attr("variable", name).attr("type", ty.clone());
    op.attr("owners", owners.to_vec()).at(Place::Secure).build()
}

/// See [`read_secret()`]. Lowering replaces it.
pub static OP: Op =
    Op::new("read_secret", Role::ReadVariable, infer, kernel::lowered).attributes(&[
        ("owners", AttributeKind::Players),
        ("type", AttributeKind::Type),
        ("variable", AttributeKind::Text),
    ]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    match s.attributes.ty("type") {
        Some(ty) if ty.secrecy == Secrecy::Secret => Ok(vec![ty.clone()]),
        _ => type_error!("reads a secret: say its type"),
    }
}
