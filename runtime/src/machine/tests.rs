//! Machines joined by hand: no threads, no sockets, no clock.

mod arrivals;
mod hold;
mod values;
mod world;

use proptest::prelude::*;
use sordino_graph::{Element, Fixed, Recording, Setup, Shape, Type, record, transfer};
use sordino_ops::data::{BatchRequest, Dataset, Split};
use sordino_ops::{
    Host, Plan, add_n, assign, descend, load_batch, publish, random_normal, read_variable, reveal,
    scale, share, zeros,
};

use self::world::{Own, World, compute};
use super::*;

fn player(name: &str) -> PlayerName {
    PlayerName::new(name).unwrap()
}

fn vector(n: usize) -> Type {
    Type::plain(Element::F32, Shape::new(&[n]).unwrap())
}

/// Owners a and b, a model owner m, three servers, so many others, and nothing secret from anyone.
fn setup(others: usize) -> Setup {
    let names = ["a", "b", "m", "s0", "s1", "s2"].map(player);
    let servers = names[3..].to_vec();
    let others = (0..others).map(|i| player(&format!("other-{i}")));
    let setup = Setup::new(names.iter().cloned().chain(others)).secure("ABY3", servers, Fixed::LOW);
    names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

fn plan(program: impl FnOnce(&Recording<'_>)) -> Plan {
    plan_among(0, program)
}

fn plan_among(others: usize, program: impl FnOnce(&Recording<'_>)) -> Plan {
    Plan::new(record("test", &setup(others), |g| program(g)).unwrap()).unwrap()
}

fn schedule(plan: &Plan, name: &str) -> Arc<Schedule> {
    Arc::new(Schedule::new(plan.parts[&player(name)].clone()).unwrap())
}

fn machine(plan: &Plan, name: &str, steps: u64) -> Machine {
    let mut machine = Machine::new(schedule(plan, name), 0);
    machine.ask(steps);
    machine
}

/// Descends along the mean of what two owners make of the weights: reads and changes a variable,
/// transfers, shares, sums, reveals.
fn training(g: &Recording<'_>) {
    let m = player("m");
    let weights = read_variable(g, &m, "w", &vector(3));
    publish("w", weights);
    let gradients = ["a", "b"].map(player).map(|owner| {
        let data = random_normal(g, &owner, &[3], 7);
        share(add_n([scale(transfer(weights, &owner), 0.5), data]))
    });
    descend("w", 0.25, reveal(scale(add_n(gradients), 0.5), &m));
}

const STEPS: u64 = 11;

fn run_all(plan: &Plan, choices: &[usize]) -> World {
    let mut world = World::new(plan, STEPS);
    let mut choices = choices.iter().copied().chain(std::iter::repeat(0));
    while world.happen(choices.next().unwrap_or(0)) {}
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn every_order_of_events_gives_the_same_result(
        choices in prop::collection::vec(0usize..1000, 0..1500),
    ) {
        let plan = plan(training);
        let expected = run_all(&plan, &[]).published();
        prop_assert_eq!(expected.len() as u64, STEPS);
        prop_assert_ne!(&expected[1].1, &expected[2].1);
        let mut world = run_all(&plan, &choices);
        prop_assert_eq!(world.published(), expected);
        for (name, machine, _) in &mut world.machines {
            prop_assert!(matches!(machine.next(), Action::Done), "{} is not done", name);
            prop_assert_eq!((machine.done(), machine.held()), (STEPS, 0));
        }
    }
}

/// A value of a goes to b in each step.
fn one_way(g: &Recording<'_>) {
    publish("x", transfer(random_normal(g, &player("a"), &[3], 1), &player("b")));
}

/// Does all that can be done without others and returns what is to be sent.
fn drain(machine: &mut Machine) -> Vec<Action> {
    let own = Own::default();
    let mut sent = Vec::new();
    loop {
        match machine.next() {
            Action::Run(job) => {
                let (step, task) = (job.step, job.task);
                let outputs = compute(&machine.schedule.clone(), &own, job);
                machine.on_kernel_done(step, task, outputs);
            }
            Action::Wait | Action::Done => return sent,
            message => sent.push(message),
        }
    }
}

#[test]
fn a_sender_stops_a_window_ahead() {
    let plan = plan(one_way);
    let mut a = machine(&plan, "a", 100);
    let steps = |sent: &[Action]| -> Vec<u64> {
        let step = |action: &Action| match action {
            Action::Send { step, .. } => *step,
            other => panic!("{other:?} is no value"),
        };
        sent.iter().map(step).collect()
    };
    assert_eq!(steps(&drain(&mut a)), (0..WINDOW).collect::<Vec<_>>());
    assert!(matches!(a.next(), Action::Wait));
    let (whom, _) = a.waiting_for().unwrap();
    assert_eq!(*whom, player("b"));
    assert_eq!(a.on_credit(&player("b"), 3), Ok(true));
    // Credits may overtake each other.
    assert_eq!(a.on_credit(&player("b"), 1), Ok(false));
    // Neither who gets nothing nor who says the impossible moves the window.
    for (from, done) in [("m", 3), ("b", WINDOW + IN_FLIGHT as u64 + 1), ("b", u64::MAX)] {
        let refused = a.on_credit(&player(from), done);
        assert_eq!(refused, Err(Misdelivery::FalseCredit { done, current: WINDOW }));
    }
    assert_eq!(steps(&drain(&mut a)), (WINDOW..WINDOW + 3).collect::<Vec<_>>());
}

#[test]
fn a_receiver_gives_credit_before_its_sender_runs_out() {
    gives_credit_in_time(&plan(one_way), WINDOW);
}

#[test]
fn among_many_no_value_comes_before_its_step() {
    let plan = plan_among(11, one_way);
    let mut a = machine(&plan, "a", 100);
    assert_eq!(drain(&mut a).len() as u64, WINDOW_OF_MANY);
    gives_credit_in_time(&plan, WINDOW_OF_MANY);
}

fn gives_credit_in_time(plan: &Plan, window: u64) {
    let (mut a, mut b) = (machine(plan, "a", 100), machine(plan, "b", 100));
    assert!(drain(&mut b).is_empty());
    let mut rounds = 0;
    while b.done() < 100 {
        for action in drain(&mut a) {
            let Action::Send { step, edge, value, .. } = action else { panic!("{action:?}") };
            b.on_received(&player("a"), step, edge, value).unwrap();
            assert!((b.early.len() as u64) <= window - IN_FLIGHT as u64);
        }
        let before = b.done();
        for action in drain(&mut b) {
            let Action::Credit { to, done } = action else { panic!("{action:?}") };
            assert_eq!(to, player("a"));
            assert!(done <= b.done());
            a.on_credit(&player("b"), done).unwrap();
        }
        assert!(b.done() > before, "both wait for each other at step {before}");
        rounds += 1;
    }
    assert!(rounds >= 100 / window, "the window does not hold");
    assert!(matches!(b.next(), Action::Done));
    assert_eq!(b.held(), 0);
}

#[test]
fn steps_overlap_except_at_variables() {
    let plan = plan(|g| {
        let a = player("a");
        let old = read_variable(g, &a, "w", &vector(3));
        assign("w", add_n([old, random_normal(g, &a, &[3], 1)]));
    });
    let mut a = machine(&plan, "a", 3);
    let names = Arc::clone(&a.schedule);
    let mut started = Vec::new();
    let mut jobs = Vec::new();
    while let Action::Run(job) = a.next() {
        started.push((job.step, names.names[job.task].clone()));
        jobs.push(job);
    }
    started.sort();
    let expected = [(0, "random_normal"), (0, "read_variable"), (1, "random_normal")];
    assert_eq!(started, expected.map(|(step, name)| (step, name.to_owned())));

    // Step 1 reads when step 0 has assigned, and not before.
    let own = Own::default();
    own.assign_variable("w", Tensor::zeros(&vector(3)));
    let mut order = Vec::new();
    loop {
        let job = match jobs.pop() {
            Some(job) => job,
            None => match a.next() {
                Action::Run(job) => job,
                _ => break,
            },
        };
        let (step, task) = (job.step, job.task);
        order.push((step, names.names[task].clone()));
        let outputs = compute(&names, &own, job);
        a.on_kernel_done(step, task, outputs);
    }
    let touches: Vec<_> =
        order.into_iter().filter(|(_, name)| name != "random_normal" && name != "add_n").collect();
    let expected =
        (0..3).flat_map(|step| [(step, "read_variable".to_owned()), (step, "assign".to_owned())]);
    assert_eq!(touches, expected.collect::<Vec<_>>());
    assert_eq!((a.done(), a.held()), (3, 0));
}

#[test]
fn a_wait_names_the_player_and_the_node() {
    let plan = plan(|g| {
        let x = g.scope("left", || random_normal(g, &player("a"), &[3], 1));
        let y = g.scope("right", || random_normal(g, &player("b"), &[3], 1));
        let [x, y] = [x, y].map(|value| transfer(value, &player("m")));
        publish("sum", add_n([x, y]));
    });
    let mut m = machine(&plan, "m", 1);
    drain(&mut m);
    assert_eq!(m.waiting_for().unwrap().0, &player("a"));
    let value = Tensor::zeros(&vector(3));
    m.on_received(&player("a"), 0, 0, value.clone()).unwrap();
    let (whom, node) = m.waiting_for().unwrap();
    assert_eq!((whom, node), (&player("b"), "receive_1"));
    m.on_received(&player("b"), 0, 1, value).unwrap();
    drain(&mut m);
    assert!(matches!(m.next(), Action::Done));
}

#[test]
fn a_part_without_nodes_is_done_at_once() {
    let plan = plan(one_way);
    // However many steps a driver asks for, and however often.
    let mut s0 = machine(&plan, "s0", u64::MAX);
    s0.ask(u64::MAX);
    assert!(matches!(s0.next(), Action::Done));
    assert_eq!(s0.done(), u64::MAX);
}
