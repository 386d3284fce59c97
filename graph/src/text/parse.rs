//! Reading a graph from its text.

use std::fmt;
use std::sync::Arc;

use super::cursor::{Cursor, Expected};
use crate::attribute::Attributes;
use crate::graph::{Graph, Node, NodeId, Place, SourceLine, Stage};
use crate::op::OpSet;
use crate::setup::{Policy, RevealRule, Secure, Setup};

/// Where a text is no graph, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1, not counting the spaces that the line begins with.
    pub column: usize,
    /// What was expected.
    pub expected: String,
    /// The line, cut at 200 characters.
    pub text: String,
}

impl std::error::Error for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected, text } = self;
        write!(f, "line {line}, column {column}: expected {expected}\n  {text}")
    }
}

/// Reads a graph. Types, placement and secrecy are as the text says: [`verify`](crate::verify())
/// judges them.
///
/// # Errors
/// [`ParseError`] at the first place that does not follow the grammar, or names an op that `ops`
/// lacks.
pub fn parse(text: &str, ops: &OpSet) -> Result<Graph, ParseError> {
    let mut lines = Lines { text, number: 0 };
    let (name, stage) = lines.read(parse_title)?;
    let setup = parse_setup(&mut lines)?;
    let mut graph = Graph::new(&name, Arc::new(setup), stage);
    loop {
        if lines.peek() == Some("}") {
            lines.advance();
            break;
        }
        let next = NodeId::new(graph.len());
        let node = lines.read(|cursor, source| parse_node(cursor, source, next, ops))?;
        graph.push(node);
    }
    match lines.peek() {
        None => Ok(graph),
        Some(_) => lines.read(|cursor, _| cursor.fail("the end of the text")),
    }
}

struct Lines<'a> {
    text: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line, without surrounding spaces; `None` at the end.
    fn peek(&self) -> Option<&'a str> {
        let line = self.text.lines().next()?.trim();
        Some(line)
    }

    fn advance(&mut self) {
        self.text = self.text.split_once('\n').map_or("", |(_, rest)| rest);
        self.number += 1;
    }

    /// Reads the next line with `parse`, which also gets the comment behind it.
    fn read<T>(
        &mut self,
        parse: impl FnOnce(&mut Cursor<'_>, Option<SourceLine>) -> Result<T, Expected>,
    ) -> Result<T, ParseError> {
        let full = self.peek().unwrap_or("");
        let (line, comment) = full.split_once('#').unwrap_or((full, ""));
        let source = comment.trim().rsplit_once(':').and_then(|(file, number)| {
            let plain = !file.chars().any(char::is_control);
            plain.then_some(SourceLine { file: file.into(), line: number.parse().ok()? })
        });
        let mut cursor = Cursor::new(line);
        let parsed = parse(&mut cursor, source).and_then(|value| cursor.end().map(|()| value));
        self.advance();
        parsed.map_err(|(at, expected)| ParseError {
            line: self.number,
            column: at + 1,
            expected,
            text: super::cut(full),
        })
    }

    /// Reads the next line if it begins with `word`.
    fn read_if<T>(
        &mut self,
        word: &str,
        parse: impl FnOnce(&mut Cursor<'_>) -> Result<T, Expected>,
    ) -> Result<Option<T>, ParseError> {
        let begins = self.peek().is_some_and(|line| Cursor::new(line).take_word(word));
        let read = |cursor: &mut Cursor<'_>, _| {
            cursor.take_word(word);
            parse(cursor)
        };
        if begins { self.read(read).map(Some) } else { Ok(None) }
    }
}

fn parse_title(
    cursor: &mut Cursor<'_>,
    _: Option<SourceLine>,
) -> Result<(String, Stage), Expected> {
    let stage = if cursor.take_word("lowered") {
        Stage::Lowered
    } else if cursor.take_word("local") {
        cursor.expect("@")?;
        Stage::Local(cursor.player()?)
    } else {
        Stage::Recorded
    };
    cursor.keyword("graph")?;
    let name = cursor.name("the name of the graph")?.to_owned();
    cursor.expect("{")?;
    Ok((name, stage))
}

fn parse_setup(lines: &mut Lines<'_>) -> Result<Setup, ParseError> {
    let players = lines.read(|cursor, _| {
        cursor.keyword("players")?;
        let mut players = vec![cursor.player()?];
        while cursor.take(",") {
            players.push(cursor.player()?);
        }
        Ok(players)
    })?;
    let secure = lines.read_if("secure", |cursor| {
        cursor.expect("=")?;
        let protocol = cursor.name("the name of a protocol")?.into();
        cursor.expect("(")?;
        let servers = cursor.list(")", Cursor::player)?;
        Ok(Secure { protocol, servers, fixed: cursor.fixed()? })
    })?;
    let mut policy = Policy::default();
    while lines.read_if("policy", |cursor| parse_policy(cursor, &mut policy))?.is_some() {}
    Ok(Setup { players, secure, policy })
}

fn parse_policy(cursor: &mut Cursor<'_>, policy: &mut Policy) -> Result<(), Expected> {
    if cursor.take_word("reveal") {
        cursor.expect("(")?;
        cursor.keyword("to")?;
        cursor.expect("=")?;
        let to = cursor.player()?;
        cursor.expect(",")?;
        cursor.keyword("over")?;
        cursor.expect("=")?;
        let over = cursor.number("a number of players")?;
        policy.reveals.push(RevealRule { to, over });
    } else if cursor.take_word("release") {
        cursor.expect("(")?;
        cursor.keyword("from")?;
        cursor.expect("=")?;
        policy.releases.push(cursor.player()?);
    } else {
        return cursor.fail("`reveal` or `release`");
    }
    cursor.expect(")")
}

fn parse_node(
    cursor: &mut Cursor<'_>,
    source: Option<SourceLine>,
    next: NodeId,
    ops: &OpSet,
) -> Result<Node, Expected> {
    let numbered = cursor.node_id();
    if numbered != Ok(next) {
        return Err((0, format!("{next}, the next node in order, or `}}`")));
    }
    cursor.expect("=")?;
    let name = cursor.name("the name of an op")?;
    let Some(op) = ops.get(name) else {
        return cursor.fail("an op that this program knows");
    };
    let mut attributes = Attributes::default();
    if cursor.take("[") {
        cursor.list("]", |cursor| {
            let name = cursor.name("the name of an attribute")?;
            let Some(&(_, kind)) = op.attributes.iter().find(|(of, _)| *of == name) else {
                return cursor.fail(format!("an attribute of {}", op.name));
            };
            if attributes.get(name).is_some() {
                return cursor.fail(format!("one {name}, not two"));
            }
            cursor.expect("=")?;
            attributes.set(name, cursor.attribute(kind)?);
            Ok(())
        })?;
    }
    cursor.expect("(")?;
    let inputs = cursor.list(")", Cursor::port)?;
    let mut outputs = Vec::new();
    if cursor.take(":") {
        outputs.push(cursor.ty()?);
        while cursor.take(",") {
            outputs.push(cursor.ty()?);
        }
    }
    cursor.expect("@")?;
    let place =
        if cursor.take_word("secure") { Place::Secure } else { Place::Player(cursor.player()?) };
    let scope = if cursor.take_word("in") { cursor.word("a scope")? } else { "" }.into();
    let mut after = Vec::new();
    if cursor.take_word("after") {
        after.push(cursor.node_id()?);
        while cursor.take(",") {
            after.push(cursor.node_id()?);
        }
    }
    Ok(Node { op, attributes, inputs, after, outputs, place, scope, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::op_set;

    const HEAD: &str = "graph t {\n  players a, b\n";

    fn check(text: &str, line: usize, column: usize, expected: &str) {
        let error = parse(text, &op_set()).expect_err(text);
        let found = (error.line, error.column, error.expected.as_str());
        assert_eq!(found, (line, column, expected), "{text}\n{error}");
        let of_text = text.lines().nth(line - 1).unwrap_or("").trim();
        assert_eq!(error.text, of_text);
        assert!(error.to_string().contains(&format!("line {line}, column {column}")));
    }

    #[test]
    fn a_head_that_is_none_is_refused_where_it_ends() {
        check("", 1, 1, "`graph`");
        check("tree t {", 1, 1, "`graph`");
        check("grapht {", 1, 1, "`graph`");
        check("local graph t {", 1, 7, "`@`");
        check("graph {", 1, 7, "the name of the graph");
        check("graph t-u {", 1, 8, "`{`");
        check("graph t {} ", 1, 10, "the end of the line");
        check("graph t {\n}", 2, 1, "`players`");
        check("graph t {\n  playersa\n", 2, 1, "`players`");
        check("graph t {\n  players\n", 2, 8, "a player");
        check("graph t {\n  players a,\n", 2, 11, "a player");
        let word = "is not a player name: write 1 to 63 of the characters a-z, 0-9, - and _, \
                    beginning with a letter, and not the word secure";
        check("graph t {\n  players a, B\n", 2, 12, &format!("\"B\" {word}"));
        check("graph t {\n  players secure\n", 2, 9, &format!("\"secure\" {word}"));
        let secure = |line: &str| format!("{HEAD}  {line}\n}}");
        check(&secure("secure ABY3(a) fix64.16"), 3, 8, "`=`");
        check(&secure("secure = (a) fix64.16"), 3, 10, "the name of a protocol");
        check(&secure("secure = P(a b) fix64.16"), 3, 14, "`,` or `)`");
        check(&secure("secure = P(a)"), 3, 14, "`fix`");
        let fixed = "fix64 or fix128 with at most half of the bits fractional";
        check(&secure("secure = P(a) fix64.33"), 3, 15, fixed);
        check(&secure("secure = P(a) fix32.8"), 3, 15, fixed);
        check(&secure("secure = P(a) fix64.-1"), 3, 21, "a number of fractional bits");
        check(&secure("policy learn(to=a)"), 3, 8, "`reveal` or `release`");
        check(&secure("policy reveal(to=a, over=-1)"), 3, 26, "a number of players");
        check(&secure("policy reveal(toa, over=1)"), 3, 15, "`to`");
        check(&secure("policy release(from=a"), 3, 22, "`)`");
    }

    #[test]
    fn a_node_that_is_none_is_refused_where_it_ends() {
        let node = |line: &str| format!("{HEAD}  {line}\n}}\n");
        let cases = [
            ("x", 1, "%0, the next node in order, or `}`"),
            ("", 1, "%0, the next node in order, or `}`"),
            ("%1 = zeros[shape=[]]() : f32[] @a", 1, "%0, the next node in order, or `}`"),
            ("%4294967296 = zeros() @a", 1, "%0, the next node in order, or `}`"),
            ("%0 zeros() @a", 4, "`=`"),
            ("%0 = (%0) @a", 6, "the name of an op"),
            ("%0 = ones() @a", 10, "an op that this program knows"),
            ("%0 = zeros[shape=[]] @a", 22, "`(`"),
            ("%0 = zeros[size=1]() @a", 16, "an attribute of zeros"),
            ("%0 = zeros[shape=[], shape=[]]() @a", 27, "one shape, not two"),
            ("%0 = zeros[shape]() @a", 17, "`=`"),
            ("%0 = zeros[shape=]() @a", 18, "the value of an attribute"),
            ("%0 = zeros[shape=[1;2]]() @a", 20, "`,` or `]`"),
            ("%0 = zeros[shape=[9223372036854775808]]() @a", 19, "an integer"),
            ("%0 = zeros[shape=[]()", 20, "`,` or `]`"),
            ("%0 = scale[factor=inf]() @a", 19, "the value of an attribute"),
            ("%0 = scale[factor=1e999]() @a", 19, "the value of an attribute"),
            ("%0 = assign[variable=\"a b\"]() @a", 25, "`\"`"),
            ("%0 = read[type=<f16[]>]() @a", 17, "`fix`"),
            ("%0 = read[type=<f32[-1]>]() @a", 21, "the size of an axis"),
            ("%0 = halves(0) @a", 13, "`%`"),
            ("%0 = halves(%0.) @a", 16, "the number of an output"),
            ("%0 = halves(%0, ) @a", 17, "`%`"),
            ("%0 = halves() : @a", 17, "`fix`"),
            ("%0 = halves() : f32 @a", 21, "`[`"),
            ("%0 = halves()", 14, "`@`"),
            ("%0 = halves() @", 16, "a player"),
            ("%0 = halves() @a in", 20, "a scope"),
            ("%0 = halves() @a after 3", 24, "`%`"),
            ("%0 = halves() @a %3", 18, "the end of the line"),
        ];
        for (line, column, expected) in cases {
            check(&node(line), 3, column, expected);
        }
        let large = "has the axes [2147483648, 2], where a tensor has at most 8, and 2^31 elements";
        check(&node("%0 = halves() : f32[2147483648,2] @a"), 3, 21, large);
        check(&format!("{HEAD}}}\n}}\n"), 4, 1, "the end of the text");
        check(HEAD, 3, 1, "%0, the next node in order, or `}`");
    }

    #[test]
    fn errors_show_a_short_line_without_control_characters() {
        let text = format!("graph \u{1b}[2J{}", "x".repeat(10_000));
        let error = parse(&text, &op_set()).unwrap_err();
        assert_eq!(error.text.chars().count(), 200);
        assert!(!error.to_string().contains('\u{1b}'));
    }

    /// Beginnings of a valid text, and the text with one character changed, are graphs or errors.
    #[test]
    fn no_text_panics() {
        let text = "lowered graph t {\n  players a, b\n  secure = P(a) fix64.16\n  policy \
                    reveal(to=a, over=2)\n  %0 = kinds[flag=true, ints=[1,2], players=[@a], \
                    real=1.5, text=\"é\", type=<secret fix64.16[2]>](%0.1) : f32[2], share \
                    fix64.1[] @a in s after %0 # a:1\n}\n";
        for (at, old) in text.char_indices() {
            let _ = parse(&text[..at], &op_set());
            for new in ["", "%", "[", "-", "9", "é", "\n", "\0", "#"] {
                let changed = [&text[..at], new, &text[at + old.len_utf8()..]].concat();
                let _ = parse(&changed, &op_set());
            }
        }
    }
}
