//! Graphs as text: what programs record and what protocols make of it, in `snapshots`, and that
//! every stage of any program prints, parses, splits and joins.

use proptest::prelude::*;
use sordino::graph::{
    Element, Graph, Role, Shape, Stage, Type, digest, join, parse, print, print_with_sources,
    record, verify,
};
use sordino::ops::{Plan, PlanError};
use sordino::prelude::*;

fn player(name: &str) -> PlayerName {
    name.parse().unwrap()
}

fn servers() -> [PlayerName; 3] {
    ["server0", "server1", "server2"].map(player)
}

fn setup(players: &[PlayerName], protocol: &str, fixed: Fixed) -> Setup {
    let all = players.iter().cloned().chain(servers());
    Setup::new(all).secure(protocol, servers(), fixed)
}

/// Checks that every stage of a plan reads back, and that its parts join to it.
fn check_text(plan: &Plan) {
    let ops = sordino::ops::op::op_set();
    for graph in [&plan.recorded, &plan.lowered].into_iter().chain(plan.parts.values()) {
        let text = print(graph);
        let parsed = parse(&text, &ops).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(&parsed, graph, "{text}");
        assert_eq!(digest(&parsed), digest(graph));
        let sources = parse(&print_with_sources(graph), &ops).unwrap();
        assert_eq!(print_with_sources(&sources), print_with_sources(graph));
    }
    let joined = join(&plan.parts).unwrap();
    verify(&joined).unwrap();
    assert_eq!((joined.len(), joined.stage()), (plan.lowered.len(), &Stage::Lowered));
    assert_eq!(digest(&plan.recorded), plan.recorded_digest);
    assert_eq!(digest(&plan.lowered), plan.lowered_digest);
}

fn plan(graph: Graph) -> Plan {
    let plan = Plan::new(graph).unwrap();
    check_text(&plan);
    plan
}

#[secure_function]
fn simple_average(g: &Recording<'_>, inputters: &[PlayerName], receiver: &PlayerName) {
    let inputs = inputters.iter().zip(0..);
    let shares: Vec<_> = inputs
        .map(|(inputter, seed)| {
            g.scope("private-input", || share(random_normal(g, inputter, &[10], seed)))
        })
        .collect();
    let mean = g.scope("average", || scale(add_n(shares), 1.0 / inputters.len() as f64));
    publish("average", reveal(mean, receiver));
}

#[test]
fn simple_average_reads_as_agreed() {
    let inputters = [player("inputter-0"), player("inputter-1")];
    let receiver = player("result-receiver");
    let players = [&inputters[..], std::slice::from_ref(&receiver)].concat();
    for (protocol, fixed) in [("ABY3", Fixed::LOW), ("Plain", Fixed::HIGH)] {
        let setup = setup(&players, protocol, fixed).reveal(&receiver, 2).release(&receiver);
        let plan = plan(simple_average(&inputters, &receiver).record(&setup).unwrap());
        let name = |stage: &str| format!("simple_average_{protocol}_{stage}");
        insta::assert_snapshot!(name("recorded"), print(&plan.recorded));
        insta::assert_snapshot!(name("lowered"), print(&plan.lowered));
    }
}

/// A mean that goes on as a secret is truncated by the servers.
#[secure_function]
fn scaled_secret(g: &Recording<'_>, owners: &[PlayerName], receiver: &PlayerName) {
    let mut shares = owners.iter().map(|owner| share(random_normal(g, owner, &[3], 1)));
    let (first, second) = (shares.next().unwrap(), shares.next().unwrap());
    let weighted = add_n([scale(first, 0.25), second]);
    publish("weighted", reveal(weighted, receiver));
}

#[test]
fn a_truncation_reads_as_agreed() {
    let (owners, receiver) = ([player("ann"), player("bob")], player("eve"));
    let players = [&owners[..], std::slice::from_ref(&receiver)].concat();
    let setup = setup(&players, "ABY3", Fixed::LOW).reveal(&receiver, 2).release(&receiver);
    let plan = plan(scaled_secret(&owners, &receiver).record(&setup).unwrap());
    insta::assert_snapshot!("scaled_secret_lowered", print(&plan.lowered));
}

/// A step of federated learning: logistic regression on two examples of two by two pixels, which
/// the owners keep in variables.
#[secure_function]
fn federated_step(g: &Recording<'_>, model_owner: &PlayerName, data_owners: &[PlayerName]) {
    let model = Sequential::new(&[2, 2], &[Layer::Flatten, Layer::Dense(1)]);
    let parameters = model.parameters();
    let weights = g.scope("parameters", || {
        let read =
            |p: &sordino::ops::nn::Parameter| read_variable(g, model_owner, &p.name, &p.ty());
        parameters.iter().map(read).collect::<Vec<_>>()
    });
    let shared: Vec<Vec<_>> = data_owners
        .iter()
        .map(|owner| {
            g.scope("private-input", || {
                let of = |element, axes: &[usize]| Type::plain(element, Shape::new(axes).unwrap());
                let images = read_variable(g, owner, "images", &of(Element::F32, &[2, 2, 2]));
                let labels = read_variable(g, owner, "labels", &of(Element::I32, &[2]));
                let gradient = g.scope("gradient_computation", || {
                    let weights: Vec<_> = weights.iter().map(|w| transfer(*w, owner)).collect();
                    let loss = model.loss(model.logits(images, &weights), labels);
                    gradients(loss, &weights)
                });
                gradient.into_iter().map(share).collect()
            })
        })
        .collect();
    for (i, parameter) in parameters.iter().enumerate() {
        let sum = g.scope("secure_aggregation", || add_n(shared.iter().map(|owner| owner[i])));
        let mean = scale(sum, 1.0 / data_owners.len() as f64);
        g.scope("output", || descend(&parameter.name, 0.1, reveal(mean, model_owner)));
    }
}

#[test]
fn a_federated_step_reads_as_agreed() {
    let model_owner = player("model-owner");
    let data_owners = ["data-owner-0", "data-owner-1"].map(player);
    let players = [std::slice::from_ref(&model_owner), &data_owners[..]].concat();
    let setup = setup(&players, "ABY3", Fixed::LOW).reveal(&model_owner, 2).release(&model_owner);
    let record = || federated_step(&model_owner, &data_owners).record(&setup).unwrap();
    let plan = plan(record());
    insta::assert_snapshot!("federated_step_recorded", print(&plan.recorded));
    insta::assert_snapshot!("federated_step_lowered", print(&plan.lowered));
    insta::assert_snapshot!("federated_step_server2", print(&plan.parts[&player("server2")]));
    assert_eq!(Plan::new(record()).unwrap().lowered_digest, plan.lowered_digest);
}

/// A step of a random program: what to do, and which of the values and players so far with.
type Step = (u8, u8, u8);

const FACTORS: [f64; 8] = [1.0, -1.0, 2.0, 0.5, 1.0 / 3.0, 0.0, 1e-6, 4096.0];

/// Records a program of random steps; one that makes no sense is left out.
fn random_program(setup: &Setup, steps: &[Step]) -> Graph {
    let players = setup.players.clone();
    let graph = record("random", setup, |g| {
        let (mut plain, mut secrets): (Vec<Value<'_>>, Vec<Value<'_>>) = (vec![], vec![]);
        let pick = |from: &[Value<'_>], at: u8| -> Option<usize> {
            (!from.is_empty()).then(|| usize::from(at) % from.len())
        };
        for &(what, a, b) in steps {
            let player = &players[usize::from(b) % players.len()];
            let x = pick(&plain, a).map(|i| plain[i]);
            let s = pick(&secrets, a).map(|i| secrets[i]);
            let factor = FACTORS[usize::from(b) % FACTORS.len()];
            match (what % 10, x, s) {
                (0 | 1, ..) => plain.push(random_normal(g, player, &[3], u32::from(a))),
                (2 | 3, Some(x), _) => secrets.push(g.scope("shared", || share(x))),
                (4, _, Some(s)) => {
                    let other = secrets[usize::from(b) % secrets.len()];
                    secrets.push(add_n([s, other, s]));
                }
                (5, ..) if !secrets.is_empty() => {
                    let all = add_n(secrets.iter().copied());
                    secrets.push(all);
                }
                (6, _, Some(s)) => secrets.push(scale(s, factor)),
                (6, Some(x), _) => plain.push(scale(x, factor)),
                // Mostly to someone who may learn something.
                (7, _, Some(s)) if b % 4 == 0 => plain.push(reveal(s, player)),
                (7, _, Some(s)) => {
                    let rules = &setup.policy.reveals;
                    plain.push(reveal(s, &rules[usize::from(b) % rules.len()].to));
                }
                (8, Some(x), _) if x.place() != Some(player.into()) => {
                    plain.push(transfer(x, player));
                }
                (9, Some(x), _) if b % 2 == 0 => publish("x", x),
                (9, Some(x), _) => {
                    assign("v", x);
                    let ty = x.ty().expect("a type");
                    let at = x.place().and_then(|at| at.player().cloned()).expect("a player");
                    plain.push(read_variable(g, &at, "v", &ty));
                }
                _ => {}
            }
        }
    });
    graph.expect("every step fits")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_programs_have_plans_or_break_rules_of_secrecy(
        steps in proptest::collection::vec(any::<Step>(), 0..30),
        protocol in prop_oneof![Just("ABY3"), Just("Plain")],
        fixed in prop_oneof![Just(Fixed::LOW), Just(Fixed::HIGH)],
        over in 1usize..3,
        open in any::<bool>(),
    ) {
        let owners = ["ann", "bob", "eve"].map(player);
        let mut setup = setup(&owners, protocol, fixed);
        let all = setup.players.clone();
        for name in if open { &all[..] } else { &all[2..3] } {
            setup = setup.reveal(name, over).release(name);
        }
        let graph = random_program(&setup, &steps);
        prop_assert_eq!(&parse(&print(&graph), &sordino::ops::op::op_set()).unwrap(), &graph);
        match Plan::new(graph) {
            Ok(plan) => check_text(&plan),
            // Whoever releases everything, and hides nothing, breaks no rule.
            Err(PlanError::Verify(error)) if !open => {
                let secrecy = |rule: &str| rule.starts_with("secrecy/");
                prop_assert!(error.violations.iter().all(|v| secrecy(v.rule)), "{}", error);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

/// The random programs above are of both kinds, and those with a plan have secrets.
#[test]
fn random_programs_are_worth_their_while() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let steps = proptest::collection::vec(any::<Step>(), 0..30);
    let owners = ["ann", "bob", "eve"].map(player);
    let setup = setup(&owners, "ABY3", Fixed::LOW).reveal(&owners[2], 2).release(&owners[2]);
    let (mut plans, mut refused) = (0, 0);
    for _ in 0..200 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let graph = random_program(&setup, &steps);
        let reveals = graph.nodes().any(|(_, node)| node.op.role == Role::Reveal);
        match Plan::new(graph) {
            Ok(_) if reveals => plans += 1,
            Ok(_) => {}
            Err(_) => refused += 1,
        }
    }
    assert!(plans >= 3 && refused >= 20, "{plans} plans with secrets, {refused} refused");
}
