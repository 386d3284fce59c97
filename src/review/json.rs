//! The review as JSON: all that there is, exit by exit.

use serde_json::{Value, json};
use sordino::graph::{Exit, Input, NodeId, PlayerName, Role};

use super::Reviewed;

/// A list with an object a plan.
pub fn of(plans: &[Reviewed]) -> Value {
    plans.iter().map(plan).collect()
}

fn plan(reviewed: &Reviewed) -> Value {
    let Reviewed { plan, review, traffic } = reviewed;
    let setup = plan.recorded.setup();
    let secure = setup.secure.as_ref().map(|secure| {
        let format = secure.fixed.to_string();
        json!({ "protocol": &*secure.protocol, "servers": names(&secure.servers), "format": format })
    });
    let reveals = setup.policy.reveals.iter();
    let reveals = reveals.map(|rule| json!({ "to": rule.to.as_str(), "over": rule.over }));
    let links = traffic.links.iter().map(|((from, to), load)| {
        let (from, to) = (from.as_str(), to.as_str());
        json!({ "from": from, "to": to, "values": load.messages, "bytes": load.bytes })
    });
    json!({
        "name": plan.recorded.name(),
        "players": names(&setup.players),
        "secure": secure,
        "policy": {
            "reveals": reveals.collect::<Vec<_>>(),
            "releases": names(&setup.policy.releases),
        },
        "inputs": review.inputs.iter().map(|i| input(reviewed, i)).collect::<Vec<_>>(),
        "exits": review.exits.iter().zip(&review.carried)
            .map(|(e, carried)| exit(reviewed, e, carried)).collect::<Vec<_>>(),
        "rounds": traffic.rounds,
        "links": links.collect::<Vec<_>>(),
        "lowered_digest": plan.lowered_digest.to_string(),
        "digest": plan.recorded_digest.to_string(),
    })
}

fn input(reviewed: &Reviewed, input: &Input) -> Value {
    let node = reviewed.plan.recorded.node(input.node);
    let attributes = node.attributes.iter();
    let attributes: serde_json::Map<_, _> =
        attributes.map(|(name, value)| (name.to_owned(), value.to_string().into())).collect();
    json!({
        "player": input.player.as_str(),
        "node": input.name,
        "op": node.op.name,
        "attributes": attributes,
        "types": node.outputs.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "source": source(reviewed, input.node),
        "exits": input.exits,
    })
}

fn exit(reviewed: &Reviewed, exit: &Exit, carried: &[usize]) -> Value {
    let kind = match exit.role {
        Role::Reveal => "reveal",
        Role::Publish => "publish",
        _ => "transfer",
    };
    let mixed = exit.mixed.as_ref().map(|mixed| {
        let owners: Vec<_> = mixed.owners.iter().map(PlayerName::as_str).collect();
        json!({ "over": mixed.over, "sum": mixed.sum, "owners": owners })
    });
    json!({
        "node": exit.name,
        "kind": kind,
        "to": exit.to.as_ref().map_or("driver", PlayerName::as_str),
        "owners": exit.owners.iter().map(PlayerName::as_str).collect::<Vec<_>>(),
        "mixed": mixed,
        "hands_on": carried,
        "source": source(reviewed, exit.node),
    })
}

fn source(reviewed: &Reviewed, node: NodeId) -> Option<String> {
    reviewed.plan.recorded.node(node).source.as_ref().map(ToString::to_string)
}

fn names(players: &[PlayerName]) -> Vec<&str> {
    players.iter().map(PlayerName::as_str).collect()
}
