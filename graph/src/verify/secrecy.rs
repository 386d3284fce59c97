//! *secrecy*: nobody learns what the policy does not say. Judged on the recorded graph; lowering
//! is a pure function of it that every player does itself.
//!
//! - `secrecy/release`: plaintext derived from a player's own data (its disk, its variables, what
//!   was revealed to it) reaches another player, or the driver, only if the policy lets that
//!   player release.
//! - `secrecy/reveal`: a secret is revealed only to a player that the policy lists.
//! - `secrecy/mixed`: what is revealed to a player, and every linear combination of all that is
//!   revealed to it in one run, mixes the data of at least as many players as the policy says.
//!   The receiver and players that release do not count.
//! - `secrecy/judged`: sums and multiples of secrets are few enough to follow.
//! - `secrecy/share`: in a lowered graph, a share is never published.
//!
//! A secret is followed as a sum of multiples of the values that were shared, its *form*; what any
//! other op makes of secrets counts as one unknown value that mixes all that went in. All that one
//! player learns makes a matrix, a row a reveal, a column a shared value. Values with proportional
//! columns stay together in every combination of the rows: none shows one without the others. So
//! the rule is that such a group has enough owners. It refuses some harmless programs, lets no
//! harmful one through, and takes time in proportion to the matrix.
//!
//! A multiple hides others only if it can be seen beside them: one that was ever too small, or too
//! large for the ring, does not count.
//!
//! Relations between different values that one player shares are not known here. Against the
//! simplest, one value shared twice, the players too must stand in the reveals in groups that are
//! large enough, whatever they share. A program that has its players compute values that cancel
//! is for people to find, who read it.

use std::collections::{BTreeMap, BTreeSet};

use super::Faults;
use crate::PlayerName;
use crate::graph::{Graph, Node, NodeId, Port, Stage};
use crate::op::Role;
use crate::types::Secrecy;

/// Terms of forms and owners of values looked at before a program counts as too entangled.
const MOST_WORK: usize = 1 << 22;

/// A value whose factor is less than this part of another's does not hide it.
const FAINT: f64 = 1e-3;

/// A value whose factor was ever larger has left the headroom of encoded numbers: what is left of
/// it in the ring may be anything, or nothing.
const LARGEST: f64 = 4096.0;

type Owners = BTreeSet<PlayerName>;
/// The shared values (by the port that was shared) in a secret.
type Form = BTreeMap<Port, Term>;

/// A multiple of a shared value.
#[derive(Debug, Clone, Copy)]
struct Term {
    factor: f64,
    /// The least magnitude that the factor had on the way; 0 where it left the ring.
    faintest: f64,
}

impl Term {
    fn new(factor: f64, faintest: f64) -> Self {
        let faintest = faintest.min(factor.abs());
        let inside = factor.abs() <= LARGEST;
        Self { factor, faintest: if inside { faintest } else { 0.0 } }
    }

    /// The part of the value that the way here has left of it: 1 if it was never fainter than it
    /// is, 0 if there is nothing.
    fn kept(self) -> f64 {
        // A factor above 1 takes nothing away, and gives nothing back.
        if self.faintest > 0.0 { self.faintest / self.factor.abs().min(1.0) } else { 0.0 }
    }
}

pub(super) fn check(graph: &Graph, faults: &mut Faults<'_>) {
    match graph.stage() {
        Stage::Recorded => check_recorded(graph, faults),
        Stage::Lowered | Stage::Local(_) => check_shares(graph, faults),
    }
}

fn check_shares(graph: &Graph, faults: &mut Faults<'_>) {
    for (id, node) in graph.nodes().filter(|(_, node)| node.op.role == Role::Publish) {
        let share = |port: &Port| graph.ty(*port).is_some_and(|ty| ty.secrecy != Secrecy::Plain);
        if node.inputs.iter().any(share) {
            faults.node("secrecy/share", id, "publishes a share");
        }
    }
}

/// What is known of the values of each node, all outputs together.
#[derive(Default)]
struct Knowledge {
    /// Players from whose own data the values derive.
    owners: Vec<Owners>,
    /// For secrets: how they are made of shared values.
    forms: Vec<Form>,
    /// Who stands behind each shared value.
    symbols: BTreeMap<Port, Owners>,
    /// Terms and owners looked at.
    work: usize,
}

/// What is revealed to one player: the nodes and their forms.
type Reveals = Vec<(NodeId, Form)>;

fn check_recorded(graph: &Graph, faults: &mut Faults<'_>) {
    let policy = &graph.setup().policy;
    let releases: BTreeSet<_> = policy.releases.iter().collect();
    let mut known = Knowledge::default();
    let mut revealed: BTreeMap<&PlayerName, Reveals> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        let owners = known.owners_of(node);
        let receiver = node.place.player();
        match node.op.role {
            Role::Transfer | Role::Publish => {
                let receiver = receiver.filter(|_| node.op.role == Role::Transfer);
                let hidden =
                    |owner: &&PlayerName| Some(*owner) != receiver && !releases.contains(owner);
                if let Some(owner) = owners.iter().find(hidden) {
                    let to = receiver.map_or("the driver", PlayerName::as_str);
                    let message = format!(
                        "hands data of {owner} in plaintext to {to}: share it, or let the policy \
                         release(from={owner})"
                    );
                    faults.node("secrecy/release", id, message);
                }
            }
            Role::Reveal => {
                let form = known.form_of(node);
                if let Some(to) = receiver {
                    revealed.entry(to).or_default().push((id, form));
                }
            }
            _ => {}
        }
        known.learn(node, id, owners);
        if known.work > MOST_WORK {
            let message = "makes more sums of sums than can be followed: add secrets in one add_n";
            return faults.node("secrecy/judged", id, message);
        }
    }
    for (to, reveals) in revealed {
        check_reveals(graph, to, &reveals, &mut known, faults);
    }
}

impl Knowledge {
    fn owners_of(&mut self, node: &Node) -> Owners {
        if node.op.role == Role::Reveal {
            // What is revealed is the receiver's from here on; the reveal itself is judged apart.
            return node.place.player().cloned().into_iter().collect();
        }
        let mut owners = Owners::new();
        for port in &node.inputs {
            let of_input = &self.owners[port.node.index()];
            self.work += 1 + of_input.len();
            owners.extend(of_input.iter().cloned());
        }
        let own = matches!(node.op.role, Role::PrivateInput | Role::ReadVariable);
        owners.extend(node.place.player().filter(|_| own).cloned());
        owners
    }

    /// The sum of the forms of a node's inputs.
    fn form_of(&mut self, node: &Node) -> Form {
        let mut form = Form::new();
        for port in &node.inputs {
            let of_input = &self.forms[port.node.index()];
            self.work += 1 + of_input.len();
            for (symbol, term) in of_input {
                let sum = |old: &mut Term| {
                    *old = Term::new(old.factor + term.factor, old.faintest.min(term.faintest));
                };
                form.entry(*symbol).and_modify(sum).or_insert(*term);
            }
        }
        form
    }

    fn learn(&mut self, node: &Node, id: NodeId, owners: Owners) {
        let secret = node.outputs.iter().any(|ty| ty.secrecy == Secrecy::Secret);
        let whole = Term { factor: 1.0, faintest: 1.0 };
        let form = match node.op.role {
            _ if !secret => Form::new(),
            Role::Share => {
                self.symbols.insert(node.inputs[0], owners.clone());
                Form::from([(node.inputs[0], whole)])
            }
            Role::Sum => self.form_of(node),
            Role::Scale => match encoded_factor(node) {
                0.0 if node.attributes.real("factor") == Some(0.0) => Form::new(),
                factor => {
                    let scale = |t: Term| Term::new(t.factor * factor, t.faintest);
                    self.form_of(node).into_iter().map(|(s, term)| (s, scale(term))).collect()
                }
            },
            _ => {
                let own = Port { node: id, slot: 0 };
                self.symbols.insert(own, owners.clone());
                Form::from([(own, whole)])
            }
        };
        self.owners.push(owners);
        self.forms.push(form);
    }
}

/// What the ring multiplies by: a whole number, or a multiple of 2^-fraction.
fn encoded_factor(node: &Node) -> f64 {
    let factor = node.attributes.real("factor").unwrap_or(f64::NAN);
    match node.outputs.first().and_then(|ty| ty.fixed()) {
        Some(fixed) if factor.fract() != 0.0 => {
            let unit = f64::from(fixed.fraction()).exp2();
            (factor * unit).round() / unit
        }
        _ => factor,
    }
}

fn check_reveals(
    graph: &Graph,
    to: &PlayerName,
    reveals: &Reveals,
    known: &mut Knowledge,
    faults: &mut Faults<'_>,
) {
    let policy = &graph.setup().policy;
    let Some(rule) = policy.reveals.iter().find(|rule| rule.to == *to) else {
        for (id, _) in reveals {
            let message = format!(
                "reveals a secret to {to}: let the policy reveal(to={to}, over=…) if it may know"
            );
            faults.node("secrecy/reveal", *id, message);
        }
        return;
    };
    if rule.over <= 1 {
        return;
    }
    let hidden = |owner: &&PlayerName| *owner != to && !policy.releases.contains(owner);
    let Some(columns) = columns(reveals, known, hidden) else {
        let message = format!("is one of more reveals to {to} than can be judged together");
        return faults.node("secrecy/judged", reveals[0].0, message);
    };
    for group in groups_of_values(&columns).chain(groups_of_players(&columns)) {
        if group.hiding.len() < rule.over {
            let message = format!(
                "lets {to} learn what derives from {:?} with too little of others in it; the \
                 policy says over={}",
                group.owners, rule.over
            );
            faults.node("secrecy/mixed", reveals[group.row].0, message);
        }
    }
}

/// A shared value in what is revealed to one player.
struct Column<'a> {
    /// Who stands behind it and has something to hide from the receiver.
    owners: BTreeSet<&'a PlayerName>,
    /// The reveals that it is in, in order, with its factor there.
    terms: Vec<(usize, Term)>,
}

/// The columns of values of which the receiver does not know all owners' data; what it knows hides
/// nothing. `None` when there is too much to look at.
fn columns<'a>(
    reveals: &Reveals,
    Knowledge { symbols, work, .. }: &'a mut Knowledge,
    hidden: impl Fn(&&PlayerName) -> bool,
) -> Option<Vec<Column<'a>>> {
    let mut columns: BTreeMap<Port, Column<'a>> = BTreeMap::new();
    for (row, (_, form)) in reveals.iter().enumerate() {
        for (symbol, term) in form {
            let column = columns.entry(*symbol).or_insert_with(|| {
                *work += symbols[symbol].len();
                Column { owners: symbols[symbol].iter().filter(&hidden).collect(), terms: vec![] }
            });
            column.terms.push((row, *term));
            *work += column.owners.len();
        }
        if *work > MOST_WORK {
            return None;
        }
    }
    Some(columns.into_values().filter(|column| !column.owners.is_empty()).collect())
}

/// Values, or players, that no combination of the reveals takes apart.
struct Group<'a> {
    owners: BTreeSet<&'a PlayerName>,
    /// Those of the owners whose data hides that of the others.
    hiding: BTreeSet<&'a PlayerName>,
    /// A reveal that they are in.
    row: usize,
}

/// Values whose columns are proportional.
fn groups_of_values<'a>(columns: &[Column<'a>]) -> impl Iterator<Item = Group<'a>> {
    let mut groups: BTreeMap<Vec<(usize, u64)>, Vec<&Column<'a>>> = BTreeMap::new();
    for column in columns {
        let first = column.terms[0].1.factor;
        // Rounding can only take apart what belongs together, which refuses more.
        let direction = |&(row, term): &(usize, Term)| (row, (term.factor / first).to_bits());
        groups.entry(column.terms.iter().map(direction).collect()).or_default().push(column);
    }
    let group = |columns: Vec<&Column<'a>>| {
        let largest = columns.iter().map(|c| c.terms[0].1.factor.abs()).fold(0.0, f64::max);
        let visible = |column: &&&Column<'a>| {
            let size = column.terms[0].1.factor.abs();
            let kept = column.terms.iter().map(|(_, term)| term.kept()).fold(1.0, f64::min);
            kept > 0.0 && size * kept >= FAINT * largest
        };
        let owners = |column: &&Column<'a>| column.owners.clone();
        Group {
            owners: columns.iter().flat_map(owners).collect(),
            hiding: columns.iter().filter(visible).flat_map(|c| c.owners.clone()).collect(),
            row: columns[0].terms[0].0,
        }
    };
    groups.into_values().map(group)
}

/// Players whose values, all together, are in the same reveals.
fn groups_of_players<'a>(columns: &[Column<'a>]) -> impl Iterator<Item = Group<'a>> {
    let mut rows: BTreeMap<&PlayerName, BTreeSet<usize>> = BTreeMap::new();
    for column in columns {
        for &owner in &column.owners {
            rows.entry(owner).or_default().extend(column.terms.iter().map(|(row, _)| row));
        }
    }
    let mut groups: BTreeMap<BTreeSet<usize>, BTreeSet<&PlayerName>> = BTreeMap::new();
    for (owner, rows) in rows {
        groups.entry(rows).or_default().insert(owner);
    }
    groups.into_iter().map(|(rows, owners)| Group {
        hiding: owners.clone(),
        owners,
        row: rows.first().copied().unwrap_or_default(),
    })
}
