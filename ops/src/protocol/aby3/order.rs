//! Secrets put in the order that comparisons of all their pairs say.
//!
//! Ranks are sums of the comparisons' bits (see [`tensor::order::ranks`](crate::tensor::order::ranks)).
//! Numbers and ranks are shuffled together: permuted three times, each time by two servers in a way
//! that the third does not know, as parts that these two have. Then all servers learn the shuffled
//! ranks and put the numbers there. The ranks are a permutation of the items whatever the numbers
//! are, as equal ones keep their order, and to each server, which lacks one of the permutations, it
//! is a uniformly random one: so nobody learns anything. Sources: Laur, Willemson and Zhang,
//! *Round-efficient oblivious database manipulation* (ISC 2011), for the shuffle; Hamada, Kikuchi,
//! Ikarashi, Chida and Takahashi, *Practically efficient multi-party sorting protocols from
//! comparison sort algorithms* (ICISC 2012), for the ranks that may be learnt after it.
//!
//! | round | from → to | what | hidden by a pad of |
//! |---|---|---|---|
//! | 1 | 0 → 2 | bits of pairs, as numbers of 16 bits | 0 and 1 |
//! | 1 | 1 → 0 | its part, shuffled by 1 and 2 | 1 and 2 |
//! | 2 | 2 → 1 | its part, shuffled by 2 and 0 | 2 and 0 |
//! | 3 | 0 → 1 | its part of the numbers, shuffled by 0 and 1 | 2 and 0 |
//! | 3 | 1 → 0 | its part of the numbers, shuffled by 0 and 1 | 1 and 2 |
//! | 3 | 0, 1 → all | their parts of the ranks | to 2: 0 and 1 |
//!
//! The last parts of ranks are new to server 2 by a pad that it lacks, and add up to what all may
//! know. The pads of the last parts of the numbers are summands of the result, put in order too.
//!
//! In all 2 bytes a pair, and for each item 12 bytes and four elements a column.

use sordino_graph::{Attributes, Node, NodeId, PlayerName, Port, Type};

use super::share::{draw, servers};
use super::{Cost, Lowering, Shared};
use crate::op::{self, pair_differences::pairs};
use crate::tensor::order::{Sequences, ranks::words};

fn sizes(node: &Node) -> Sequences {
    let axes = node.outputs[0].shape.axes();
    Sequences::of(axes).unwrap_or(Sequences { columns: 0, items: 0, lanes: 0 })
}

pub(super) fn cost(_: &Lowering<'_, Shared>, _: NodeId, node: &Node) -> Cost {
    let Sequences { items, lanes, .. } = sizes(node);
    let ranks = words(pairs(items) * lanes) + 6 * words(items * lanes);
    Cost { rounds: 3, bytes: (8 * ranks + 4 * node.outputs[0].bytes()) as u64 }
}

/// Two servers' parts of numbers and ranks, and who they are.
struct Parts<'a> {
    at: [&'a PlayerName; 2],
    numbers: [Vec<Port>; 2],
    ranks: [Port; 2],
}

pub(super) fn lower(cx: &mut Lowering<'_, Shared>, id: NodeId, node: &Node) {
    let (c, x) = (cx.secret(node.inputs[0]).bits(), cx.secret(node.inputs[1]).replicated());
    let Sequences { items, lanes, .. } = sizes(node);
    let Some(fixed) = node.outputs[0].fixed() else { return };
    let ty = Type::share(fixed, node.outputs[0].shape.clone());
    let [s0, s1, s2] = &servers(cx);
    let pair = |x: &PlayerName, y: &PlayerName| vec![x.clone(), y.clone()];
    let mut attributes = Attributes::default();
    attributes.set("items", items);
    attributes.set("lanes", lanes);

    let ranks = part_ranks(cx, c, &attributes);
    let numbers = [x[1].to_vec(), vec![x[2][1]]];
    let parts = Parts { at: [s1, s2], numbers, ranks };
    let parts = shuffled(cx, &attributes, parts, s0);
    let parts = shuffled(cx, &attributes, parts, s1);

    // Server 0 has one part now, server 1 the other.
    let number = cx.next_pad();
    let summand = |cx: &mut Lowering<'_, Shared>, lane, at| {
        let holders = if lane == 0 { pair(s2, s0) } else { pair(s1, s2) };
        draw(cx, number, lane, holders, &ty, at)
    };
    let summands = [summand(cx, 0, s0), summand(cx, 1, s1)];
    let at_s2 = [summand(cx, 1, s2), summand(cx, 0, s2)];
    let last = cx.next_pad();
    let [(numbers_0, ranks_0), (numbers_1, ranks_1)] = [0, 1].map(|i| {
        let mut attributes = shuffle(&attributes, last, pair(s0, s1), parts.numbers[i].len());
        attributes.set("adds", i == 1);
        let inputs = [&parts.numbers[i][..], &[parts.ranks[i], summands[i]]].concat();
        let op = &op::shuffle::OP.spec;
        let [numbers, ranks] = cx.emit_all(op, attributes, &inputs, parts.at[i]);
        (numbers, ranks)
    });
    let mut placed = |at: &PlayerName, sums: [&[Port]; 2]| {
        let ranks = [ranks_0, ranks_1].map(|ranks| cx.transfer(ranks, at));
        sums.map(|shares| {
            let shares: Vec<Port> = shares.iter().map(|&share| cx.transfer(share, at)).collect();
            let inputs = [&shares[..], &ranks].concat();
            cx.emit(&op::place::OP.spec, attributes.clone(), &inputs, at)
        })
    };
    let rest = [numbers_0, numbers_1];
    let result = [
        placed(s0, [&summands[..1], &rest]),
        placed(s1, [&rest, &summands[1..]]),
        placed(s2, [&at_s2[..1], &at_s2[1..]]),
    ];
    cx.set_secret(id, Shared::Replicated(result));
}

/// The parts of the ranks that servers 1 and 2 have.
fn part_ranks(cx: &mut Lowering<'_, Shared>, c: [[Port; 2]; 3], sizes: &Attributes) -> [Port; 2] {
    let [s0, s1, s2] = servers(cx);
    let number = cx.next_pad();
    let holders = vec![s0.clone(), s1.clone()];
    let mut attributes = sizes.clone();
    attributes.set("holders", holders.clone());
    attributes.set("lane", 0usize);
    attributes.set("pad", number);
    let rest = cx.emit(&op::ranks_first::OP.spec, attributes, &c[0], &s0);
    let ty = cx.type_of(rest);
    let pad = draw(cx, number, 0, holders, &ty, &s1);
    let rest = cx.transfer(rest, &s2);
    let mut part = |first: bool, inputs: &[Port]| {
        let mut attributes = sizes.clone();
        attributes.set("first", first);
        let at = if first { &s1 } else { &s2 };
        cx.emit(&op::ranks_second::OP.spec, attributes, inputs, at)
    };
    [part(true, &[pad, c[1][1]]), part(false, &[rest, c[2][0]])]
}

fn shuffle(sizes: &Attributes, pad: u32, holders: Vec<PlayerName>, summands: usize) -> Attributes {
    let mut attributes = sizes.clone();
    attributes.set("holders", holders);
    attributes.set("pad", pad);
    attributes.set("summands", summands);
    attributes
}

/// Parts that the second server and `to` have, permuted in a way that `to` does not know.
fn shuffled<'a>(
    cx: &mut Lowering<'_, Shared>,
    sizes: &Attributes,
    parts: Parts<'a>,
    to: &'a PlayerName,
) -> Parts<'a> {
    let pad = cx.next_pad();
    let [gives, keeps] = parts.at;
    let [given, kept] = [0, 1].map(|i| {
        let holders = vec![gives.clone(), keeps.clone()];
        let mut attributes = shuffle(sizes, pad, holders, parts.numbers[i].len());
        attributes.set("adds", i == 1);
        let inputs = [&parts.numbers[i][..], &[parts.ranks[i]]].concat();
        cx.emit_all::<2>(&op::shuffle::OP.spec, attributes, &inputs, parts.at[i])
    });
    let given = given.map(|part| cx.transfer(part, to));
    Parts { at: [keeps, to], numbers: [vec![kept[0]], vec![given[0]]], ranks: [kept[1], given[1]] }
}

#[cfg(test)]
mod tests {
    use sordino_graph::{Fixed, Graph, Role};

    use crate::op::sort_by_key;
    use crate::protocol::aby3::lower_with_cost;
    use crate::protocol::pads::{DrawnPad, drawn_by};
    use crate::protocol::testing::{plan, revealed, setup};

    /// The lowered graph of a program that sorts by ranks, and what the rule says it costs.
    fn lowered() -> (Graph, u64) {
        let inputs: [(&[usize], _); 1] = [(&[9], vec![0.0; 9])];
        let plan =
            plan(&setup("ABY3", Fixed::LOW), &inputs, &|_, x| sort_by_key(x[0], &[x[0]], 0)[1]);
        let expanded = crate::protocol::expanded(super::super::PROTOCOL, &plan.recorded).unwrap();
        let (graph, costs) = lower_with_cost(&expanded).unwrap();
        let orders = costs.iter().filter(|(id, _)| expanded.node(*id).op.name == "order");
        let bytes = orders.map(|(_, cost)| cost.bytes).sum();
        (graph, bytes)
    }

    #[test]
    fn what_a_server_receives_is_hidden_by_a_pad_that_it_lacks_or_a_shuffled_rank() {
        let (graph, declared) = lowered();
        let (mut open, mut bytes) = (0, 0);
        for (_, transfer) in graph.nodes().filter(|(_, node)| node.op.role == Role::Transfer) {
            let to = transfer.place.player().unwrap();
            let source = graph.node(transfer.inputs[0].node);
            if !["shuffle", "ranks_first"].contains(&source.op.name) {
                continue;
            }
            bytes += transfer.outputs[0].bytes() as u64;
            let mut pads = drawn_by(source);
            let ranks = transfer.inputs[0].slot == 1;
            if !ranks {
                pads.extend(source.inputs.iter().flat_map(|port| drawn_by(graph.node(port.node))));
            }
            let lacks = |drawn: &DrawnPad| !drawn.holders.contains(to);
            if !pads.iter().any(lacks) {
                assert!(ranks, "{} shows {to} too much", source.op.name);
                open += 1;
            }
        }
        assert_eq!((open, bytes), (2, declared), "the ranks of servers 0 and 1 are open");
    }

    #[test]
    fn equal_items_keep_their_order() {
        let keys: Vec<f64> = (0..60).map(|i| f64::from(i * 7 % 5) - 2.0).collect();
        let places: Vec<f64> = (0..60).map(f64::from).collect();
        let mut expected = places.clone();
        expected.sort_by(|&i, &j| keys[i as usize].total_cmp(&keys[j as usize]));
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let inputs: [(&[usize], _); 2] = [(&[60], keys.clone()), (&[60], places.clone())];
            let y = revealed("ABY3", fixed, &inputs, &|_, x| sort_by_key(x[0], &[x[1]], 0)[1]);
            assert_eq!(y, expected);
        }
    }
}
