//! The review as text: a section a player, then what the network carries, then the digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use sordino::graph::{Exit, Input, NodeId, PlayerName, Role};

use super::Reviewed;

/// Columns of a terminal, more or less.
const WIDTH: usize = 100;

/// Columns of the words that say what a line is about.
const MARGIN: usize = 12;

/// The report of a plan, which ends with a line of its digest.
pub fn of(reviewed: &Reviewed) -> String {
    let mut report = Report { reviewed, text: String::new() };
    report.head();
    let players = &reviewed.plan.recorded.setup().players;
    let reads = |player: &&PlayerName| reviewed.review.inputs.iter().any(|i| i.player == **player);
    let (readers, others): (Vec<_>, Vec<_>) = players.iter().partition(reads);
    readers.into_iter().for_each(|player| report.player(player));
    if !others.is_empty() {
        let _ = writeln!(report.text, "\nothers");
        report.line("read", &format!("nothing of their own: {}", join(others)));
    }
    report.links();
    let _ = writeln!(report.text, "\ndigest {}", reviewed.plan.recorded_digest);
    report.text
}

struct Report<'a> {
    reviewed: &'a Reviewed,
    text: String,
}

/// What makes exits the same to a reader: who learns, how, from which line of the program.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Way<'a> {
    to: &'a str,
    /// With a # for the inputs.
    how: String,
    source: String,
}

/// Exits of one [`Way`].
#[derive(Default)]
struct Taken<'a> {
    /// Numbers of the player's inputs, from 1.
    inputs: BTreeSet<usize>,
    nodes: Nodes<'a>,
}

/// Nodes with their names, in the order of the graph.
type Nodes<'a> = BTreeSet<(NodeId, &'a str)>;

impl Report<'_> {
    fn head(&mut self) {
        let graph = &self.reviewed.plan.recorded;
        let setup = graph.setup();
        self.line("plan", graph.name());
        self.line("players", &join(&setup.players));
        if let Some(secure) = &setup.secure {
            let servers = join(&secure.servers);
            self.line("secure", &format!("{} on {servers}, {}", secure.protocol, secure.fixed));
        }
        for rule in &setup.policy.reveals {
            let mixes = format!("what mixes the data of {} player(s) or more", rule.over);
            self.line("policy", &format!("{} may learn {mixes}", rule.to));
        }
        for player in &setup.policy.releases {
            self.line("policy", &format!("{player} may hand out its own data openly"));
        }
    }

    fn player(&mut self, player: &PlayerName) {
        let review = &self.reviewed.review;
        let inputs: Vec<_> = review.inputs.iter().filter(|i| i.player == *player).collect();
        let _ = writeln!(self.text, "\n{player}");
        let (mut ways, mut told) = (BTreeMap::<Way<'_>, Taken<'_>>::new(), BTreeSet::new());
        for (input, number) in inputs.iter().zip(1..) {
            let node = self.reviewed.plan.recorded.node(input.node);
            let attributes = node.attributes.iter().map(|(name, value)| format!("{name}={value}"));
            let attributes = attributes.collect::<Vec<_>>().join(", ");
            let what = format!("{} [{attributes}]", node.op.name);
            let at = self.source(input.node);
            self.line("reads", &format!("{number}. {what} as {}{at}", input.name));
            for exit in &input.exits {
                let exit = &review.exits[*exit];
                let taken = ways.entry(self.way(exit, input)).or_default();
                taken.inputs.insert(number);
                taken.nodes.insert((exit.node, &exit.name));
            }
            told.extend(&input.exits);
        }
        if ways.is_empty() {
            self.line("tells", "nobody anything of it");
        }
        for (Way { to, how, source }, Taken { inputs, nodes }) in ways {
            let of = ranges(&inputs);
            let what = format!("{to} {}, by {}{source}", how.replace('#', &of), some(&nodes));
            self.line("tells", &what);
        }
        self.handed_on(&told);
    }

    /// Who hands on what was revealed by these exits, or what it made of that.
    fn handed_on(&mut self, told: &BTreeSet<usize>) {
        let review = &self.reviewed.review;
        let mut hands = BTreeMap::<&str, (BTreeSet<&str>, Nodes<'_>)>::new();
        for (exit, carried) in review.exits.iter().zip(&review.carried) {
            let reveals = carried.iter().filter(|reveal| told.contains(reveal));
            let from = reveals.filter_map(|reveal| review.exits[*reveal].to.as_ref());
            for from in from.filter(|from| exit.to.as_ref() != Some(from)) {
                let (to, nodes) = hands.entry(from.as_str()).or_default();
                to.insert(receiver(exit));
                nodes.insert((exit.node, &exit.name));
            }
        }
        for (from, (to, nodes)) in hands {
            let to = to.into_iter().collect::<Vec<_>>().join(", ");
            let what = format!("{from} hands what it made of that to {to}, by {}", some(&nodes));
            self.line("then", &what);
        }
    }

    fn links(&mut self) {
        let traffic = &self.reviewed.traffic;
        if traffic.links.is_empty() {
            let _ = writeln!(self.text, "\na step sends nothing from player to player");
            return;
        }
        let rounds = traffic.rounds;
        let _ = writeln!(self.text, "\na step of {rounds} round(s), bytes without framing");
        let (mut values, mut bytes) = (0, 0);
        for ((from, to), load) in &traffic.links {
            self.row(from.as_str(), to.as_str(), load.messages, load.bytes);
            (values, bytes) = (values + load.messages, bytes + load.bytes);
        }
        self.row("all", "", values, bytes);
    }

    fn row(&mut self, from: &str, to: &str, values: u64, bytes: u64) {
        let arrow = if to.is_empty() { "  " } else { "→ " };
        let (values, bytes) = (grouped(values), grouped(bytes));
        let row = format!("  {from:<24} {arrow}{to:<24} {values:>9} value(s) {bytes:>18} bytes");
        let _ = writeln!(self.text, "{row}");
    }

    fn way<'e>(&self, exit: &'e Exit, input: &Input) -> Way<'e> {
        let node = self.reviewed.plan.recorded.node(exit.node);
        let raw = node.inputs.first().is_some_and(|port| port.node == input.node);
        let how = match &exit.mixed {
            None if raw => "openly # unchanged".to_owned(),
            None => "openly what is made of #".to_owned(),
            Some(mixed) => {
                let kind = if mixed.sum { "a sum" } else { "a function" };
                let players = join(&mixed.owners);
                format!("only {kind} over {} ({players}) with # in it", mixed.over)
            }
        };
        Way { to: receiver(exit), how, source: self.source(exit.node) }
    }

    fn source(&self, node: NodeId) -> String {
        let source = self.reviewed.plan.recorded.node(node).source.as_ref();
        source.map(|line| format!(" ({line})")).unwrap_or_default()
    }

    /// Words that stand beside `label`, as many lines as they need.
    fn line(&mut self, label: &str, words: &str) {
        let mut column = MARGIN;
        let _ = write!(self.text, "  {label:<width$}", width = MARGIN - 2);
        for word in words.split(' ') {
            let length = word.chars().count();
            if column > MARGIN && column + 1 + length > WIDTH {
                let _ = write!(self.text, "\n{:MARGIN$}  ", "");
                column = MARGIN + 2;
            } else if column > MARGIN {
                self.text.push(' ');
                column += 1;
            }
            self.text.push_str(word);
            column += length;
        }
        self.text.push('\n');
    }
}

fn receiver(exit: &Exit) -> &str {
    debug_assert!(exit.to.is_some() || exit.role == Role::Publish);
    exit.to.as_ref().map_or("the driver", PlayerName::as_str)
}

fn join<'a>(players: impl IntoIterator<Item = &'a PlayerName>) -> String {
    players.into_iter().map(PlayerName::as_str).collect::<Vec<_>>().join(", ")
}

/// The first node's name, and how many more there are.
fn some(nodes: &Nodes<'_>) -> String {
    let first = nodes.first().map_or("", |(_, name)| name);
    match nodes.len() {
        0 | 1 => first.to_owned(),
        n => format!("{first} and {} more", n - 1),
    }
}

/// `1-3, 5`.
fn ranges(numbers: &BTreeSet<usize>) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let text = ranges.iter().map(|&(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    text.collect::<Vec<_>>().join(", ")
}

/// `118,282`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (118_282, "118,282")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(ranges(&[1, 2, 3, 5, 7, 8].into()), "1-3, 5, 7-8");
        assert_eq!(ranges(&BTreeSet::new()), "");
    }
}
