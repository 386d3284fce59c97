//! Files of plans: the recorded graphs of one or more programs as text, one after the other.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{anyhow, bail};
use sordino::graph::{Graph, parse};
use sordino::ops::{Plan, op_set};

/// More than any program needs; a wrong path must not fill the memory.
const MAX_FILE: u64 = 256 << 20;

/// Reads the plans of a file and checks them as a player would.
///
/// # Errors
/// With the line of the file, when it is not readable, no plan, or a plan that breaks a rule.
pub fn read(path: &Path) -> anyhow::Result<Vec<Plan>> {
    let mut text = String::new();
    let file = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    let path = path.display();
    let length = file.map_err(|error| anyhow!("cannot read {path}: {error}"))?;
    if length as u64 > MAX_FILE {
        bail!("{path} is larger than 256 MiB: it holds no plan");
    }
    let graphs = parse_all(&text).map_err(|error| anyhow!("{path} is no plan: {error}"))?;
    let plan = |graph: Graph| {
        let name = graph.name().to_owned();
        Plan::new(graph).map_err(|error| anyhow!("no player runs {name} of {path}: {error}"))
    };
    graphs.into_iter().map(plan).collect()
}

/// The graphs of a text, at least one. Each ends with a line that is `}`.
fn parse_all(text: &str) -> anyhow::Result<Vec<Graph>> {
    let ops = op_set();
    let (mut graphs, mut begin, mut first_line) = (Vec::new(), 0, 0);
    let mut at = 0;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        at += line.len();
        let blank = text[begin..at].trim().is_empty();
        if blank {
            (begin, first_line) = (at, number);
        } else if line.trim() == "}" || at == text.len() {
            let graph = parse(&text[begin..at], &ops).map_err(|mut error| {
                error.line += first_line;
                error
            })?;
            graphs.push(graph);
            (begin, first_line) = (at, number);
        }
    }
    if graphs.is_empty() {
        bail!("it is empty");
    }
    Ok(graphs)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "graph a {\n  players x\n}\n";

    #[test]
    fn plans_stand_one_after_the_other() {
        let names = |text: &str| {
            let graphs = parse_all(text).map_err(|error| error.to_string())?;
            let names: Vec<_> = graphs.iter().map(Graph::name).collect();
            Ok::<_, String>(names.join(" "))
        };
        let check = |text: &str, expect: Result<&str, &str>| match (names(text), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            (found, _) => panic!("{found:?}"),
        };
        check(ONE, Ok("a"));
        check(ONE.trim_end(), Ok("a"));
        let other = ONE.replace("graph a", "graph b");
        check(&[ONE, "\n", &other].concat(), Ok("a b"));
        check(&[ONE, &other, "\n \n"].concat(), Ok("a b"));
        check("", Err("empty"));
        check("\n\n", Err("empty"));
        check("hello", Err("line 1"));
        check(&[ONE, &other.replace("players", "player")].concat(), Err("line 5"));
        check(&[ONE, "graph b {\n"].concat(), Err("line 5"));
        check(&[ONE, "}\n"].concat(), Err("line 4"));
    }
}
