//! What is run in rounds, and what should come of it.

use std::collections::BTreeMap;

use sordino_graph::{
    Fixed, Function, Graph, PlayerName, RecordError, Recording, Setup, Value, record, transfer,
};
use sordino_ops::{
    add_n, assign, descend, publish, random_normal, read_variable, reveal, scale, share, square,
};

use super::world::World;
use crate::driver::{Participation, Session};
use crate::message::Optional;

pub const OWNERS: [&str; 3] = ["owner0", "owner1", "owner2"];

pub fn player(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

pub fn owners() -> Vec<PlayerName> {
    OWNERS.map(player).to_vec()
}

pub fn setup() -> Setup {
    let servers = ["server0", "server1", "server2"].map(player);
    let players = [vec![player("model")], owners(), servers.to_vec()].concat();
    Setup::new(players)
        .secure("ABY3", servers, Fixed::LOW)
        .reveal(&player("model"), 2)
        .release(&player("model"))
}

pub fn variables() -> [(&'static str, sordino_graph::Type); 2] {
    let ty = |n| {
        let shape = sordino_graph::Shape::new(&[n]).unwrap();
        sordino_graph::Type::plain(sordino_graph::Element::F32, shape)
    };
    [("a", ty(4)), ("b", ty(3))]
}

fn seed(name: &PlayerName, variable: usize) -> u32 {
    let owner = OWNERS.iter().position(|owner| *owner == name.as_str()).unwrap();
    u32::try_from(2 * owner + variable).unwrap()
}

pub fn initialize(g: &Recording<'_>) {
    for (i, (name, ty)) in variables().iter().enumerate() {
        let noise = random_normal(g, &player("model"), ty.shape.axes(), 100 + i as u32);
        assign(name, noise);
    }
}

/// Each owner's gradient is what it drew in this step, and a tenth of the variable.
pub fn step(g: &Recording<'_>, owners: &[PlayerName]) {
    let model = player("model");
    for (i, (name, ty)) in variables().iter().enumerate() {
        let variable = read_variable(g, &model, name, ty);
        let share_of = |owner: &PlayerName| -> Value<'_> {
            let noise = random_normal(g, owner, ty.shape.axes(), seed(owner, i));
            share(add_n([noise, scale(transfer(variable, owner), 0.1)]))
        };
        let sum = add_n(owners.iter().map(share_of));
        descend(name, 0.5, reveal(scale(sum, 1.0 / owners.len() as f64), &model));
    }
}

pub fn train(owners: &[PlayerName], setup: &Setup) -> Result<Graph, RecordError> {
    record("train", setup, |g| step(g, owners))
}

pub fn weights(session: &mut Session) -> Vec<f64> {
    let show = Function::new("show", "", |g: &Recording<'_>| {
        for (name, ty) in &variables() {
            publish(name, read_variable(g, &player("model"), name, ty));
        }
    });
    let run = session.run(&show, 1).unwrap();
    run.published.into_iter().flat_map(|(_, value)| value.elements).collect()
}

/// What each owner draws in each step.
pub type Drawn = BTreeMap<(u64, String), Vec<f64>>;

/// What `initialize`, and owners in each step, draw.
fn noise(participation: &[Participation]) -> (Vec<f64>, Drawn) {
    let setup = setup();
    let setup = owners().iter().fold(setup, Setup::release);
    let (_world, mut session) = World::open(&setup);
    session.run(&Function::new("initialize", "", initialize), 1).unwrap();
    let first = weights(&mut session);
    let draw = Function::new("draw", "", |g: &Recording<'_>| {
        for owner in &owners() {
            for (i, (_, ty)) in variables().iter().enumerate() {
                publish(&format!("{i}"), random_normal(g, owner, ty.shape.axes(), seed(owner, i)));
            }
        }
    });
    let mut drawn: BTreeMap<_, BTreeMap<String, Vec<f64>>> = BTreeMap::new();
    for Participation { steps, number, .. } in participation {
        let graph = draw.record(&setup).unwrap();
        let prepared = session.ask(graph, Some(*number), &Optional::default()).unwrap();
        session.await_ready(&prepared, &mut |_| {}).unwrap();
        session.prepared.insert(draw.signature().to_owned(), prepared);
        for (owner, value) in session.run(&draw, steps.end - steps.start).unwrap().published {
            let of = drawn.entry((value.step, owner.as_str().to_owned())).or_default();
            of.insert(value.name, value.elements);
        }
    }
    let joined = drawn.into_iter().map(|(key, of)| (key, of.into_values().flatten().collect()));
    (first, joined.collect())
}

/// What owners draw in the steps that were done.
pub fn drawn(participation: &[Participation]) -> Drawn {
    noise(participation).1
}

/// The variables after the steps that were done, with those who took part.
pub fn expected(participation: &[Participation]) -> Vec<f64> {
    let (mut weights, noise) = noise(participation);
    for Participation { steps, number, owners } in participation {
        for step in *number..number + (steps.end - steps.start) {
            let mut sum = vec![0.0; weights.len()];
            for owner in owners {
                let drawn = &noise[&(step, owner.as_str().to_owned())];
                sum.iter_mut().zip(drawn).zip(&weights).for_each(|((s, x), w)| *s += x + 0.1 * w);
            }
            let count = owners.len() as f64;
            weights.iter_mut().zip(sum).for_each(|(w, s)| *w -= 0.5 * s / count);
        }
    }
    weights
}

/// The first variable shrinks by the mean square of what owners drew.
pub fn square_sum(owners: &[PlayerName], setup: &Setup) -> Result<Graph, RecordError> {
    record("square_sum", setup, |g| {
        let (name, ty) = &variables()[0];
        let square_of = |owner: &PlayerName| -> Value<'_> {
            square(share(random_normal(g, owner, ty.shape.axes(), seed(owner, 0))))
        };
        let sum = add_n(owners.iter().map(square_of));
        descend(name, 1.0, reveal(scale(sum, 1.0 / owners.len() as f64), &player("model")));
    })
}

/// A program in which an owner has a variable.
pub fn own(owners: &[PlayerName], setup: &Setup) -> Result<Graph, RecordError> {
    record("own", setup, |g| {
        let (name, ty) = &variables()[0];
        assign(name, read_variable(g, &owners[0], name, ty));
    })
}
