//! What is written above functions in the source.

use std::path::Path;

use super::programs::Cost;
use super::{Bound, accuracy, units};

/// The documentation of a function.
pub struct Page {
    pub name: &'static str,
    /// All of it.
    pub text: String,
    /// What it says of 64 and of 128 bits, if it has a table.
    pub rows: Option<[Row; 2]>,
}

/// A row of a page's table.
pub struct Row {
    /// For which arguments.
    pub range: String,
    pub error: String,
    pub cost: Cost,
}

/// How far off a page says that results are.
#[derive(Debug, PartialEq)]
pub enum Error {
    Exact,
    /// As a case allows.
    Within(Bound),
    /// In words.
    Other,
}

/// The page of a function of `ops`.
pub fn page(name: &'static str) -> Page {
    let head = [format!("pub fn {name}("), format!("pub fn {name}<")];
    let ops = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/ops/src"));
    let others = ["compare.rs", "extremes.rs", "ordering.rs"].map(|file| read(&ops.join(file)));
    let sources = [files(&ops.join("op")), others.into()].concat();
    let text = sources.iter().find_map(|source| {
        let lines: Vec<_> = source.lines().collect();
        let at = lines.iter().position(|line| head.iter().any(|head| line.starts_with(head)))?;
        let above = lines[..at].iter().rev().skip_while(|line| line.starts_with("#["));
        let mut text: Vec<_> = above.map_while(|line| line.strip_prefix("///")).collect();
        text.reverse();
        Some(
            text.iter()
                .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
                .collect(),
        )
    });
    let text: String = text.unwrap_or_else(|| panic!("there is no function {name}"));
    let rows = rows(name, &text);
    Page { name, text, rows }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The files of a folder.
fn files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

fn rows(name: &str, text: &str) -> Option<[Row; 2]> {
    let row = |bits: &str| {
        let start = format!("| {bits} |");
        let line = text.lines().find_map(|line| line.strip_prefix(&start))?;
        let cells: Vec<_> =
            line.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        let [range @ .., error, rounds, bytes] = &cells[..] else { panic!("{name}: {line}") };
        let cost = Cost { rounds: rounds.parse().unwrap(), bytes: bytes.parse().unwrap() };
        Some(Row { range: range.concat(), error: error.clone(), cost })
    };
    Some([row("64")?, row("128")?])
}

impl Page {
    /// Whether it says that results are exact and cost nothing.
    pub fn is_free(&self) -> bool {
        let free = |line: &str| {
            line.starts_with("Of secrets: ") && line.ends_with(", exact, 0 rounds, 0 bytes.")
        };
        self.text.lines().any(free)
    }

    /// What every page has and this one lacks.
    pub fn lacks(&self) -> Vec<&'static str> {
        let ranges = |rows: &[Row; 2]| rows.iter().all(|row| !row.range.is_empty());
        let said = [
            // The first paragraph has it as code.
            ("a formula", self.text.split("\n\n").next().is_some_and(|first| first.contains('`'))),
            ("a source", self.text.contains("Source")),
            ("a range", self.rows.as_ref().map_or(self.is_free(), ranges)),
            ("what it costs", self.rows.is_some() != self.is_free()),
        ];
        said.into_iter().filter(|(_, said)| !said).map(|(what, _)| what).collect()
    }

    pub fn error(&self) -> Error {
        let Some(rows) = &self.rows else { return Error::Exact };
        if rows.iter().all(|row| row.error == "exact") {
            return Error::Exact;
        }
        if rows.iter().all(|row| row.error == "1 unit") {
            return Error::Within(units(1.0));
        }
        let [low, high] = rows.each_ref().map(|row| parts(&row.error));
        match low.zip(high) {
            Some((low, high)) => Error::Within(accuracy(low, high)),
            None => Error::Other,
        }
    }
}

/// `1e-3 of it, or 1e-5`: relative and absolute; either can be missing.
fn parts(error: &str) -> Option<(f64, f64)> {
    let number = |text: &str| text.parse::<f64>().ok();
    match error.split_once(" of it") {
        None => Some((0.0, number(error)?)),
        Some((relative, "")) => Some((number(relative)?, 0.0)),
        Some((relative, rest)) => Some((number(relative)?, number(rest.strip_prefix(", or ")?)?)),
    }
}

/// All pages in a table.
pub fn list(pages: &[Page]) -> String {
    let mut list = String::from(
        "# Operations on secrets

What functions of secrets cost, and how far off they are, under ABY3: messages between the servers one
after the other, and bytes of all of them for an element, of many. Each function's page says which
elements are meant, and has the formula and its source; the pages of `ops/src/protocol/aby3` say who
sends what. A unit is 2^-16 at 64 bits and 2^-32 at 128. *All* are those that can be encoded: words, and
magnitudes below 2^34 and 2^82.

`tests/conformance_ops.rs` makes this table of the pages, holds it to what plans take, and compares
results with plaintext.

| function | for | error at most, 64 bits | 128 bits | rounds | bytes | rounds, 128 bits | bytes |
|---|---|---|---|---|---|---|---|
",
    );
    let free: Vec<_> =
        pages.iter().filter(|page| page.rows.is_none()).map(|page| page.name).collect();
    let range = |[low, high]: [&Row; 2]| match low.range == high.range {
        true => low.range.clone(),
        false => format!("{}, {}", low.range, high.range),
    };
    for page in pages {
        let Some([low, high]) = &page.rows else { continue };
        let cells = [
            page.name.to_owned(),
            range([low, high]),
            low.error.clone(),
            high.error.clone(),
            low.cost.rounds.to_string(),
            low.cost.bytes.to_string(),
            high.cost.rounds.to_string(),
            high.cost.bytes.to_string(),
        ];
        list += &format!("| {} |\n", cells.join(" | "));
    }
    list += &format!("\nExact and without a message: {}.\n", free.join(", "));
    list
}
