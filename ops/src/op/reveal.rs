//! `reveal(x)`: makes a secret plaintext of one player.

use sordino_graph::{
    AttributeKind, PlayerName, Role, Secrecy, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{self, Op};

/// Reveals the secret `x` to `to`, and to nobody else, as floats: f32 at precision low, f64 at
/// precision high; words of bits as words. The policy of the program must list `to`.
///
/// Source: [ABY3](crate::protocol::aby3). Exact but for what floats round, in 1 round and three ring
/// elements for each of `x`.
#[track_caller]
pub fn reveal<'r>(x: Value<'r>, to: &PlayerName) -> Value<'r> {
    x.recording().op(&OP.spec).attr("scale", 1.0).input(x).at(to).build()
}

/// See [`reveal()`]. Lowering replaces it. What is revealed is multiplied by `scale` where it is
/// decoded, which costs the servers nothing.
pub static OP: Op = Op::new("reveal", Role::Reveal, infer, kernel::lowered)
    .attributes(&[("scale", AttributeKind::Real)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    match x.fixed() {
        Some(fixed) if x.secrecy == Secrecy::Secret => {
            Ok(vec![Type::plain(fixed.decoded(), x.shape.clone())])
        }
        _ if x.secrecy == Secrecy::Secret && x.bits().is_some() => {
            Ok(vec![Type::plain(x.element, x.shape.clone())])
        }
        _ => type_error!("takes a secret, not {x}"),
    }
}
