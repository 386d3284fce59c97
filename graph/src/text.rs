//! The text form: what people review, what snapshots hold and what digests hash.
//!
//! ```text
//! text   = [stage] "graph" name "{" head node* "}"
//! stage  = "lowered" | "local" "@" player
//! head   = "players" player ("," player)*
//!          ["secure" "=" name "(" player ("," player)* ")" fixed]
//!          ("policy" "reveal" "(" "to" "=" player "," "over" "=" int ")")*
//!          ("policy" "release" "(" "from" "=" player ")")*
//! node   = "%" int "=" op ["[" attribute ("," attribute)* "]"] "(" [port ("," port)*] ")"
//!          [":" type ("," type)*] "@" place ["in" scope] ["after" "%" int ("," "%" int)*]
//!          ["#" file ":" line]
//! port   = "%" int ["." int]
//! type   = ["secret" | "share"] element "[" [int ("," int)*] "]"
//! fixed  = "fix" int "." int
//! ```
//!
//! The form is deterministic: nodes stand in creation order, attributes sorted by name. A line
//! holds one node; what follows `#` is the program's line and no part of the graph's identity.

mod cursor;
mod parse;
mod print;

pub use parse::{ParseError, parse};
pub(crate) use print::print_node;
pub use print::{digest, print, print_with_sources};

use std::fmt;

/// The beginning of a line, fit to be shown: without what could steer a terminal.
pub(crate) fn cut(line: &str) -> String {
    let shown = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    line.chars().take(200).map(shown).collect()
}

/// SHA-256 of a graph's text: how players agree on what they run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{graph_of, op_set, setup};

    /// Texts of nodes that come back as they are.
    const BODIES: [&str; 8] = [
        "",
        "  %0 = zeros[shape=[]]() : f32[] @a",
        "  %0 = input[shape=[2,3]]() : f32[2,3] @a in outer/in_1.x-y
  %1 = halves(%0) : f32[2,3], f32[2,3] @a
  %2 = add_n(%1, %1.1, %0) : f32[2,3] @a in after",
        "  %0 = kinds[flag=true, int=-9223372036854775808, ints=[], player=@a, players=[], \
         real=-0.0, text=\"\", type=<f32[]>]() @a
  %1 = kinds[flag=false, int=0, ints=[-1,0,7], player=@s2, players=[@a,@b], real=1e300, \
         text=\"a/b.c-d_E9\", type=<secret fix128.32[2,0]>]() @a",
        "  %0 = kinds[flag=true, int=1, ints=[9223372036854775807], player=@a, players=[@a], \
         real=5e-324, text=\"x\", type=<share fix64.0[8]>]() @a
  %1 = kinds[flag=true, int=1, ints=[1], player=@a, players=[@a], real=1e16, text=\"true\", \
         type=<i32[1]>]() @a
  %2 = kinds[flag=true, int=1, ints=[1], player=@a, players=[@a], real=0.1, text=\"1\", \
         type=<f64[1]>]() @a",
        "  %0 = read[type=<f32[2]>, variable=\"w/0\"]() : f32[2] @a
  %1 = assign[variable=\"w/0\"](%0) @a after %0
  %2 = read[type=<f32[2]>, variable=\"w/0\"]() : f32[2] @a in s after %1
  %3 = assign[variable=\"w/0\"](%2) @a after %1, %2",
        "  %0 = encode(%1) : fix64.16[2] @a
  %1 = share(%0) : secret fix64.16[2] @secure
  %2 = reveal(%1) : fix64.16[2] @m in secure",
        "  %0 = send[edge=0, to=@b](%7.3) @a
  %1 = receive[edge=0, from=@a, type=<share fix64.16[2]>]() : share fix64.16[2] @b
  %2 = transfer(%4294967294.4294967295) : f32[1] @b",
    ];

    #[test]
    fn print_and_parse_are_inverse() {
        for title in ["graph", "lowered graph", "local @a graph"] {
            for body in BODIES {
                let graph = graph_of(title, body);
                let text = print(&graph);
                assert!(text.contains(body), "{body}\nprints as\n{text}");
                assert!(text.starts_with(&format!("{title} t {{\n{}", setup())));
                assert_eq!(parse(&text, &op_set()).as_ref(), Ok(&graph), "{text}");
                assert_eq!(print(&parse(&text, &op_set()).unwrap()), text);
            }
        }
    }

    #[test]
    fn a_program_without_secrets_has_the_shortest_head() {
        let text = "graph t {\n  players a\n}\n";
        assert_eq!(print(&parse(text, &op_set()).unwrap()), text);
    }

    #[test]
    fn source_lines_are_comments() {
        let line = "%0 = zeros[shape=[]]() : f32[] @a";
        let check = |comment: &str, expect: Option<(&str, u32)>| {
            let graph = graph_of("graph", &format!("  {line}{comment}"));
            let source = graph.node(crate::NodeId::new(0)).source.clone();
            let found = source.as_ref().map(|source| (&*source.file, source.line));
            assert_eq!(found, expect, "{comment:?}");
            assert_eq!(digest(&graph), digest(&graph_of("graph", &format!("  {line}"))));
            assert_eq!(graph, graph_of("graph", &format!("  {line}")));
            let reread = parse(&print_with_sources(&graph), &op_set()).unwrap();
            assert_eq!(reread.node(crate::NodeId::new(0)).source, source);
        };
        check("", None);
        check(" # src/main.rs:12", Some(("src/main.rs", 12)));
        check(" # C:\\a b#c.rs:7", Some(("C:\\a b#c.rs", 7)));
        check(" # no line", None);
        check(" # a.rs:-1", None);
        check(" # \u{1b}[2J.rs:1", None);
    }

    #[test]
    fn anything_but_source_lines_changes_the_digest() {
        let text = "graph t {
  players a, b, c
  secure = P(a, b) fix64.16
  policy reveal(to=a, over=2)
  policy release(from=b)
  %0 = zeros[shape=[2]]() : f32[2] @a in s
  %1 = read[type=<f32[2]>, variable=\"w\"]() : f32[2] @a
  %2 = assign[variable=\"w\"](%0) @a after %1
}
";
        let of = |text: &str| digest(&parse(text, &op_set()).unwrap());
        let changes = [
            ("graph t", "graph u"),
            ("graph t", "lowered graph t"),
            ("graph t", "local @a graph t"),
            ("players a, b, c", "players a, c, b"),
            ("P(a, b)", "Q(a, b)"),
            ("P(a, b)", "P(b, a)"),
            ("fix64.16", "fix64.17"),
            ("over=2", "over=1"),
            ("(to=a,", "(to=b,"),
            ("  policy release(from=b)\n", ""),
            ("shape=[2]", "shape=[3]"),
            ("zeros", "input"),
            (": f32[2] @a in s", ": f64[2] @a in s"),
            ("@a in s", "@b in s"),
            ("in s", "in t"),
            ("](%0)", "](%0.1)"),
            ("after %1", "after %0"),
            (" after %1", ""),
            ("variable=\"w\"](", "variable=\"v\"]("),
        ];
        for (from, to) in changes {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert_ne!(of(&changed), of(text), "{from} -> {to}");
        }
        let spaced = text.replace(", ", " ,  ").replace('\n', "  \r\n");
        assert_eq!(of(&spaced), of(text));
    }

    #[test]
    fn a_digest_is_that_of_the_text() {
        // printf 'graph t {\n  players a\n}\n' | sha256sum
        let graph = parse("graph t {\n  players a\n}\n", &op_set()).unwrap();
        let expect = "2ade4893bdb3cad46f4c8624f29c9e20e1a46a27e7d98146ceedf16282ad74ad";
        assert_eq!(digest(&graph).to_string(), expect);
    }

    #[test]
    fn control_characters_are_not_shown() {
        assert_eq!(cut("a\u{1b}[2J\tb"), "a\u{fffd}[2J\u{fffd}b");
        assert_eq!(cut(&"x".repeat(300)).len(), 200);
    }
}
