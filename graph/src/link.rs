//! The ops that move a value from one player to another: `transfer` in a graph of all players,
//! `send` and `receive` in the part of one.

use crate::attribute::AttributeKind;
use crate::op::{OpSpec, Role, Signature, TypeError};
use crate::record::Value;
use crate::types::{Secrecy, Type};
use crate::{PlayerName, type_error};

/// Hands the plaintext `value` of its player openly to the player `to`.
///
/// The only way by which plaintext crosses from player to player; the graph's policy must name
/// the player that hands it out.
#[track_caller]
pub fn transfer<'r>(value: Value<'r>, to: &PlayerName) -> Value<'r> {
    value.recording().op(&TRANSFER).input(value).at(to).build()
}

/// See [`transfer`].
pub static TRANSFER: OpSpec = OpSpec {
    name: "transfer",
    role: Role::Transfer,
    attributes: &[],
    infer: infer_transfer,
    gradient: None,
};

/// The sending half of a transfer.
pub static SEND: OpSpec = OpSpec {
    name: "send",
    role: Role::Send,
    attributes: &[("edge", AttributeKind::Int), ("to", AttributeKind::Player)],
    infer: |s| s.inputs::<1>().map(|_| vec![]),
    gradient: None,
};

/// The receiving half of a transfer.
pub static RECEIVE: OpSpec = OpSpec {
    name: "receive",
    role: Role::Receive,
    attributes: &[
        ("edge", AttributeKind::Int),
        ("from", AttributeKind::Player),
        ("type", AttributeKind::Type),
    ],
    infer: infer_receive,
    gradient: None,
};

pub(crate) static OPS: &[&OpSpec] = &[&TRANSFER, &SEND, &RECEIVE];

fn infer_transfer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [value] = s.inputs()?;
    match value.secrecy {
        Secrecy::Secret => type_error!("takes plaintext; a secret leaves by `reveal`"),
        Secrecy::Plain | Secrecy::Share => Ok(vec![value.clone()]),
    }
}

fn infer_receive(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    match s.attributes.ty("type") {
        Some(ty) => Ok(vec![ty.clone()]),
        None => type_error!("needs the type that it receives"),
    }
}
