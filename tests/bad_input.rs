//! Bad programs and bad data end in an error that says whose fault it is and what to do.

mod common;

use common::owners::{growing, start_growing, sum, two_owners, vector};
use common::program::initialize;
use common::{mnist, model_owner, parties, player, published, says, servers, setup, within};
use sordino::graph::{OpSpec, Role};
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;
use sordino::runtime::message::Failure;

/// Nothing takes longer than this to fail.
const GUARD: u64 = 10;

/// The failure of a run, which must be one that a player reported.
fn failure(result: Result<Run, RunError>) -> Failure {
    match result {
        Err(RunError::Failed(failure)) => failure,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("the run succeeded"),
    }
}

fn grown(factor: f64, steps: u64) -> Failure {
    within(GUARD, move || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        session.run(&start_growing(), 1).unwrap();
        let failed = failure(session.run(&growing(&factor), steps));
        // The session is over, and says so.
        let again = session.run(&growing(&factor), 1);
        assert!(matches!(again, Err(RunError::Over)), "{again:?}");
        failed
    })
}

#[test]
fn a_value_that_the_ring_cannot_hold() {
    // About 1e4, 1e8 and 1e12: the third is above 2^34.
    let Failure { player, reason, .. } = grown(1e4, 20);
    assert_eq!(player, "bob");
    let parts = ["private-input/share", "owners.rs:", "step 2", "too large for the ring"];
    says(&reason, &parts);
    says(&reason, &["1.7179869184e10", "element 0"]);
    // The value itself is bob's.
    let own = within(GUARD, || {
        let mut session = Session::local(two_owners().release(&self::player("bob")), mnist(), None);
        let session = session.as_mut().unwrap();
        session.run(&start_growing(), 1).unwrap();
        let run = session.run(&show_x(), 1).unwrap();
        published(&run, "x")[0].to_vec()
    });
    for x in own {
        let digits: String = format!("{:e}", x.abs()).chars().take(5).collect();
        assert!(!reason.contains(&digits), "{reason} holds {digits}");
    }
}

#[secure_function]
fn show_x(g: &Recording<'_>) {
    publish("x", read_variable(g, &player("bob"), "x", &vector(4)));
}

#[test]
fn not_a_number() {
    // The factor is infinite as f32, and so is the product; then infinity minus infinity.
    let Failure { player, reason, .. } = grown(1e300, 5);
    assert_eq!(player, "bob");
    says(&reason, &["private-input/share", "step 0", "too large for the ring"]);

    let failed = within(GUARD, || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        failure(session.run(&not_a_number_program(), 3))
    });
    assert_eq!(failed.player, "ann");
    says(&failed.reason, &["bad_input.rs:", "step 0", "element 0", "is not a number"]);
}

#[secure_function]
fn not_a_number_program(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let infinite = scale(random_normal(g, &ann, &[2], 1), 1e300);
    let nan = add_n([infinite, scale(infinite, -1.0)]);
    let sum = add_n([share(nan), share(random_normal(g, &bob, &[2], 1))]);
    publish("sum", reveal(sum, &carol));
}

/// The federated program at a learning rate that no model survives.
#[secure_function]
fn blow_up(g: &Recording<'_>, owners: &[PlayerName]) {
    let model = common::models::model("logistic_regression").unwrap();
    let weights: Vec<_> = model
        .parameters()
        .iter()
        .map(|p| read_variable(g, &model_owner(), &p.name, &p.ty()))
        .collect();
    let request = BatchRequest {
        dataset: Dataset::LrMnist,
        split: Split::Test,
        range: 0..1000,
        batch: 10,
        shuffle: None,
    };
    let gradients = owners.iter().map(|owner| {
        g.scope("private-input", || {
            let weights: Vec<_> = weights.iter().map(|w| transfer(*w, owner)).collect();
            let (images, labels) = load_batch(g, owner, &request);
            let loss = model.loss(model.logits(images, &weights), labels);
            gradients(loss, &weights).into_iter().map(share).collect::<Vec<_>>()
        })
    });
    let gradients: Vec<_> = gradients.collect();
    for (i, parameter) in model.parameters().iter().enumerate() {
        let sum = add_n(gradients.iter().map(|gradient| gradient[i]));
        descend(&parameter.name, 3e38, reveal(sum, &model_owner()));
    }
}

#[test]
fn a_learning_rate_that_blows_up() {
    let failed = within(GUARD, || {
        let (model, _) = parties("logistic_regression", Dataset::LrMnist);
        let mut session = Session::local(setup("ABY3", Fixed::LOW), mnist(), None).unwrap();
        session.run(&initialize(&model), 1).unwrap();
        failure(session.run(&blow_up(&common::data_owners()), 20))
    });
    assert!(failed.player.starts_with("train-data-owner-"), "{failed}");
    says(&failed.reason, &["private-input", "/share", "is not a number", "learning rate"]);
}

#[test]
fn a_variable_that_was_never_assigned() {
    let failed = within(GUARD, || {
        let mut session = Session::local(two_owners(), mnist(), None).unwrap();
        failure(session.run(&growing(&1.0), 1))
    });
    assert_eq!(failed.player, "bob");
    says(&failed.reason, &["private-input/read_variable", "variable x has no value yet"]);
}

/// The error of a program that does not get as far as the players.
fn refused(setup: Setup, function: &Function<'_>) -> String {
    let mut session = Session::local(setup, mnist(), None).unwrap();
    match session.run(function, 1) {
        Err(RunError::Plan(error)) => error.to_string(),
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("the run succeeded"),
    }
}

#[test]
fn protocols_that_there_are_not() {
    for name in ["Pond", "SecureNN", "aby3"] {
        let error = refused(two_owners().secure(name, servers(), Fixed::LOW), &sum());
        says(&error, &[&format!("no protocol {name}"), "ABY3 (semi-honest", "Plain (insecure"]);
    }
    let two = servers()[..2].to_vec();
    let error = refused(two_owners().secure("ABY3", two, Fixed::LOW), &sum());
    assert_eq!(error, "ABY3 runs on 3 servers, not on 2");
}

/// An op on secrets that no protocol has a rule for.
static GAMMA: OpSpec = OpSpec {
    name: "gamma",
    role: Role::Compute,
    attributes: &[],
    infer: |s| s.inputs::<1>().map(|[x]| vec![x.clone()]),
    gradient: None,
};

#[secure_function]
fn gamma(g: &Recording<'_>) {
    let [ann, bob, carol] = ["ann", "bob", "carol"].map(player);
    let shares = [ann, bob].map(|owner| share(random_normal(g, &owner, &[3], 1)));
    let gamma = g.op(&GAMMA).input(add_n(shares)).build();
    publish("gamma", reveal(gamma, &carol));
}

#[test]
fn an_op_without_a_rule() {
    let error = refused(two_owners(), &gamma());
    says(&error, &["ABY3 cannot compute gamma of secret fix64.16[3] (", "bad_input.rs:"]);
}

#[secure_function]
fn of_a_stranger(g: &Recording<'_>) {
    publish("x", random_normal(g, &player("mallory"), &[3], 1));
}

#[test]
fn a_player_that_is_not_listed() {
    let error = refused(two_owners(), &of_a_stranger());
    says(&error, &["placement/player", "mallory", "bad_input.rs:"]);
}
