//! Boolean circuits on secrets that are shared by XOR. Source: ABY3, section 5.2.
//!
//! A circuit is made of layers. All gates of a layer are ANDs of sums, by XOR, of planes that are
//! there before, each a plane of a bit of all elements; a layer is one node a server, and one message
//! from each server to the one before it. What a server sends comes with its part of a sharing of 0,
//! uniformly random to the receiver, which lacks one of its two pads.
//!
//! | rounds | bytes an element |
//! |---|---|
//! | 1 a layer | 3/8 a gate |

use std::collections::BTreeSet;

use sordino_graph::{Attributes, Port};

use super::share::servers;
use super::{Cost, Lowering, Shared};
use crate::op;
use crate::planes::list;
use crate::tensor::gates::{Gate, Sum};

/// Planes of bits: server i holds the summands i and i + 1.
pub(super) type Stack = [[Port; 2]; 3];

/// A circuit: what it computes with are planes of its inputs and results of its gates.
#[derive(Debug, Clone)]
pub(super) struct Circuit {
    inputs: usize,
    layers: Vec<Vec<Gate>>,
}

/// A plane of a stack.
pub(super) fn plane(stack: usize, plane: usize) -> Sum {
    Sum { terms: vec![(stack, plane)], flipped: false }
}

/// The XOR of two sums.
pub(super) fn xor(x: &Sum, y: &Sum) -> Sum {
    let terms = |of: &Sum, other: &Sum| -> Vec<_> {
        of.terms.iter().copied().filter(|term| !other.terms.contains(term)).collect()
    };
    Sum { terms: [terms(x, y), terms(y, x)].concat(), flipped: x.flipped != y.flipped }
}

/// The sum turned over.
pub(super) fn not(x: &Sum) -> Sum {
    Sum { flipped: !x.flipped, ..x.clone() }
}

impl Circuit {
    /// A circuit on so many stacks, numbered from 0.
    pub(super) fn of(inputs: usize) -> Self {
        Self { inputs, layers: Vec::new() }
    }

    /// Adds a layer of gates; gives the result of each.
    pub(super) fn layer(&mut self, gates: Vec<Gate>) -> Vec<Sum> {
        if gates.is_empty() {
            return Vec::new();
        }
        let stack = self.inputs + self.layers.len();
        let results = (0..gates.len()).map(|gate| plane(stack, gate)).collect();
        self.layers.push(gates);
        results
    }

    /// The AND of all sums, as a tree.
    pub(super) fn all(&mut self, sums: Vec<Sum>) -> Sum {
        self.each_all(vec![sums]).swap_remove(0)
    }

    /// Of each list of sums their AND, as trees side by side.
    pub(super) fn each_all(&mut self, mut lists: Vec<Vec<Sum>>) -> Vec<Sum> {
        while lists.iter().any(|sums| sums.len() > 1) {
            let pairs = lists.iter().flat_map(|sums| sums.chunks_exact(2));
            let gates = pairs.map(|pair| Gate {
                left: pair[0].clone(),
                right: pair[1].clone(),
                ..Gate::default()
            });
            let mut results = self.layer(gates.collect()).into_iter();
            for sums in &mut lists {
                let odd = sums.chunks_exact(2).remainder().to_vec();
                *sums = results.by_ref().take(sums.len() / 2).chain(odd).collect();
            }
        }
        let ones = Sum { terms: vec![], flipped: true };
        lists.into_iter().map(|mut sums| sums.pop().unwrap_or(ones.clone())).collect()
    }

    /// What the layers cost, of planes of so many words.
    pub(super) fn cost(&self, words: usize) -> Cost {
        let gates = self.layers.iter().map(Vec::len).sum::<usize>();
        Cost { rounds: self.layers.len() as u64, bytes: (3 * 8 * gates * words) as u64 }
    }

    /// Appends the circuit's nodes; gives the stack of `outputs`.
    pub(super) fn emit(
        &self,
        cx: &mut Lowering<'_, Shared>,
        inputs: &[Stack],
        outputs: &[Sum],
    ) -> Stack {
        let mut stacks = inputs.to_vec();
        for gates in &self.layers {
            stacks.push(and_layer(cx, &stacks, gates));
        }
        sum_layer(cx, &stacks, outputs)
    }
}

fn and_layer(cx: &mut Lowering<'_, Shared>, stacks: &[Stack], gates: &[Gate]) -> Stack {
    let sums = gates.iter().flat_map(|gate| [&gate.left, &gate.right, &gate.add]);
    let used = used(sums);
    let servers = servers(cx);
    let holders = |lane: usize| vec![servers[(lane + 2) % 3].clone(), servers[lane % 3].clone()];
    let number = cx.next_pad();
    let mut attributes = Attributes::default();
    let of = |each: fn(&Gate) -> &Sum| {
        list(&gates.iter().map(|gate| renumbered(each(gate), &used)).collect::<Vec<_>>())
    };
    attributes.set("left", of(|gate| &gate.left));
    attributes.set("right", of(|gate| &gate.right));
    attributes.set("add", of(|gate| &gate.add));
    attributes.set("pad", number);
    let parts = [0, 1, 2].map(|i| {
        let mut attributes = attributes.clone();
        attributes.set("lane", i);
        attributes.set("plus", holders(i));
        attributes.set("minus", holders(i + 1));
        let halves = [0, 1].map(|half| used.iter().map(move |&stack| stacks[stack][i][half]));
        let inputs: Vec<_> = halves.into_iter().flatten().collect();
        cx.emit(&op::and_planes::OP.spec, attributes, &inputs, &servers[i])
    });
    [0, 1, 2].map(|i| [parts[i], cx.transfer(parts[(i + 1) % 3], &servers[i])])
}

fn sum_layer(cx: &mut Lowering<'_, Shared>, stacks: &[Stack], sums: &[Sum]) -> Stack {
    let used = used(sums);
    let servers = servers(cx);
    let planes = list(&sums.iter().map(|sum| renumbered(sum, &used)).collect::<Vec<_>>());
    [0, 1, 2].map(|i| {
        [0, 1].map(|half| {
            let flips = (i + half) % 3 == 0;
            let inputs: Vec<_> = used.iter().map(|&stack| stacks[stack][i][half]).collect();
            if let [whole] = inputs[..]
                && is_whole(cx, whole, sums, flips)
            {
                return whole;
            }
            let mut attributes = Attributes::default();
            attributes.set("flips", flips);
            attributes.set("planes", planes.clone());
            cx.emit(&op::sum_planes::OP.spec, attributes, &inputs, &servers[i])
        })
    })
}

/// Whether the sums are the planes of one stack, all and in order.
fn is_whole(cx: &Lowering<'_, Shared>, stack: Port, sums: &[Sum], flips: bool) -> bool {
    let planes = cx.type_of(stack).shape.axes().first().copied();
    let same = |(i, sum): (usize, &Sum)| {
        matches!(sum.terms[..], [(_, plane)] if plane == i) && !(flips && sum.flipped)
    };
    planes == Some(sums.len()) && sums.iter().enumerate().all(same)
}

fn used<'a>(sums: impl IntoIterator<Item = &'a Sum>) -> Vec<usize> {
    let stacks: BTreeSet<usize> =
        sums.into_iter().flat_map(|sum| sum.terms.iter().map(|term| term.0)).collect();
    stacks.into_iter().collect()
}

/// The sum with the stacks numbered by their places in `used`.
fn renumbered(sum: &Sum, used: &[usize]) -> Sum {
    let place = |stack| used.iter().position(|&used| used == stack).unwrap_or(0);
    let terms = sum.terms.iter().map(|&(stack, plane)| (place(stack), plane)).collect();
    Sum { terms, ..*sum }
}
