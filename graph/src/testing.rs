//! Ops for the tests of this crate, one a role: the crate of ops stands above this one.

use crate::attribute::AttributeKind;
use crate::op::{OpSet, OpSpec, Role, Signature, TypeError};
use crate::record::{Backward, Recording, Value};
use crate::types::{Element, Secrecy, Type};
use crate::{Fixed, Graph, Place, PlayerName, Setup, parse, type_error};

macro_rules! ops {
    ($($name:ident, $text:literal, $role:ident, [$($attribute:literal: $kind:ident),*], $infer:expr,
       $gradient:expr;)*) => {
        $(pub(crate) static $name: OpSpec = OpSpec {
            name: $text,
            role: Role::$role,
            attributes: &[$(($attribute, AttributeKind::$kind)),*],
            infer: $infer,
            gradient: $gradient,
        };)*

        pub(crate) fn op_set() -> OpSet {
            OpSet::new([$(&$name),*])
        }
    };
}

ops! {
    INPUT, "input", PrivateInput, ["shape": Ints], shaped, None;
    ZEROS, "zeros", Compute, ["shape": Ints], shaped, None;
    NEGATE, "negate", Compute, [], same, Some(|b| vec![b.gradient().map(negate)]);
    PICK, "pick", Arrange, [], |s| Ok(s.inputs.first().map(|&ty| ty.clone()).into_iter().collect()), None;
    OPAQUE, "opaque", Compute, [], same, None;
    HALVES, "halves", Compute, [], |s| same(s).map(|ty| [ty.clone(), ty].concat()), Some(first_half);
    ONES_LIKE, "ones_like", Compute, [], same, None;
    ADD, "add_n", Sum, [], all_same, Some(|b| vec![b.gradient(); b.inputs.len()]);
    SCALE, "scale", Scale, ["factor": Real], same, None;
    ENCODE, "encode", Compute, [], |s| {
        let [x] = s.inputs()?;
        Ok(vec![Type { element: Element::Fixed(Fixed::LOW), ..x.clone() }])
    }, None;
    SHARE, "share", Share, [], |s| secrecy(s, Secrecy::Secret), None;
    REVEAL, "reveal", Reveal, [], |s| secrecy(s, Secrecy::Plain), None;
    READ, "read", ReadVariable, ["type": Type, "variable": Text], |s| {
        s.inputs::<0>()?;
        Ok(s.attributes.ty("type").into_iter().cloned().collect())
    }, None;
    ASSIGN, "assign", AssignVariable, ["variable": Text], |s| s.inputs::<1>().map(|_| vec![]), None;
    PUBLISH, "publish", Publish, [], |s| s.inputs::<1>().map(|_| vec![]), None;
    PAD, "pad", Pad, [], |s| {
        s.inputs::<0>()?;
        Ok(vec![Type::share(Fixed::LOW, crate::Shape::scalar())])
    }, None;
    KINDS, "kinds", Compute, [
        "flag": Flag, "int": Int, "ints": Ints, "player": Player, "players": Players, "real": Real,
        "text": Text, "type": Type
    ], |_| Ok(vec![]), None;
}

fn shaped(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    Ok(vec![Type::plain(Element::F32, s.shape("shape")?)])
}

fn same(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<1>().map(|[x]| vec![x.clone()])
}

fn all_same(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [first, rest @ ..] = s.inputs else { return type_error!("needs an input") };
    match rest.iter().find(|ty| *ty != first) {
        Some(other) => type_error!("adds values of one type, not {first} and {other}"),
        None => Ok(vec![(*first).clone()]),
    }
}

fn secrecy(s: &Signature<'_>, secrecy: Secrecy) -> Result<Vec<Type>, TypeError> {
    s.inputs::<1>().map(|[x]| vec![Type { secrecy, ..x.clone() }])
}

fn first_half<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradients[0]]
}

pub(crate) fn name(name: &str) -> PlayerName {
    name.parse().unwrap()
}

/// Players `a` to `e` and the servers `s0`, `s1`, `s2` of a protocol; `m` may learn what mixes two.
pub(crate) fn setup() -> Setup {
    let servers = ["s0", "s1", "s2"].map(name);
    let players = ["a", "b", "c", "d", "e", "m"].map(name).into_iter().chain(servers.clone());
    Setup::new(players).secure("P", servers, Fixed::LOW).reveal(&name("m"), 2).release(&name("e"))
}

#[track_caller]
pub(crate) fn input<'r>(g: &Recording<'r>, player: &str) -> Value<'r> {
    g.op(&INPUT).attr("shape", &[2usize][..]).at(name(player)).build()
}

#[track_caller]
pub(crate) fn negate(x: Value<'_>) -> Value<'_> {
    x.recording().op(&NEGATE).input(x).build()
}

#[track_caller]
pub(crate) fn add<'r>(terms: &[Value<'r>]) -> Value<'r> {
    terms[0].recording().op(&ADD).inputs(terms.iter().copied()).build()
}

#[track_caller]
pub(crate) fn share(x: Value<'_>) -> Value<'_> {
    let encoded = x.recording().op(&ENCODE).input(x).build();
    x.recording().op(&SHARE).input(encoded).at(Place::Secure).build()
}

/// The graph of these lines of nodes under [`setup`]'s head, after `title`: `graph`, or
/// `lowered graph`.
pub(crate) fn graph_of(title: &str, nodes: &str) -> Graph {
    let text = format!("{title} t {{\n{}{}\n}}\n", setup(), nodes.trim_matches('\n'));
    let text = text.replace("\n\n", "\n");
    parse(&text, &op_set()).unwrap_or_else(|error| panic!("{error}\nin\n{text}"))
}
