//! `assign_secret(x)`: replaces a secret variable.

use sordino_graph::{
    AttributeKind, PlayerName, Role, Secrecy, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{self, Op};

/// Sets the secret variable `name`: the servers keep their shares of `x` from run to run.
/// `owners` are the players from whose data `x` derives, all of them; whoever reads the variable
/// says the same ones, so that no later run can take it for somebody else's.
#[track_caller]
pub fn assign_secret(name: &str, x: Value<'_>, owners: &[PlayerName]) {
    let op = x.recording().op(&OP.spec).attr("variable", name);
    op.attr("owners", owners.to_vec()).input(x).finish();
}

/// See [`assign_secret()`]. Lowering replaces it.
pub static OP: Op = Op::new("assign_secret", Role::AssignVariable, infer, kernel::lowered)
    .attributes(&[("owners", AttributeKind::Players), ("variable", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.secrecy {
        Secrecy::Secret => Ok(vec![]),
        _ => type_error!("keeps a secret, not {x}"),
    }
}
