//! A cursor over one line of text.

use crate::PlayerName;
use crate::attribute::{Attribute, AttributeKind, is_word_character};
use crate::graph::{NodeId, Port};
use crate::types::{Element, Fixed, Secrecy, Shape, Type};

/// What was expected at a byte of the line.
pub(super) type Expected = (usize, String);

/// Reads a line from left to right. Spaces between tokens do not count.
pub(super) struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, at: 0 }
    }

    fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at = self.line.len() - self.rest().trim_start_matches(' ').len();
    }

    pub(super) fn fail<T>(&self, expected: impl Into<String>) -> Result<T, Expected> {
        Err((self.at, expected.into()))
    }

    /// Takes `token` if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes the word `word`, and not the beginning of a longer one.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let longer = |c: char| is_word_character(c);
        let found = self.rest().strip_prefix(word).is_some_and(|after| !after.starts_with(longer));
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), Expected> {
        if self.take(token) { Ok(()) } else { self.fail(format!("`{token}`")) }
    }

    /// Takes the word `word`, which must come next.
    pub(super) fn keyword(&mut self, word: &str) -> Result<(), Expected> {
        if self.take_word(word) { Ok(()) } else { self.fail(format!("`{word}`")) }
    }

    pub(super) fn end(&mut self) -> Result<(), Expected> {
        self.skip_spaces();
        if self.rest().is_empty() { Ok(()) } else { self.fail("the end of the line") }
    }

    fn take_while(&mut self, legal: impl Fn(char) -> bool) -> &'a str {
        self.skip_spaces();
        let rest = self.rest();
        let length = rest.find(|c| !legal(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// A word; `what` says of what kind, for the error.
    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, Expected> {
        self.skip_spaces();
        let start = self.at;
        let word = self.take_while(is_word_character);
        if word.is_empty() { Err((start, what.to_owned())) } else { Ok(word) }
    }

    /// A name of letters, digits and `_`.
    pub(super) fn name(&mut self, what: &str) -> Result<&'a str, Expected> {
        self.skip_spaces();
        let start = self.at;
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() { Err((start, what.to_owned())) } else { Ok(name) }
    }

    pub(super) fn player(&mut self) -> Result<PlayerName, Expected> {
        self.skip_spaces();
        let start = self.at;
        let word = self.word("a player")?;
        PlayerName::new(word).map_err(|error| (start, error.to_string()))
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, Expected> {
        self.skip_spaces();
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit() || c == '-');
        digits.parse().map_err(|_| (start, what.to_owned()))
    }

    pub(super) fn node_id(&mut self) -> Result<NodeId, Expected> {
        self.expect("%")?;
        Ok(NodeId::new(self.number::<u32>("the number of a node")? as usize))
    }

    pub(super) fn port(&mut self) -> Result<Port, Expected> {
        let node = self.node_id()?;
        let slot = if self.take(".") { self.number("the number of an output")? } else { 0 };
        Ok(Port { node, slot })
    }

    /// Items separated by commas up to the token `close`, which is taken.
    pub(super) fn list<T>(
        &mut self,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, Expected>,
    ) -> Result<Vec<T>, Expected> {
        let mut items = Vec::new();
        if self.take(close) {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.take(close) {
                return Ok(items);
            }
            if !self.take(",") {
                return self.fail(format!("`,` or `{close}`"));
            }
        }
    }

    pub(super) fn fixed(&mut self) -> Result<Fixed, Expected> {
        self.skip_spaces();
        let start = self.at;
        self.expect("fix")?;
        let width = self.number("the width of a ring")?;
        self.expect(".")?;
        let fraction = self.number("a number of fractional bits")?;
        let known = "fix64 or fix128 with at most half of the bits fractional";
        Fixed::new(width, fraction).ok_or((start, known.into()))
    }

    fn bits(&mut self) -> Result<u8, Expected> {
        let start = self.at;
        let bits = self.number("the number of bits of a word")?;
        let legal = (1..=128).contains(&bits);
        if legal { Ok(bits) } else { Err((start, "a word of 1 to 128 bits".into())) }
    }

    pub(super) fn ty(&mut self) -> Result<Type, Expected> {
        let secrecy = if self.take_word("secret") {
            Secrecy::Secret
        } else if self.take_word("share") {
            Secrecy::Share
        } else {
            Secrecy::Plain
        };
        let plain = [("f32", Element::F32), ("f64", Element::F64), ("i32", Element::I32)];
        let element = match plain.into_iter().find(|(name, _)| self.take(name)) {
            Some((_, element)) => element,
            None if self.take("bits") => Element::Bits(self.bits()?),
            None => Element::Fixed(self.fixed()?),
        };
        self.expect("[")?;
        let start = self.at;
        let axes = self.list("]", |cursor| cursor.number("the size of an axis"))?;
        let shape = Shape::new(&axes).map_err(|error| (start, error.to_string()))?;
        Ok(Type { secrecy, element, shape })
    }

    /// The value of an attribute that takes `kind`: other kinds are for the verifier to refuse, but
    /// `[]` is a list of whatever the attribute lists.
    pub(super) fn attribute(&mut self, kind: AttributeKind) -> Result<Attribute, Expected> {
        if self.take("\"") {
            let word = self.take_while(is_word_character).to_owned();
            self.expect("\"")?;
            return Ok(Attribute::Text(word));
        }
        if self.take("@") {
            return Ok(Attribute::Player(self.player()?));
        }
        if self.take("<") {
            let ty = self.ty()?;
            self.expect(">")?;
            return Ok(Attribute::Type(ty));
        }
        if self.take("[") {
            if kind == AttributeKind::Reals {
                return Ok(Attribute::Reals(self.list("]", Self::real)?));
            }
            self.skip_spaces();
            let empty = self.rest().starts_with(']') && kind == AttributeKind::Players;
            if !self.rest().starts_with('@') && !empty {
                return Ok(Attribute::Ints(self.list("]", |c| c.number("an integer"))?));
            }
            let player = |cursor: &mut Self| cursor.expect("@").and_then(|()| cursor.player());
            return Ok(Attribute::Players(self.list("]", player)?));
        }
        if self.take_word("true") {
            return Ok(Attribute::Flag(true));
        }
        if self.take_word("false") {
            return Ok(Attribute::Flag(false));
        }
        self.skip_spaces();
        let start = self.at;
        let number = self.digits();
        let value = number.parse().map(Attribute::Int).ok();
        let value = value.or_else(|| finite(number).map(Attribute::Real));
        value.ok_or((start, "the value of an attribute".into()))
    }

    fn real(&mut self) -> Result<f64, Expected> {
        self.skip_spaces();
        let start = self.at;
        finite(self.digits()).ok_or((start, "a finite real number".into()))
    }

    fn digits(&mut self) -> &'a str {
        self.take_while(|c| c.is_ascii_digit() || "+-.eE".contains(c))
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|x: &f64| x.is_finite())
}
