//! *secrecy*: nobody learns what the policy does not say. Judged on the recorded graph; lowering
//! is a pure function of it that every player does itself.
//!
//! - `secrecy/release`: plaintext derived from a player's own data (its disk, its variables, what
//!   was revealed to it) reaches another player, or the driver, only if the policy lets that
//!   player release.
//! - `secrecy/reveal`: a secret is revealed only to a player that the policy lists.
//! - `secrecy/mixed`: what is revealed to a player, and every linear combination of all that is
//!   revealed in one run to it and to players that release, mixes the data of at least as many
//!   players as the policy says. The receiver and players that release do not count.
//! - `secrecy/judged`: sums and multiples of secrets are few enough to follow.
//! - `secrecy/share`: in a lowered graph, a share is never published.
//!
//! Values are followed in `review/follow.rs`, and what a player can make of all that it learns is
//! judged in `review/mix.rs`: the [review](crate::review()) reports what these rules look at.
//!
//! Relations between different values that one player shares are not known here. Against the
//! simplest, one value shared twice, the players too must stand in the reveals in groups that are
//! large enough, whatever they share. A program that has its players compute values that cancel,
//! or that are known beforehand, is for people to find, who read it.

use std::collections::BTreeSet;

use super::Faults;
use crate::PlayerName;
use crate::graph::{Graph, NodeId, Port, Stage};
use crate::op::Role;
use crate::review::follow::{Followed, follow};
use crate::review::mix;
use crate::types::Secrecy;

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

fn check_recorded(graph: &Graph, faults: &mut Faults<'_>) {
    let mut followed = follow(graph);
    check_releases(graph, &followed, faults);
    if let Some(id) = followed.stopped {
        let message = "makes more sums of sums than can be followed: add secrets in one add_n";
        return faults.node("secrecy/judged", id, message);
    }
    let reveals = graph.nodes().filter(|(_, node)| node.op.role == Role::Reveal);
    let receivers: BTreeSet<_> = reveals.filter_map(|(_, node)| node.place.player()).collect();
    for to in receivers {
        check_reveals(graph, to, &mut followed, faults);
    }
}

fn check_releases(graph: &Graph, followed: &Followed<'_>, faults: &mut Faults<'_>) {
    let releases: BTreeSet<_> = graph.setup().policy.releases.iter().collect();
    for (id, node) in graph.nodes() {
        let receiver = match node.op.role {
            Role::Transfer => node.place.player(),
            Role::Publish => None,
            _ => continue,
        };
        let hidden = |owner: &&PlayerName| Some(*owner) != receiver && !releases.contains(owner);
        if let Some(owner) = followed.owners(id).iter().find(hidden) {
            let to = receiver.map_or("the driver", PlayerName::as_str);
            let message = format!(
                "hands data of {owner} in plaintext to {to}: share it, or let the policy \
                 release(from={owner})"
            );
            faults.node("secrecy/release", id, message);
        }
    }
}

fn check_reveals(
    graph: &Graph,
    to: &PlayerName,
    followed: &mut Followed<'_>,
    faults: &mut Faults<'_>,
) {
    let policy = &graph.setup().policy;
    let own = |id: &NodeId| graph.node(*id).place.player() == Some(to);
    let reveals: Vec<_> = followed.reveals().filter(own).collect();
    let Some(rule) = policy.reveals.iter().find(|rule| rule.to == *to) else {
        for id in reveals {
            let message = format!(
                "reveals a secret to {to}: let the policy reveal(to={to}, over=…) if it may know"
            );
            faults.node("secrecy/reveal", id, message);
        }
        return;
    };
    if rule.over <= 1 {
        return;
    }
    let Some(groups) = mix::groups(followed, to) else {
        let message = format!("is one of more reveals to {to} than can be judged together");
        return faults.node("secrecy/judged", reveals[0], message);
    };
    for group in groups.iter().filter(|group| group.hiding.len() < rule.over) {
        let message = format!(
            "lets {to} learn what derives from {:?} with too little of others in it; the \
             policy says over={}",
            group.owners, rule.over
        );
        // The receiver's own reveal tells more than one that somebody may hand on to it.
        let at = group.reveals.iter().copied().find(own).unwrap_or(group.reveals[0]);
        faults.node("secrecy/mixed", at, message);
    }
}
