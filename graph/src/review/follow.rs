//! Follows values through a recorded graph: whose data is in each, and of what secrets are made.
//!
//! A secret is followed as a sum of multiples of the values that were shared, its [`Form`]; what
//! any other op makes of secrets counts as one unknown value that mixes all that can be seen in
//! what went in. Of what is only moved, each element is still one of an input: it mixes no more
//! than each of them. What a secret variable holds may be anything of anyone, since another program
//! may have left it there.

use std::collections::{BTreeMap, BTreeSet};

use crate::PlayerName;
use crate::graph::{Graph, Node, NodeId, Place, Port};
use crate::op::Role;
use crate::types::Secrecy;

/// Terms of forms and owners of values looked at before a program counts as too entangled.
pub(super) const MOST_WORK: usize = 1 << 22;

/// A value whose factor is less than this part of another's does not hide it.
const FAINT: f64 = 1e-3;

/// A value whose factor was ever larger has left the headroom of encoded numbers: what is left of
/// it in the ring may be anything, or nothing.
const LARGEST: f64 = 4096.0;

pub(crate) type Owners = BTreeSet<PlayerName>;

/// The shared values (by the port that was shared) in a secret.
pub(crate) type Form = BTreeMap<Port, Term>;

/// What somebody was told of somebody: who, of whom.
type Echoes = BTreeSet<(PlayerName, PlayerName)>;

/// A multiple of a shared value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    pub(super) factor: f64,
    /// The least magnitude that the factor had on the way; 0 where it left the ring.
    faintest: f64,
}

impl Term {
    fn new(factor: f64, faintest: f64) -> Self {
        let faintest = faintest.min(factor.abs());
        let inside = factor.abs() <= LARGEST;
        Self { factor, faintest: if inside { faintest } else { 0.0 } }
    }

    /// Whether the value can be seen beside one of the factor `largest`.
    pub(super) fn is_visible(self, kept: f64, largest: f64) -> bool {
        kept > 0.0 && self.factor.abs() * kept >= FAINT * largest
    }

    /// The part of the value that the way here has left of it: 1 if it was never fainter than it
    /// is, 0 if there is nothing.
    pub(super) fn kept(self) -> f64 {
        // A factor above 1 takes nothing away, and gives nothing back.
        if self.faintest > 0.0 { self.faintest / self.factor.abs().min(1.0) } else { 0.0 }
    }
}

/// A value that was shared, or made of secrets by an op that cannot be followed.
#[derive(Debug, Default)]
pub(super) struct Symbol {
    /// Who stands behind it.
    pub(super) owners: Owners,
    /// Those of the owners whose data hides that of the others in it.
    pub(super) hiding: Owners,
    /// What was revealed in this run and is in it again.
    pub(super) echoes: Echoes,
}

/// What is known of the values of each node, all outputs together.
#[derive(Debug)]
pub(crate) struct Followed<'g> {
    pub(super) graph: &'g Graph,
    /// Players from whose own data (disk, variables, what was revealed to them) the values derive.
    owners: Vec<Owners>,
    /// For secrets: how they are made of shared values.
    forms: Vec<Form>,
    echoes: Vec<Echoes>,
    /// Echoes in the variables that were assigned so far.
    assigned: BTreeMap<(Place, String), Echoes>,
    pub(super) symbols: BTreeMap<Port, Symbol>,
    /// What is revealed, in order.
    pub(super) reveals: Vec<(NodeId, Form)>,
    /// Terms and owners looked at.
    pub(super) work: usize,
    /// Where there were too many.
    pub(crate) stopped: Option<NodeId>,
}

/// Follows the values of a recorded graph that keeps the rules of structure, types and placement;
/// up to a bounded amount of work.
pub(crate) fn follow(graph: &Graph) -> Followed<'_> {
    let mut followed = Followed {
        graph,
        owners: Vec::new(),
        forms: Vec::new(),
        echoes: Vec::new(),
        assigned: BTreeMap::new(),
        symbols: BTreeMap::new(),
        reveals: Vec::new(),
        work: 0,
        stopped: None,
    };
    for (id, node) in graph.nodes() {
        followed.learn(id, node);
        if followed.work > MOST_WORK {
            followed.stopped = Some(id);
            break;
        }
    }
    followed
}

impl Followed<'_> {
    /// From whose own data a node's values derive; nothing of nodes that were not reached.
    pub(crate) fn owners(&self, id: NodeId) -> &Owners {
        static NOBODY: Owners = Owners::new();
        self.owners.get(id.index()).unwrap_or(&NOBODY)
    }

    /// The nodes that reveal something, in order.
    pub(crate) fn reveals(&self) -> impl Iterator<Item = NodeId> {
        self.reveals.iter().map(|(id, _)| *id)
    }

    /// Whose data is in what a node reveals, and whether it is a sum of what they shared.
    pub(crate) fn behind(&self, reveal: NodeId) -> (Owners, bool) {
        let found = self.reveals.binary_search_by_key(&reveal, |(id, _)| *id);
        let form = found.map(|i| &self.reveals[i].1).ok();
        let ports = || form.into_iter().flat_map(BTreeMap::keys);
        let owners = ports().flat_map(|port| self.symbols[port].owners.iter().cloned());
        let secret =
            |port: &Port| self.graph.ty(*port).is_some_and(|ty| ty.secrecy == Secrecy::Secret);
        (owners.collect(), !ports().any(secret))
    }

    fn learn(&mut self, id: NodeId, node: &Node) {
        let owners = self.owners_of(node);
        let echoes = self.echoes_of(node);
        let whole = Term { factor: 1.0, faintest: 1.0 };
        let hiding = self.hiding_in(node, &owners);
        let symbol = |port: Port| {
            let symbol = Symbol { owners: owners.clone(), hiding, echoes: echoes.clone() };
            self.symbols.insert(port, symbol);
            Form::from([(port, whole)])
        };
        let secret = node.outputs.iter().any(|ty| ty.secrecy == Secrecy::Secret);
        let form = match node.op.role {
            Role::Reveal => {
                let form = self.form_of(node);
                self.reveals.push((id, form));
                Form::new()
            }
            _ if !secret => Form::new(),
            Role::Share => symbol(node.inputs[0]),
            Role::Sum => self.form_of(node),
            Role::Scale => match encoded_factor(node) {
                0.0 if node.attributes.real("factor") == Some(0.0) => Form::new(),
                factor => {
                    let scale = |t: Term| Term::new(t.factor * factor, t.faintest);
                    self.form_of(node).into_iter().map(|(s, term)| (s, scale(term))).collect()
                }
            },
            _ => symbol(Port { node: id, slot: 0 }),
        };
        if let (Role::AssignVariable, Some(variable)) = (node.op.role, variable(node)) {
            self.assigned.insert(variable, echoes.clone());
        }
        self.owners.push(owners);
        self.forms.push(form);
        self.echoes.push(echoes);
    }

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
        if matches!(node.op.role, Role::PrivateInput | Role::ReadVariable) {
            let anyone: &[_] = match &node.place {
                Place::Player(name) => std::slice::from_ref(name),
                Place::Secure => &self.graph.setup().players,
            };
            self.work += anyone.len();
            owners.extend(anyone.iter().cloned());
        }
        owners
    }

    /// Whose data hides that of the other owners in a new value.
    fn hiding_in(&mut self, node: &Node, owners: &Owners) -> Owners {
        let secret =
            |port: &&Port| self.graph.ty(**port).is_some_and(|ty| ty.secrecy == Secrecy::Secret);
        let inputs = node.inputs.iter().filter(secret).map(|port| port.node.index());
        match node.op.role {
            Role::Share => owners.clone(),
            Role::ReadVariable | Role::Reveal | Role::Sum | Role::Scale => Owners::new(),
            Role::Arrange => {
                let visible = inputs.map(|input| self.visible(input));
                visible.reduce(|all, input| &all & &input).unwrap_or_default()
            }
            _ => inputs.flat_map(|input| self.visible(input)).collect(),
        }
    }

    /// Whose data can be seen in a secret.
    fn visible(&mut self, node: usize) -> Owners {
        let Self { forms, symbols, work, .. } = self;
        let largest = forms[node].values().map(|term| term.factor.abs()).fold(0.0, f64::max);
        let visible = forms[node].iter().filter(|(_, term)| term.is_visible(term.kept(), largest));
        let owners = visible.flat_map(|(port, _)| {
            let hiding = &symbols[port].hiding;
            *work += hiding.len();
            hiding.iter().cloned()
        });
        let owners = owners.collect();
        *work += 1 + forms[node].len();
        owners
    }

    fn echoes_of(&mut self, node: &Node) -> Echoes {
        let mut echoes = Echoes::new();
        for port in &node.inputs {
            let of_input = &self.echoes[port.node.index()];
            self.work += of_input.len();
            echoes.extend(of_input.iter().cloned());
            if let (Role::Reveal, Some(to)) = (node.op.role, node.place.player()) {
                let told = self.owners[port.node.index()].iter();
                echoes.extend(told.map(|owner| (to.clone(), owner.clone())));
            }
        }
        if node.op.role == Role::ReadVariable {
            // What the step before left there is not of this run.
            let assigned = variable(node).and_then(|variable| self.assigned.get(&variable));
            echoes.extend(assigned.into_iter().flatten().cloned());
        }
        self.work += echoes.len();
        echoes
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
}

/// The variable that a node reads or assigns.
pub(super) fn variable(node: &Node) -> Option<(Place, String)> {
    Some((node.place.clone(), node.attributes.text("variable")?.to_owned()))
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
