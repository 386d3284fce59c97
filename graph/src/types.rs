//! Types of values: element, shape, and who can read them.

use std::fmt;
use std::sync::Arc;

/// Elements of one tensor at most: keeps every length computed from a shape inside 64 bits, and a
/// hostile graph from asking for more memory than a machine has.
const MAX_ELEMENTS: u64 = 1 << 31;

/// The greatest number of axes of a tensor.
pub const MOST_AXES: usize = 8;

/// Static shape of a tensor: sizes from the outermost axis to the innermost. `[]` is a scalar.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(Arc<[usize]>);

/// A shape with too many elements or axes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("has the axes {axes:?}, where a tensor has at most 8, and 2^31 elements")]
pub struct InvalidShape {
    axes: Vec<usize>,
}

impl Shape {
    /// A shape of these axes.
    ///
    /// # Errors
    /// [`InvalidShape`] for more than 8 axes or more than 2^31 elements, and for an empty tensor
    /// whose other axes have more: every product of axes stays inside 64 bits.
    pub fn new(axes: &[usize]) -> Result<Self, InvalidShape> {
        let elements = axes.iter().try_fold(1u64, |n, &axis| n.checked_mul(axis.max(1) as u64));
        match elements {
            Some(n) if n <= MAX_ELEMENTS && axes.len() <= MOST_AXES => Ok(Self(axes.into())),
            _ => Err(InvalidShape { axes: axes.iter().take(16).copied().collect() }),
        }
    }

    /// The shape of a scalar.
    #[must_use]
    pub fn scalar() -> Self {
        Self(Arc::new([]))
    }

    /// The axes, outermost first.
    #[must_use]
    pub fn axes(&self) -> &[usize] {
        &self.0
    }

    /// Number of axes.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Number of elements; 1 for a scalar.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.0.iter().product()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (i, axis) in self.0.iter().enumerate() {
            write!(f, "{}{axis}", if i == 0 { "" } else { "," })?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Fixed-point numbers in a ring: the integer `round(x · 2^fraction)` modulo `2^width`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fixed {
    width: Width,
    fraction: u8,
}

/// Width of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// Integers modulo 2^64.
    W64,
    /// Integers modulo 2^128.
    W128,
}

impl Width {
    /// Bits of a ring element.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Self::W64 => 64,
            Self::W128 => 128,
        }
    }
}

impl Fixed {
    /// Precision `low`: a 64-bit ring with 16 fractional bits.
    pub const LOW: Self = Self { width: Width::W64, fraction: 16 };
    /// Precision `high`: a 128-bit ring with 32 fractional bits.
    pub const HIGH: Self = Self { width: Width::W128, fraction: 32 };

    /// Fixed point of `width` (64 or 128) bits with `fraction` fractional bits, of which there
    /// are at most `width / 2`.
    #[must_use]
    pub fn new(width: u32, fraction: u32) -> Option<Self> {
        let width = match width {
            64 => Width::W64,
            128 => Width::W128,
            _ => return None,
        };
        let fraction = u8::try_from(fraction).ok().filter(|&f| u32::from(f) <= width.bits() / 2)?;
        Some(Self { width, fraction })
    }

    /// The ring.
    #[must_use]
    pub fn width(self) -> Width {
        self.width
    }

    /// Fractional bits.
    #[must_use]
    pub fn fraction(self) -> u32 {
        u32::from(self.fraction)
    }

    /// The element type that a decoded value has: `f32` when its 24 bits of mantissa are more
    /// than the fraction, else `f64`.
    #[must_use]
    pub fn decoded(self) -> Element {
        if self.fraction <= 16 { Element::F32 } else { Element::F64 }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fix{}.{}", self.width.bits(), self.fraction)
    }
}

/// What a tensor is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// 64-bit floats.
    F64,
    /// 32-bit signed integers: labels and indices.
    I32,
    /// Fixed-point ring elements.
    Fixed(Fixed),
    /// Words of this many bits, 1 to 128: truth values and numbers as their binary digits.
    Bits(u8),
}

impl Element {
    /// Truth values.
    pub const BIT: Self = Self::Bits(1);

    /// Bytes of one element on the wire.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::I32 => 4,
            Self::F64 => 8,
            Self::Fixed(fixed) => fixed.width.bits() as usize / 8,
            Self::Bits(..=64) => 8,
            Self::Bits(_) => 16,
        }
    }

    /// Whether this is `f32` or `f64`.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32 => f.write_str("f32"),
            Self::F64 => f.write_str("f64"),
            Self::I32 => f.write_str("i32"),
            Self::Fixed(fixed) => fixed.fmt(f),
            Self::Bits(bits) => write!(f, "bits{bits}"),
        }
    }
}

/// Who can read a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Secrecy {
    /// The player that holds it.
    Plain,
    /// Nobody: it exists only as shares on the servers of the protocol.
    Secret,
    /// Nobody alone: one share of a secret, held by one player.
    Share,
}

/// The type of a value: `f32[784,128]`, `secret fix64.16[10]`, `share fix64.16[10]`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Type {
    /// Who can read it.
    pub secrecy: Secrecy,
    /// What it is made of.
    pub element: Element,
    /// How large it is.
    pub shape: Shape,
}

impl Type {
    /// A value that its player can read.
    #[must_use]
    pub fn plain(element: Element, shape: Shape) -> Self {
        Self { secrecy: Secrecy::Plain, element, shape }
    }

    /// A secret-shared value.
    #[must_use]
    pub fn secret(fixed: Fixed, shape: Shape) -> Self {
        Self { secrecy: Secrecy::Secret, element: Element::Fixed(fixed), shape }
    }

    /// One share of a secret-shared value.
    #[must_use]
    pub fn share(fixed: Fixed, shape: Shape) -> Self {
        Self { secrecy: Secrecy::Share, element: Element::Fixed(fixed), shape }
    }

    /// The fixed-point format, if this is made of ring elements.
    #[must_use]
    pub fn fixed(&self) -> Option<Fixed> {
        match self.element {
            Element::Fixed(fixed) => Some(fixed),
            _ => None,
        }
    }

    /// The number of bits of a word, if this is made of words.
    #[must_use]
    pub fn bits(&self) -> Option<u32> {
        match self.element {
            Element::Bits(bits) => Some(u32::from(bits)),
            _ => None,
        }
    }

    /// This type with another shape.
    #[must_use]
    pub fn with_shape(&self, shape: Shape) -> Self {
        Self { shape, ..self.clone() }
    }

    /// This type with other elements.
    #[must_use]
    pub fn with_element(&self, element: Element) -> Self {
        Self { element, ..self.clone() }
    }

    /// Bytes of the value on the wire, without framing.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shape.elements() * self.element.bytes()
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.secrecy {
            Secrecy::Plain => {}
            Secrecy::Secret => f.write_str("secret ")?,
            Secrecy::Share => f.write_str("share ")?,
        }
        write!(f, "{}{}", self.element, self.shape)
    }
}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_print_as_documented() {
        let shape = Shape::new(&[784, 128]).unwrap();
        assert_eq!(Type::plain(Element::F32, shape.clone()).to_string(), "f32[784,128]");
        assert_eq!(Type::secret(Fixed::LOW, shape).to_string(), "secret fix64.16[784,128]");
        let share = Type::share(Fixed::HIGH, Shape::scalar());
        assert_eq!(share.to_string(), "share fix128.32[]");
        assert_eq!(share.bytes(), 16);
    }

    #[test]
    fn shapes_are_bounded() {
        assert!(Shape::new(&[1 << 31]).is_ok());
        assert!(Shape::new(&[1 << 31, 2]).is_err());
        assert!(Shape::new(&[usize::MAX, usize::MAX]).is_err());
        assert!(Shape::new(&[1; 9]).is_err());
        assert!(Shape::new(&[usize::MAX, 0]).is_err());
        assert_eq!(Shape::new(&[0, 3]).unwrap().elements(), 0);
    }

    #[test]
    fn fixed_point_formats_are_checked() {
        assert_eq!(Fixed::new(64, 16), Some(Fixed::LOW));
        assert!(Fixed::new(32, 8).is_none());
        assert!(Fixed::new(64, 33).is_none());
    }
}
