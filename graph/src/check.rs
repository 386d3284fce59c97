//! The type check of one node, shared by the recorder, the parser and the verifier.

use crate::attribute::Attributes;
use crate::graph::{Graph, Port};
use crate::op::{OpSpec, Signature, TypeError};
use crate::type_error;
use crate::types::Type;

/// Checks attributes against the op's schema and infers the output types.
pub(crate) fn infer(
    graph: &Graph,
    op: &OpSpec,
    attributes: &Attributes,
    inputs: &[Port],
) -> Result<Vec<Type>, TypeError> {
    check_attributes(op, attributes)?;
    let types = inputs.iter().map(|&port| match graph.ty(port) {
        Some(ty) => Ok(ty),
        None => type_error!("reads {port}, which does not exist"),
    });
    let types = types.collect::<Result<Vec<_>, _>>()?;
    (op.infer)(&Signature { inputs: &types, attributes })
}

fn check_attributes(op: &OpSpec, attributes: &Attributes) -> Result<(), TypeError> {
    for &(name, kind) in op.attributes {
        match attributes.get(name) {
            None => return type_error!("needs the attribute {name}"),
            Some(value) if value.kind() != kind => {
                return type_error!("takes {kind:?} as {name}, not {value}");
            }
            Some(value) if !value.is_printable() => {
                return type_error!(
                    "has an attribute {name} that cannot be written: reals must be finite, words \
                     hold letters, digits, - _ . and /"
                );
            }
            Some(_) => {}
        }
    }
    let known = |name: &str| op.attributes.iter().any(|&(of, _)| of == name);
    match attributes.iter().find(|(name, _)| !known(name)) {
        Some((name, _)) => type_error!("has no attribute {name}"),
        None => Ok(()),
    }
}
