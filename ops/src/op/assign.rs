//! `assign(x)`: replaces a variable of the player.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, Value, type_error};

use crate::kernel::{Context, KernelError, Op};
use crate::value::Tensor;

/// Sets the variable `name` of the player that holds `x`. Variables keep their value between
/// runs; reads and assignments of one variable happen in program order.
#[track_caller]
pub fn assign(name: &str, x: Value<'_>) {
    x.recording().op(&OP.spec).attr("variable", name).input(x).finish();
}

/// See [`assign()`].
pub static OP: Op = Op::new("assign", Role::AssignVariable, infer, kernel)
    .attributes(&[("variable", AttributeKind::Text)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.secrecy {
        Secrecy::Plain | Secrecy::Share => Ok(vec![]),
        Secrecy::Secret => type_error!("keeps plaintext, not {x}: use assign_secret"),
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    cx.host.assign_variable(cx.name("variable")?, x);
    Ok(vec![])
}
