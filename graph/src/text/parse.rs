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
    /// Column in bytes, from 1.
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

/// Reads a graph. Types, placement and secrecy are as the text says: [`verify`](crate::verify)
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
            Some(SourceLine { file: file.into(), line: number.parse().ok()? })
        });
        let mut cursor = Cursor::new(line);
        let parsed = parse(&mut cursor, source).and_then(|value| cursor.end().map(|()| value));
        self.advance();
        parsed.map_err(|(at, expected)| ParseError {
            line: self.number,
            column: at + 1,
            expected,
            text: full.chars().take(200).collect(),
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
    cursor.expect("graph")?;
    let name = cursor.name("the name of the graph")?.to_owned();
    cursor.expect("{")?;
    Ok((name, stage))
}

fn parse_setup(lines: &mut Lines<'_>) -> Result<Setup, ParseError> {
    let players = lines.read(|cursor, _| {
        cursor.expect("players")?;
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
        cursor.expect("to")?;
        cursor.expect("=")?;
        let to = cursor.player()?;
        cursor.expect(",")?;
        cursor.expect("over")?;
        cursor.expect("=")?;
        let over = cursor.number("a number of players")?;
        policy.reveals.push(RevealRule { to, over });
    } else if cursor.take_word("release") {
        cursor.expect("(")?;
        cursor.expect("from")?;
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
        return cursor.fail(format!("an op that this program knows, not {name}"));
    };
    let mut attributes = Attributes::default();
    if cursor.take("[") {
        cursor.list("]", |cursor| {
            let name = cursor.name("the name of an attribute")?;
            cursor.expect("=")?;
            let value = cursor.attribute()?;
            if attributes.get(name).is_some() {
                return cursor.fail(format!("one {name}, not two"));
            }
            attributes.set(name, value);
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
