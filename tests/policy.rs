//! A player with a policy, as a process of its own: what it refuses, how the driver hears of it,
//! and that all players go on.

mod common;

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{free_port, mnist, player, servers, within};
use sordino::ops::Plan;
use sordino::players::{Identity, SignedPlans};
use sordino::prelude::*;

/// Nothing here takes longer.
const GUARD: u64 = 60;

const OWNERS: [&str; 3] = ["ann", "bob", "cat"];

fn setup() -> Setup {
    let receiver = player("dan");
    let players = OWNERS.iter().map(|name| player(name)).chain([receiver.clone()]);
    Setup::new(players.chain(servers()))
        .secure("ABY3", servers(), Fixed::LOW)
        .reveal(&receiver, 2)
        .release(&receiver)
}

/// The sum of what these owners have.
#[secure_function]
fn sum(g: &Recording<'_>, owners: &[&str]) {
    let shares = owners.iter().map(|owner| share(random_normal(g, &player(owner), &[3], 1)));
    let sum = add_n(shares.collect::<Vec<_>>());
    publish("sum", g.scope("output", || reveal(sum, &player("dan"))));
}

/// Processes of players, which stop when they are dropped.
struct Processes(Vec<Child>);

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // Gone already, or gone now.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts every player of [`setup`]: ann with a policy, dan releasing.
fn start(folder: &Path, policy: &str) -> Processes {
    // All at once, so that no two get the same port.
    let names: Vec<_> = setup().players.iter().map(ToString::to_string).collect();
    let sockets: Vec<_> = names.iter().map(|_| free_port()).collect();
    let address = |(name, socket): (&String, &UdpSocket)| {
        (name.clone(), socket.local_addr().unwrap().to_string().into())
    };
    let roster: serde_json::Map<_, _> = names.iter().zip(&sockets).map(address).collect();
    drop(sockets);
    let config = folder.join("config.json");
    std::fs::write(&config, serde_json::to_string(&roster).unwrap()).unwrap();
    std::fs::write(folder.join("policy.toml"), policy).unwrap();
    for name in names.iter().map(String::as_str).chain(["driver"]) {
        Identity::generate(&player(name), 1).unwrap().save(folder, false).unwrap();
    }
    let process = |name: &String| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(["player", name, "--until-eof", "--config"]).arg(&config);
        command.arg("--data").arg(mnist());
        match name.as_str() {
            "ann" => command.arg("--policy").arg(folder.join("policy.toml")),
            "dan" => command.arg("--release"),
            _ => &mut command,
        };
        command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    Processes(names.iter().map(process).collect())
}

/// Runs the sum of these owners in a session of its own.
fn run(folder: &Path, owners: &[&str]) -> Result<(), String> {
    let session = Session::remote(setup(), &folder.join("config.json"));
    let mut session = session.unwrap_or_else(|error| panic!("{error}"));
    match session.run(&sum(owners), 3) {
        Ok(run) => {
            assert_eq!(run.published.len(), 3);
            Ok(())
        }
        Err(RunError::Failed(failure)) => {
            assert_eq!(failure.player, "ann");
            Err(failure.to_string())
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_drivers_error_names_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "[[reveal]]\nwhat = \"output*\"\nto = \"dan\"\nover = 3\n";
    within(GUARD, move || {
        let folder = folder.path();
        let _players = start(folder, policy);
        let refused = run(folder, &["ann", "bob"]).unwrap_err();
        for part in [
            "ann",
            "policy.toml rule 1 (line 1): reveal \"output*\" to \"dan\" only as a sum over at \
             least 3 player(s)",
            "output/reveal",
            "tests/policy.rs:",
            "a sum over 2",
        ] {
            assert!(refused.contains(part), "{refused:?} does not say {part:?}");
        }
        // Everyone is idle again, ann too.
        run(folder, &OWNERS).unwrap();
        // What ann signs meanwhile runs, and nothing else.
        let ann = Identity::load(folder, &player("ann")).unwrap();
        let plan = Plan::new(sum(&["ann", "bob"]).record(&setup()).unwrap()).unwrap();
        let list = SignedPlans::of(&ann, folder);
        assert!(list.add(&ann, &plan.recorded_digest, "sum").unwrap());
        run(folder, &["ann", "bob"]).unwrap();
        run(folder, &["ann", "cat"]).unwrap_err();
        run(folder, &OWNERS).unwrap();
    });
}

#[test]
fn a_player_does_not_start_with_a_policy_that_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.toml");
    let start = |flags: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sordino"));
        command.args(["player", "ann", "--config", "nowhere.json", "--policy"]).arg(&policy);
        let output = command.args(flags).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, errors) = start(&[]);
    assert!(status == Some(2) && errors.contains("cannot read the policy"), "{errors}");
    std::fs::write(&policy, "[[reveal]]\nto = \"dan\"\novr = 3\n").unwrap();
    let (status, errors) = start(&[]);
    assert!(status == Some(2) && errors.contains("line 3"), "{errors}");
    assert!(errors.contains("unknown field `ovr`"), "{errors}");
    // One or the other: two sources of rules could disagree.
    let (status, errors) = start(&["--release"]);
    assert!(status == Some(2) && errors.contains("--release"), "{errors}");
}

/// The policy of the example lets the example run.
#[test]
fn the_example_policy_allows_the_example() {
    use sordino::runtime::Consent;
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/federated-learning/policy.toml");
    let consent = Consent::load(&file).unwrap_or_else(|error| panic!("{error}"));
    let dataset = sordino::ops::data::Dataset::LrMnist;
    let (model_owner, owners) = common::parties("logistic_regression", dataset);
    let setup = common::setup("ABY3", Fixed::LOW);
    for function in [
        common::program::initialize(&model_owner),
        common::program::federated_training(&model_owner, &owners),
        common::program::validate_model(&model_owner),
    ] {
        let plan = Plan::new(function.record(&setup).unwrap()).unwrap();
        let check = |name: &PlayerName| consent.check(name, &plan.recorded, &plan.recorded_digest);
        for owner in common::data_owners() {
            assert_eq!(check(&owner), Ok(()));
        }
    }
    let two = &owners[..2];
    let plan = common::program::federated_training(&model_owner, two).record(&setup).unwrap();
    let plan = Plan::new(plan).unwrap();
    let refused = consent.check(&two[0].player, &plan.recorded, &plan.recorded_digest);
    assert!(refused.unwrap_err().contains("policy.toml rule 1 (line 12)"));
}
