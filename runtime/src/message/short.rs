//! Text that others wrote, for the wire: without control characters, and cut.

use serde::{Deserialize, Deserializer, Serializer};

/// Characters of a text.
const MOST: usize = 2000;

/// Texts of a list.
const MOST_TEXTS: usize = 100;

fn short(text: &str) -> String {
    text.chars()
        .take(MOST)
        .map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c })
        .collect()
}

pub(crate) fn write<S: Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&short(text))
}

pub(crate) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(|text| short(&text))
}

pub(crate) fn read_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.as_deref().map(short))
}

pub(crate) fn read_list<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    Ok(texts.iter().take(MOST_TEXTS).map(|text| short(text)).collect())
}
