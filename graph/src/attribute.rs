//! Attributes: the constants of a node.

use std::fmt;

use crate::PlayerName;
use crate::types::Type;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// An integer: `128`.
    Int(i64),
    /// A finite real number: `0.1`.
    Real(f64),
    /// A truth value: `true`.
    Flag(bool),
    /// Letters, digits, and `-_./`: `"Mnist"`.
    Text(String),
    /// Integers: `[5,5]`.
    Ints(Vec<i64>),
    /// Finite real numbers: `[0.5,-1.0]`.
    Reals(Vec<f64>),
    /// A player: `@server0`.
    Player(PlayerName),
    /// A list of players: `[@server0,@server1]`.
    Players(Vec<PlayerName>),
    /// A type: `<f32[10]>`.
    Type(Type),
}

/// Kinds of attribute values, one for each variant of [`Attribute`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// An integer.
    Int,
    /// A finite real number.
    Real,
    /// `true` or `false`.
    Flag,
    /// A word.
    Text,
    /// A list of integers.
    Ints,
    /// A list of finite real numbers.
    Reals,
    /// A player.
    Player,
    /// A list of players.
    Players,
    /// A type.
    Type,
}

impl Attribute {
    /// Which kind this is.
    #[must_use]
    pub fn kind(&self) -> AttributeKind {
        match self {
            Self::Int(_) => AttributeKind::Int,
            Self::Real(_) => AttributeKind::Real,
            Self::Flag(_) => AttributeKind::Flag,
            Self::Text(_) => AttributeKind::Text,
            Self::Ints(_) => AttributeKind::Ints,
            Self::Reals(_) => AttributeKind::Reals,
            Self::Player(_) => AttributeKind::Player,
            Self::Players(_) => AttributeKind::Players,
            Self::Type(_) => AttributeKind::Type,
        }
    }

    /// Whether the value can be written as text: reals are finite, words hold legal characters.
    #[must_use]
    pub fn is_printable(&self) -> bool {
        match self {
            Self::Real(x) => x.is_finite(),
            Self::Reals(list) => list.iter().all(|x| x.is_finite()),
            Self::Text(word) => word.len() <= 128 && word.chars().all(is_word_character),
            _ => true,
        }
    }
}

/// Whether `c` may stand in a word of the text form.
pub(crate) fn is_word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(x) => write!(f, "{x}"),
            // Debug, unlike Display, keeps a point or an exponent and reads back to the same bits.
            Self::Real(x) => write!(f, "{x:?}"),
            Self::Flag(x) => write!(f, "{x}"),
            Self::Text(word) => write!(f, "\"{word}\""),
            Self::Ints(list) => write_list(f, list.iter()),
            Self::Reals(list) => write_list(f, list.iter().map(|x| format!("{x:?}"))),
            Self::Player(name) => write!(f, "@{name}"),
            Self::Players(list) => write_list(f, list.iter().map(|name| format!("@{name}"))),
            Self::Type(ty) => write!(f, "<{ty}>"),
        }
    }
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    items: impl Iterator<Item = impl fmt::Display>,
) -> fmt::Result {
    f.write_str("[")?;
    for (i, item) in items.enumerate() {
        write!(f, "{}{item}", if i == 0 { "" } else { "," })?;
    }
    f.write_str("]")
}

macro_rules! from {
    ($($from:ty => |$x:ident| $value:expr;)*) => {$(
        impl From<$from> for Attribute {
            fn from($x: $from) -> Self {
                $value
            }
        }
    )*};
}

from! {
    i64 => |x| Self::Int(x);
    u32 => |x| Self::Int(i64::from(x));
    usize => |x| Self::Int(i64::try_from(x).unwrap_or(i64::MAX));
    f64 => |x| Self::Real(x);
    bool => |x| Self::Flag(x);
    &str => |x| Self::Text(x.to_owned());
    &[usize] => |x| Self::Ints(x.iter().map(|&n| i64::try_from(n).unwrap_or(i64::MAX)).collect());
    &[i64] => |x| Self::Ints(x.to_vec());
    &[f64] => |x| Self::Reals(x.to_vec());
    &PlayerName => |x| Self::Player(x.clone());
    Vec<PlayerName> => |x| Self::Players(x);
    Type => |x| Self::Type(x);
}

/// The attributes of a node, sorted by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(String, Attribute)>);

impl Attributes {
    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<Attribute>) {
        let value = value.into();
        match self.0.binary_search_by(|(n, _)| n.as_str().cmp(name)) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name.to_owned(), value)),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        let at = self.0.binary_search_by(|(n, _)| n.as_str().cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Attribute)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// An integer attribute; `None` when absent or of another kind. So are the following.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Some(Attribute::Int(x)) = self.get(name) { Some(*x) } else { None }
    }

    /// A real attribute.
    #[must_use]
    pub fn real(&self, name: &str) -> Option<f64> {
        if let Some(Attribute::Real(x)) = self.get(name) { Some(*x) } else { None }
    }

    /// A flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        if let Some(Attribute::Flag(x)) = self.get(name) { Some(*x) } else { None }
    }

    /// A word.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Attribute::Text(x)) = self.get(name) { Some(x) } else { None }
    }

    /// A list of integers.
    #[must_use]
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        if let Some(Attribute::Ints(x)) = self.get(name) { Some(x) } else { None }
    }

    /// A list of real numbers.
    #[must_use]
    pub fn reals(&self, name: &str) -> Option<&[f64]> {
        if let Some(Attribute::Reals(x)) = self.get(name) { Some(x) } else { None }
    }

    /// A player.
    #[must_use]
    pub fn player(&self, name: &str) -> Option<&PlayerName> {
        if let Some(Attribute::Player(x)) = self.get(name) { Some(x) } else { None }
    }

    /// A list of players.
    #[must_use]
    pub fn players(&self, name: &str) -> Option<&[PlayerName]> {
        if let Some(Attribute::Players(x)) = self.get(name) { Some(x) } else { None }
    }

    /// A type.
    #[must_use]
    pub fn ty(&self, name: &str) -> Option<&Type> {
        if let Some(Attribute::Type(x)) = self.get(name) { Some(x) } else { None }
    }
}
