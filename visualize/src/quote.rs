//! Text for DOT. Names come from programs and from peers' texts, so none reaches a file unquoted.

/// A double-quoted DOT string that Graphviz shows exactly as `text`.
///
/// Graphviz reads three languages in a label: DOT quotes, backslash escapes such as `\N` and HTML
/// entities such as `&lt;`. A control character would break the line or the SVG.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            c => out.push(visible(c)),
        }
    }
    out.push('"');
    out
}

/// Text inside an HTML-like label.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // Backslash escapes are read here too, after the entities.
            '\\' => out.push_str("\\\\"),
            c => out.push(visible(c)),
        }
    }
    out
}

fn visible(c: char) -> char {
    if c.is_control() { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_from_a_string() {
        assert_eq!(quoted("private-input_1/share"), "\"private-input_1/share\"");
        assert_eq!(quoted("a\"];b->c;[\""), "\"a\\\"];b->c;[\\\"\"");
        assert_eq!(quoted("a\\"), "\"a\\\\\"");
        assert_eq!(quoted("&lt;\n"), "\"&amp;lt;\u{fffd}\"");
        assert_eq!(html("<b>&\"\\N"), "&lt;b&gt;&amp;&quot;\\\\N");
    }
}
