//! `load_tensor()`: a tensor from a file of the player's own.

use sordino_graph::{
    AttributeKind, PlayerName, Recording, Role, Signature, Type, TypeError, Value, type_error,
};

use crate::data::npy;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// The f32 tensor of this name and shape from the player's own files: `tensors/NAME.npy` in its
/// data. `name` is a plain word of lower-case letters, digits, `-` and `_`.
///
/// The player looks at the file when it prepares the plan: one that is missing or of another shape is
/// an error before anything runs.
#[track_caller]
pub fn load_tensor<'r>(
    g: &Recording<'r>,
    player: &PlayerName,
    name: &str,
    shape: &[usize],
) -> Value<'r> {
    g.op(&OP.spec).attr("name", name).attr("shape", shape).at(player).build()
}

/// See [`load_tensor()`].
pub static OP: Op = Op::new("load_tensor", Role::PrivateInput, infer, kernel)
    .attributes(&[("name", AttributeKind::Text), ("shape", AttributeKind::Ints)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    expect_plain_word(s.attributes.text("name"))?;
    rules::floats(s)
}

/// Refuses names that could be a path.
pub(super) fn expect_plain_word(name: Option<&str>) -> Result<(), TypeError> {
    let name = name.unwrap_or_default();
    if npy::is_plain_word(name) {
        return Ok(());
    }
    type_error!("names tensors by words of a-z, 0-9, - and _, not {name:?}")
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let shape = &cx.node.outputs[0].shape;
    Ok(vec![Tensor::f32(shape, npy::load(cx.host.folder(), cx.name("name")?, shape)?)])
}

#[cfg(test)]
mod tests {
    use crate::op::{load_tensor, publish, save_tensor};
    use crate::testing::{fault, input, me};

    #[test]
    fn names_are_no_paths() {
        let errors = [
            fault(|g| publish("x", load_tensor(g, &me(), "../x", &[1]))),
            fault(|g| save_tensor("../x", input(g, "x", &[1]))),
        ];
        for error in errors {
            assert!(error.contains("names tensors by words of a-z"), "{error}");
        }
    }
}
