//! What the table leaves out, and why.

use std::collections::BTreeSet;

use sordino::graph::{
    Attribute, AttributeKind, Attributes, Element, OpSpec, Role, Secrecy, Shape, Signature, Type,
};
use sordino::ops::protocol::{expanded, protocol};
use sordino::ops::{Plan, op};
use sordino::prelude::*;

use super::Case;
use super::run::computed;

/// Functions that take no secrets, or have tests of their own where they need more than a step.
pub const NOT_OF_SECRETS: [(&str, &str); 17] = [
    ("accuracy", "of plaintext"),
    ("assign", "of plaintext; every case's inputs"),
    ("assign_secret", "two_steps_of_a_secret_variable"),
    ("descend", "of plaintext"),
    ("encode", "of plaintext; inside of every share"),
    ("glorot_uniform", "makes plaintext"),
    ("load_batch", "makes plaintext"),
    ("load_tensor", "makes plaintext"),
    ("one_hot", "of plaintext"),
    ("publish", "of plaintext; every case's result"),
    ("random_normal", "makes plaintext"),
    ("read_secret", "two_steps_of_a_secret_variable"),
    ("read_variable", "makes plaintext; every case's inputs"),
    ("save_tensor", "of plaintext"),
    ("share", "every case's inputs"),
    ("sigmoid_cross_entropy", "of plaintext"),
    ("softmax_cross_entropy", "of plaintext"),
];

/// The functions that `ops/src/op.rs` exports.
pub fn functions() -> BTreeSet<&'static str> {
    let source = include_str!("../../ops/src/op.rs");
    let mut functions = BTreeSet::new();
    for statement in source.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let list = path.rsplit_once("::").map_or(path, |(_, name)| name);
        // A list in braces, or the last name.
        let list = path.split_once('{').map_or(list, |(_, list)| list.trim_end_matches('}'));
        functions.extend(list.split(',').map(str::trim).filter(|name| !name.is_empty()));
    }
    functions
}

/// Ops that the nodes of the cases have, by where they are.
pub struct Seen {
    /// On secrets, as recorded.
    pub recorded: BTreeSet<&'static str>,
    /// Recorded, expanded and lowered, anywhere.
    pub lowered: BTreeSet<&'static str>,
    /// On secrets, in cases that look at gradients.
    pub differentiated: BTreeSet<&'static str>,
}

impl Seen {
    pub fn of(setup: &Setup, tables: &[(&'static str, Vec<Case>)]) -> Self {
        let (mut recorded, mut lowered) = (BTreeSet::new(), BTreeSet::new());
        let mut differentiated = BTreeSet::new();
        for (name, cases) in tables {
            for one in cases.chunks(1) {
                let graph = computed(name, one).record(setup).unwrap();
                let secret = graph.nodes().filter(|(_, node)| {
                    let of_secret = |ty: &Type| ty.secrecy == Secrecy::Secret;
                    let input = node.inputs.iter().filter_map(|port| graph.ty(*port));
                    node.outputs.iter().any(of_secret) || input.into_iter().any(of_secret)
                });
                let names: BTreeSet<_> = secret.map(|(_, node)| node.op.name).collect();
                if one[0].gradient.is_some() {
                    differentiated.extend(&names);
                }
                recorded.extend(names);
                let derived = super::run::differentiated(name, one).record(setup);
                for graph in [graph, derived.unwrap_or_else(|error| panic!("{}: {error}", one[0]))]
                {
                    let plan = Plan::new(graph).unwrap();
                    let expanded = expanded(protocol("ABY3").unwrap(), &plan.recorded).unwrap();
                    for graph in [&plan.recorded, &expanded, &plan.lowered] {
                        lowered.extend(graph.nodes().map(|(_, node)| node.op.name));
                    }
                }
            }
        }
        Self { recorded, lowered, differentiated }
    }
}

/// Whether an op's type rule takes some secret: by trial of one to three inputs of a few types,
/// with attributes of their kinds.
pub fn takes_secrets(op: &OpSpec) -> bool {
    let words = |element| Type { secrecy: Secrecy::Secret, element, shape: Shape::scalar() };
    let kinds = [Element::Fixed(Fixed::LOW), Element::BIT, Element::Bits(64), Element::Bits(3)];
    let shapes: [&[usize]; 5] = [&[], &[1], &[1, 1], &[2, 2], &[1, 2, 2, 1]];
    let types = kinds
        .into_iter()
        .flat_map(|kind| shapes.map(|axes| words(kind).with_shape(Shape::new(axes).unwrap())));
    types
        .into_iter()
        .any(|ty| (1..=3).any(|inputs| (0..3).any(|size| infers(op, &vec![&ty; inputs], size))))
}

fn infers(op: &OpSpec, inputs: &[&Type], size: i64) -> bool {
    let mut attributes = Attributes::default();
    let axes = inputs[0].shape.axes();
    for &(name, kind) in op.attributes {
        let value = match (kind, name) {
            (AttributeKind::Int, "fraction") => Attribute::Int(16),
            (AttributeKind::Int, "width") => Attribute::Int(64),
            (AttributeKind::Int, _) => Attribute::Int(size),
            (AttributeKind::Real, _) => Attribute::Real(1.0),
            (AttributeKind::Flag, _) => Attribute::Flag(false),
            (AttributeKind::Text, _) => Attribute::Text("valid".into()),
            (AttributeKind::Ints, "shape") => {
                Attribute::Ints(axes.iter().map(|&n| n as i64).collect())
            }
            (AttributeKind::Ints, _) => Attribute::Ints(vec![size; axes.len()]),
            (AttributeKind::Reals, _) => Attribute::Reals(vec![1.0]),
            (AttributeKind::Player, _) => Attribute::Player("server0".parse().unwrap()),
            (AttributeKind::Players, _) => Attribute::Players(vec!["server0".parse().unwrap()]),
            (AttributeKind::Type, _) => {
                let secret = Type::secret(Fixed::LOW, Shape::scalar());
                Attribute::Type(secret)
            }
        };
        attributes.set(name, value);
    }
    (op.infer)(&Signature { inputs, attributes: &attributes }).is_ok()
}

/// Ops that neither a recorded nor a lowered graph of the cases has, but that take secrets.
pub fn uncovered(seen: &Seen) -> Vec<String> {
    let mut uncovered = Vec::new();
    for op in op::ALL {
        let spec = &op.spec;
        let elsewhere = ["assign", "assign_secret", "read_secret"].contains(&spec.name);
        let gradient = spec.gradient.is_some() && seen.recorded.contains(spec.name);
        let linked = matches!(spec.role, Role::Transfer | Role::Share | Role::Reveal);
        if gradient && !linked && !seen.differentiated.contains(spec.name) {
            uncovered.push(format!("no case looks at the gradient of {}", spec.name));
        }
        let known = seen.recorded.contains(spec.name) || seen.lowered.contains(spec.name);
        if !known && !elsewhere && !LISTED.contains(&spec.name) {
            uncovered.push(format!("no case has the op {}", spec.name));
        }
        if LISTED.contains(&spec.name) && takes_secrets(spec) {
            uncovered.push(format!("{} takes secrets, and no case has it", spec.name));
        }
    }
    uncovered
}

/// Ops of plaintext alone.
const LISTED: [&str; 14] = [
    "accuracy",
    "descend",
    "glorot_uniform",
    "load_batch",
    "load_tensor",
    "mask_planes",
    "one_hot",
    "random_normal",
    "save_tensor",
    "sigmoid_cross_entropy",
    "sigmoid_cross_entropy_grad",
    "softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "zeros",
];
