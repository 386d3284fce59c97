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
//! - `secrecy/share`: in a lowered graph, a share is never published.
//!
//! Sums and multiples of shared values are followed exactly, and the combinations that they allow
//! (a sum, and the same sum without one owner) are found by elimination. What any other op makes
//! of secrets counts as one unknown value that mixes all that went in. Two shares of one value
//! are one; relations between different values that one player shares are not known here.

use std::collections::{BTreeMap, BTreeSet};

use super::Faults;
use crate::PlayerName;
use crate::graph::{Graph, Node, NodeId, Port, Stage};
use crate::op::Role;
use crate::types::Secrecy;

/// Subsets of owners tried for one receiver before a program counts as too entangled to judge.
const MOST_SUBSETS: usize = 20_000;

type Owners = BTreeSet<PlayerName>;
/// Coefficients of the shared values (by the port that was shared) in a secret.
type Form = BTreeMap<Port, f64>;

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
struct Knowledge {
    /// Players from whose own data the values derive.
    owners: Vec<Owners>,
    /// For secrets: how they are made of shared values.
    forms: Vec<Form>,
    /// Who stands behind each shared value.
    symbols: BTreeMap<Port, Owners>,
}

fn check_recorded(graph: &Graph, faults: &mut Faults<'_>) {
    let policy = &graph.setup().policy;
    let mut known = Knowledge { owners: Vec::new(), forms: Vec::new(), symbols: BTreeMap::new() };
    let mut revealed: BTreeMap<&PlayerName, Vec<(NodeId, Form)>> = BTreeMap::new();
    for (id, node) in graph.nodes() {
        let owners = known.owners_of(node);
        let receiver = node.place.player();
        match node.op.role {
            Role::Transfer | Role::Publish => {
                let receiver = receiver.filter(|_| node.op.role == Role::Transfer);
                let hidden = |owner: &&PlayerName| {
                    Some(*owner) != receiver && !policy.releases.contains(owner)
                };
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
    }
    for (to, reveals) in revealed {
        check_reveals(graph, to, &reveals, &known.symbols, faults);
    }
}

impl Knowledge {
    fn owners_of(&self, node: &Node) -> Owners {
        let inputs = node.inputs.iter();
        let mut owners: Owners =
            inputs.flat_map(|port| self.owners[port.node.index()].iter().cloned()).collect();
        let own = matches!(node.op.role, Role::PrivateInput | Role::ReadVariable | Role::Reveal);
        if node.op.role == Role::Reveal {
            // What is revealed is the receiver's from here on; the reveal itself is judged apart.
            owners.clear();
        }
        owners.extend(node.place.player().filter(|_| own).cloned());
        owners
    }

    /// The sum of the forms of a node's inputs.
    fn form_of(&self, node: &Node) -> Form {
        let mut form = Form::new();
        for port in &node.inputs {
            for (symbol, factor) in &self.forms[port.node.index()] {
                *form.entry(*symbol).or_default() += factor;
            }
        }
        form
    }

    fn learn(&mut self, node: &Node, id: NodeId, owners: Owners) {
        let secret = node.outputs.iter().any(|ty| ty.secrecy == Secrecy::Secret);
        let own = Port { node: id, slot: 0 };
        let form = match node.op.role {
            _ if !secret => Form::new(),
            Role::Share => {
                self.symbols.insert(node.inputs[0], owners.clone());
                Form::from([(node.inputs[0], 1.0)])
            }
            Role::Sum => self.form_of(node),
            Role::Scale => {
                let factor = node.attributes.real("factor").unwrap_or(1.0);
                self.form_of(node).into_iter().map(|(s, f)| (s, f * factor)).collect()
            }
            _ => {
                self.symbols.insert(own, owners.clone());
                Form::from([(own, 1.0)])
            }
        };
        self.owners.push(owners);
        self.forms.push(form);
    }
}

fn check_reveals(
    graph: &Graph,
    to: &PlayerName,
    reveals: &[(NodeId, Form)],
    symbols: &BTreeMap<Port, Owners>,
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
    let hidden = |owner: &&PlayerName| *owner != to && !policy.releases.contains(owner);
    let owners_of = |symbol: &Port| symbols[symbol].iter().filter(hidden).collect::<BTreeSet<_>>();
    let mixes = |form: &Form| -> BTreeSet<&PlayerName> {
        form.iter().filter(|(_, factor)| **factor != 0.0).flat_map(|(s, _)| owners_of(s)).collect()
    };
    let mut thin = false;
    for (id, form) in reveals {
        let mixed = mixes(form);
        if !mixed.is_empty() && mixed.len() < rule.over {
            thin = true;
            let message = format!(
                "reveals to {to} what derives from {mixed:?} alone; the policy says over={}",
                rule.over
            );
            faults.node("secrecy/mixed", *id, message);
        }
    }
    if thin || forms_are_disjoint(reveals) {
        return;
    }
    let owners: Vec<_> = reveals
        .iter()
        .flat_map(|(_, form)| mixes(form))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let last = reveals[reveals.len() - 1].0;
    let judged = for_each_subset(&owners, rule.over.saturating_sub(1), &mut |subset| {
        let outside = |s: &Port| {
            let behind = owners_of(s);
            behind.is_empty() || behind.iter().any(|owner| !subset.contains(owner))
        };
        let whole = rank(reveals.iter().map(|(_, form)| form.clone()).collect());
        let rest = |form: &Form| -> Form {
            form.iter().filter(|(s, _)| outside(s)).map(|(s, f)| (*s, *f)).collect()
        };
        let open = rank(reveals.iter().map(|(_, form)| rest(form)).collect());
        if open < whole {
            let message = format!(
                "what is revealed to {to} can be combined to what derives from {subset:?} alone; \
                 the policy says over={}",
                rule.over
            );
            faults.node("secrecy/mixed", last, message);
        }
    });
    if !judged {
        faults.node("secrecy/mixed", last, format!("too many combinations reach {to} to judge"));
    }
}

/// Whether no shared value is in two of the forms: then no combination cancels anything.
fn forms_are_disjoint(reveals: &[(NodeId, Form)]) -> bool {
    let mut seen = BTreeSet::new();
    reveals.iter().all(|(_, form)| form.keys().all(|symbol| seen.insert(symbol)))
}

/// Calls `visit` with every subset of `size` owners; false, without finishing, if there are more
/// than [`MOST_SUBSETS`].
fn for_each_subset<'a>(
    owners: &[&'a PlayerName],
    size: usize,
    visit: &mut impl FnMut(&BTreeSet<&'a PlayerName>),
) -> bool {
    let size = size.min(owners.len());
    let mut chosen: Vec<usize> = (0..size).collect();
    for _ in 0..MOST_SUBSETS {
        visit(&chosen.iter().map(|&i| owners[i]).collect());
        // The next combination in lexicographic order.
        let Some(at) = (0..size).rev().find(|&i| chosen[i] < owners.len() - size + i) else {
            return true;
        };
        chosen[at] += 1;
        for i in at + 1..size {
            chosen[i] = chosen[i - 1] + 1;
        }
    }
    false
}

/// Rank of a set of sparse vectors, by Gaussian elimination. What is near zero counts as zero,
/// which errs towards refusing.
fn rank(mut rows: Vec<Form>) -> usize {
    const ZERO: f64 = 1e-9;
    let mut rank = 0;
    while let Some(mut row) = rows.pop() {
        row.retain(|_, factor| factor.abs() > ZERO);
        let largest = row.iter().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let Some((&pivot, &factor)) = largest else { continue };
        rank += 1;
        for other in &mut rows {
            let Some(times) = other.get(&pivot).map(|f| f / factor) else { continue };
            for (symbol, f) in &row {
                *other.entry(*symbol).or_default() -= times * f;
            }
            other.remove(&pivot);
        }
    }
    rank
}
