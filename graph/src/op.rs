//! The static side of a node: what its op is called, takes and returns.

use std::fmt;

use crate::attribute::{AttributeKind, Attributes};
use crate::record::{Backward, Value};
use crate::types::{Element, Fixed, Secrecy, Shape, Type};

/// An op: name, attribute schema, type rule, role and gradient rule.
///
/// Its kernel, which the graph does not need to know, stands beside it in the crate `ops`.
pub struct OpSpec {
    /// The name in the text form, unique among the ops of a program.
    pub name: &'static str,
    /// What its nodes do to the world and to secrecy.
    pub role: Role,
    /// Names and kinds of the attributes that every node of the op has: all of them, and no others.
    pub attributes: &'static [(&'static str, AttributeKind)],
    /// Output types from input types and attributes.
    pub infer: TypeRule,
    /// Gradients of the inputs from gradients of the outputs, for ops that have them.
    pub gradient: Option<GradientRule>,
}

/// Says the types of a node's outputs, or why it can have none.
pub type TypeRule = fn(&Signature<'_>) -> Result<Vec<Type>, TypeError>;

/// Records the gradients of a node's inputs, one for each input; `None` where there is none.
pub type GradientRule = for<'r> fn(&Backward<'r>) -> Vec<Option<Value<'r>>>;

impl fmt::Debug for OpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for OpSpec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// What a node does beside computing its outputs. The verifier and the passes decide by role, so
/// that no rule needs the names of ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A function of its inputs, which are where it computes.
    Compute,
    /// A function of its inputs that is linear, with the same coefficient for each: a sum.
    Sum,
    /// A multiple of its one input.
    Scale,
    /// Moves or picks elements of its inputs: each element of an output is one of an input, or a
    /// constant.
    Arrange,
    /// Reads private data of its player.
    PrivateInput,
    /// Reads the variable that its attribute `variable` names.
    ReadVariable,
    /// Replaces the variable that its attribute `variable` names.
    AssignVariable,
    /// Hands plaintext, or a share, of one player to the node's player.
    Transfer,
    /// Makes plaintext of one player secret.
    Share,
    /// Makes a secret plaintext of the node's player.
    Reveal,
    /// Hands plaintext to the driver.
    Publish,
    /// Reads a pseudo-random pad, or several, known to the players of a group.
    Pad,
    /// Sends a value on the edge that its attribute `edge` numbers.
    Send,
    /// Receives a value on the edge that its attribute `edge` numbers.
    Receive,
}

impl Role {
    /// Whether a node does something even if nothing uses its outputs.
    #[must_use]
    pub fn has_effect(self) -> bool {
        matches!(self, Self::AssignVariable | Self::Publish | Self::Send)
    }

    /// Whether two nodes with equal op, attributes and inputs have equal outputs.
    #[must_use]
    pub fn is_pure(self) -> bool {
        matches!(self, Self::Compute | Self::Sum | Self::Scale | Self::Arrange | Self::Transfer)
    }
}

/// Why a node has no type: a sentence about its op, without the op's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TypeError(pub String);

/// Returns a [`TypeError`] with a formatted sentence.
#[macro_export]
macro_rules! type_error {
    ($($format:tt)*) => { Err($crate::TypeError(format!($($format)*))) };
}

/// What a type rule sees: the types of the inputs and the attributes.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// Types of the inputs, in order.
    pub inputs: &'a [&'a Type],
    /// The attributes, already checked against the op's schema.
    pub attributes: &'a Attributes,
}

impl<'a> Signature<'a> {
    /// The inputs, which must be exactly `N`.
    ///
    /// # Errors
    /// [`TypeError`] when there are more or fewer.
    pub fn inputs<const N: usize>(&self) -> Result<[&'a Type; N], TypeError> {
        <[&Type; N]>::try_from(self.inputs)
            .map_err(|_| TypeError(format!("takes {N} inputs, not {}", self.inputs.len())))
    }

    /// A non-negative integer attribute as a size.
    ///
    /// # Errors
    /// [`TypeError`] when it is negative or absent.
    pub fn size(&self, name: &str) -> Result<usize, TypeError> {
        let value = self.attributes.int(name).and_then(|x| usize::try_from(x).ok());
        value.ok_or_else(|| TypeError(format!("{name} must be a whole number, 0 or more")))
    }

    /// A list attribute as a shape.
    ///
    /// # Errors
    /// [`TypeError`] when an axis is negative or the shape is too large.
    pub fn shape(&self, name: &str) -> Result<Shape, TypeError> {
        let axes: Option<Vec<usize>> = self
            .attributes
            .ints(name)
            .and_then(|list| list.iter().map(|&n| usize::try_from(n).ok()).collect());
        let axes = axes.ok_or_else(|| TypeError(format!("{name} must be a list of sizes")))?;
        Shape::new(&axes).map_err(|e| TypeError(e.to_string()))
    }

    /// The fixed-point format that the attributes `width` and `fraction` say.
    ///
    /// # Errors
    /// [`TypeError`] when there is no such format.
    pub fn fixed(&self) -> Result<Fixed, TypeError> {
        let part = |name| self.attributes.int(name).and_then(|x| u32::try_from(x).ok());
        part("width").zip(part("fraction")).and_then(|(w, f)| Fixed::new(w, f)).ok_or_else(|| {
            TypeError("width must be 64 or 128, and fraction at most half of it".into())
        })
    }
}

impl Type {
    /// This type, if it is plaintext of floats.
    ///
    /// # Errors
    /// [`TypeError`] that says what it is instead.
    pub fn expect_float(&self) -> Result<&Self, TypeError> {
        if self.secrecy == Secrecy::Plain && self.element.is_float() {
            Ok(self)
        } else {
            type_error!("takes plaintext floats, not {self}")
        }
    }

    /// This type, if its elements are numbers that can be added and multiplied: plaintext floats,
    /// or fixed-point numbers that are secret or shared.
    ///
    /// # Errors
    /// [`TypeError`] that says what it is instead.
    pub fn expect_number(&self) -> Result<&Self, TypeError> {
        let fixed = matches!(self.element, Element::Fixed(_));
        match self.secrecy {
            Secrecy::Plain if self.element.is_float() => Ok(self),
            Secrecy::Secret | Secrecy::Share if fixed => Ok(self),
            _ => type_error!("takes floats or secret numbers, not {self}"),
        }
    }

    /// The number of bits, if this is made of words.
    ///
    /// # Errors
    /// [`TypeError`] that says what it is instead.
    pub fn expect_bits(&self) -> Result<u32, TypeError> {
        self.bits().ok_or_else(|| TypeError(format!("takes words of bits, not {self}")))
    }

    /// The axes, if there are exactly `N`.
    ///
    /// # Errors
    /// [`TypeError`] that shows the shape.
    pub fn expect_rank<const N: usize>(&self) -> Result<[usize; N], TypeError> {
        <[usize; N]>::try_from(self.shape.axes())
            .map_err(|_| TypeError(format!("takes a tensor of {N} axes, not {self}")))
    }

    /// This type, if its elements are `element` in plaintext.
    ///
    /// # Errors
    /// [`TypeError`] that says what it is instead.
    pub fn expect_plain(&self, element: Element) -> Result<&Self, TypeError> {
        if self.secrecy == Secrecy::Plain && self.element == element {
            Ok(self)
        } else {
            type_error!("takes plaintext {element}, not {self}")
        }
    }
}

/// The ops that a text may use, looked up by name.
#[derive(Debug, Clone, Default)]
pub struct OpSet(std::collections::BTreeMap<&'static str, &'static OpSpec>);

impl OpSet {
    /// The set of these ops and of the graph's own ([`transfer`](crate::transfer), send, receive).
    pub fn new(ops: impl IntoIterator<Item = &'static OpSpec>) -> Self {
        let own = crate::link::OPS.iter().copied();
        Self(ops.into_iter().chain(own).map(|op| (op.name, op)).collect())
    }

    /// The op of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'static OpSpec> {
        self.0.get(name).copied()
    }

    /// All ops, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &'static OpSpec> + '_ {
        self.0.values().copied()
    }
}
