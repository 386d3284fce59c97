//! A player's policy as a file: what it lets programs do, in TOML.
//!
//! ```toml
//! signed = "enough"           # or "required": only plans that this player has signed run
//! protocols = ["ABY3"]        # if it is left out, every protocol that protects something
//! insecure = false            # protocols that protect nothing
//!
//! [[reveal]]                  # what is computed of players' secrets may be shown
//! what = "output*/reveal*"    # by these nodes of the program; * if it is left out
//! to = "model-owner"          # to this player
//! over = 3                    # if it mixes the data of at least so many
//! functions = false           # and is a sum, unless this is true
//!
//! [[release]]                 # this player's own data may be handed out openly
//! what = "*"                  # by these nodes
//! to = "train-data-owner-*"   # to these players; "driver" is the driver
//! ```
//!
//! `*` stands for any characters. What no rule allows is refused. A rule that matters says `to`
//! and `over`: the names of nodes are the program's own.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sordino_graph::PlayerName;
use sordino_ops::protocol;
use toml::Spanned;

use crate::consent::{ReleaseRule, RevealRule, Rules};

/// Larger than any policy; a wrong path must not fill the memory.
const MAX_FILE: u64 = 1 << 20;

/// Why a policy cannot be used. The operator's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum PolicyError {
    /// There is no such file, or it is no text.
    #[error("cannot read the policy {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },

    /// The file is too large.
    #[error("{} is larger than 1 MiB: it is no policy", .path.display())]
    TooLarge { path: PathBuf },

    /// It is no TOML, or not of the form above.
    #[error(
        "the policy {} is not as it should be: {reason}\nExamples are in the documentation and in \
         examples/federated-learning/policy.toml", .path.display()
    )]
    Malformed { path: PathBuf, reason: String },

    /// A rule says something that cannot be meant.
    #[error("the policy {} line {line}: {reason}", .path.display())]
    Meaningless { path: PathBuf, line: usize, reason: String },
}

/// The file, before it is checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    #[serde(default)]
    signed: Signed,
    protocols: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    reveal: Vec<Spanned<Reveal>>,
    #[serde(default)]
    release: Vec<Spanned<Release>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Signed {
    #[default]
    Enough,
    Required,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reveal {
    what: Option<Spanned<String>>,
    to: Spanned<String>,
    over: Spanned<usize>,
    #[serde(default)]
    functions: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    what: Option<Spanned<String>>,
    to: Spanned<String>,
}

/// Names with `*` in them, which stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// What every name matches.
    #[must_use]
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// Whether a name is one of these. Takes time in proportion to both lengths multiplied.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        // The first part stands at the beginning, the last at the end, others where they come first.
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(found) = rest.find(part) else { return false };
            rest = &rest[found + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Reads a policy.
///
/// # Errors
/// [`PolicyError`], which names the line and what to do.
pub(crate) fn load(path: &Path) -> Result<Rules, PolicyError> {
    use std::io::Read;
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    match read {
        Err(source) => Err(PolicyError::Unreadable { path: path.to_owned(), source }),
        Ok(length) if length as u64 > MAX_FILE => {
            Err(PolicyError::TooLarge { path: path.to_owned() })
        }
        Ok(_) => parse(path, &text),
    }
}

/// Reads the text of a policy; `path` is for messages.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Rules, PolicyError> {
    let file: PolicyFile = toml::from_str(text).map_err(|error| {
        let reason = error.to_string().trim_end().to_owned();
        PolicyError::Malformed { path: path.to_owned(), reason }
    })?;
    let reader = Reader { path, text };
    let mut positions: Vec<usize> = file.reveal.iter().map(|rule| rule.span().start).collect();
    positions.extend(file.release.iter().map(|rule| rule.span().start));
    positions.sort_unstable();
    let name =
        path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    let origin = |span: Range<usize>| {
        let number = positions.binary_search(&span.start).map_or(0, |i| i + 1);
        format!("{name} rule {number} (line {})", reader.line(span.start))
    };
    let mut rules = Rules {
        source: name.to_string(),
        reveals: Vec::new(),
        releases: Vec::new(),
        protocols: None,
        insecure: file.insecure,
        only_signed: matches!(file.signed, Signed::Required),
    };
    for rule in file.reveal {
        let (origin, rule) = (origin(rule.span()), rule.into_inner());
        let what = reader.node(rule.what)?;
        let to = reader.player(rule.to)?;
        let over = *rule.over.get_ref();
        if over == 0 {
            let reason = "over is at least 1, which lets the data of a single player be revealed";
            return Err(reader.meaningless(rule.over.span(), reason));
        }
        rules.reveals.push(RevealRule { origin, what, to, over, functions: rule.functions });
    }
    for rule in file.release {
        let (origin, rule) = (origin(rule.span()), rule.into_inner());
        let (what, to) = (reader.node(rule.what)?, reader.player(rule.to)?);
        rules.releases.push(ReleaseRule { origin, what, to });
    }
    for name in file.protocols.iter().flatten() {
        let found = protocol::protocol(name.get_ref());
        let found = found.map_err(|e| reader.meaningless(name.span(), &e.to_string()))?;
        if found.insecure && !file.insecure {
            let reason = format!("{} protects nothing: say insecure = true as well", found.name);
            return Err(reader.meaningless(name.span(), &reason));
        }
    }
    rules.protocols =
        file.protocols.map(|names| names.into_iter().map(Spanned::into_inner).collect());
    Ok(rules)
}

/// The text that is read, for messages.
struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn meaningless(&self, span: Range<usize>, reason: &str) -> PolicyError {
        let (path, line) = (self.path.to_owned(), self.line(span.start));
        PolicyError::Meaningless { path, line, reason: reason.to_owned() }
    }

    fn node(&self, what: Option<Spanned<String>>) -> Result<Pattern, PolicyError> {
        let Some(what) = what else { return Ok(Pattern::any()) };
        if what.get_ref().is_empty() {
            let reason = "what is a name of nodes, as `sordino review` shows it, or \"*\"";
            return Err(self.meaningless(what.span(), reason));
        }
        Ok(Pattern(what.into_inner()))
    }

    fn player(&self, to: Spanned<String>) -> Result<Pattern, PolicyError> {
        // A name that nobody can have is a mistake; so is one with a * that nothing can make one.
        PlayerName::new(&to.get_ref().replace('*', "x")).map_err(|_| {
            let reason = format!(
                "to names players as the list of players does, \"driver\", or with * for any \
                 characters, not {:?}",
                to.get_ref()
            );
            self.meaningless(to.span(), &reason)
        })?;
        Ok(Pattern(to.into_inner()))
    }
}

#[cfg(test)]
mod tests;
