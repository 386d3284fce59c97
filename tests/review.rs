//! What is refused, on programs as they are written: the secrecy rules name each way by which an
//! owner's data would get out. And what `sordino review` and `sordino sign` say of plans.

mod common;

use std::path::Path;
use std::process::Command;

use common::program::federated_training;
use common::{model_owner, parties, player, servers, setup};
use sordino::graph::review::traffic;
use sordino::graph::{print, print_with_sources, review};
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::ops::{Plan, PlanError};
use sordino::players::{Identity, SignedPlans};
use sordino::prelude::*;

/// What the tests below do with the gradients of three owners.
type Use<'a> = &'a dyn Fn(&[Value<'_>]);

/// The plan of a program that has the gradient of each owner's loss, unshared.
fn with_gradients(then: Use<'_>) -> Result<Plan, PlanError> {
    let function = Function::new("training", "", |g| {
        let model = common::models::model("logistic_regression").unwrap();
        let parameters = model.parameters();
        let gradient = |owner: &PlayerName| {
            let request = BatchRequest {
                dataset: Dataset::LrMnist,
                split: Split::Train,
                range: 0..100,
                batch: 10,
                shuffle: None,
            };
            let (images, labels) = load_batch(g, owner, &request);
            let weights = parameters
                .iter()
                .map(|p| transfer(read_variable(g, &model_owner(), &p.name, &p.ty()), owner));
            let weights: Vec<_> = weights.collect();
            gradients(model.loss(model.logits(images, &weights), labels), &weights)[1]
        };
        let gradients: Vec<_> = common::data_owners().iter().map(gradient).collect();
        then(&gradients);
    });
    Plan::new(function.record(&setup("ABY3", Fixed::LOW)).unwrap())
}

#[track_caller]
fn refused(rule: &str, then: Use<'_>) {
    let error = with_gradients(then).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains(&format!("\n{rule}: ")), "{error}");
    // The program's line.
    assert!(error.contains("tests/review.rs:"), "{error}");
}

fn mean<'r>(values: &[Value<'r>]) -> Value<'r> {
    scale(add_n(values.iter().map(|value| share(*value))), 1.0 / values.len() as f64)
}

#[test]
fn the_mean_of_three_is_revealed() {
    let plan = with_gradients(&|gradients| {
        descend("dense_1/bias", 0.1, reveal(mean(gradients), &model_owner()));
    });
    let review = review(&plan.unwrap().recorded).unwrap();
    let mixed = review.exits.iter().filter_map(|exit| exit.mixed.as_ref());
    assert_eq!(mixed.map(|mixed| (mixed.over, mixed.sum)).collect::<Vec<_>>(), [(3, true)]);
}

#[test]
fn a_gradient_revealed_unsummed() {
    refused("secrecy/mixed", &|gradients| {
        reveal(share(gradients[0]), &model_owner());
    });
}

#[test]
fn a_mean_of_one() {
    refused("secrecy/mixed", &|gradients| {
        reveal(mean(&gradients[..1]), &model_owner());
    });
    // Nor one owner's many times over, nor beside what the model owner knows or everyone does.
    refused("secrecy/mixed", &|gradients| {
        reveal(mean(&[gradients[0]; 3]), &model_owner());
    });
    refused("secrecy/mixed", &|gradients| {
        let g = gradients[0].recording();
        let known = random_normal(&g, &model_owner(), &[1], 1);
        let public = zeros(&g, player("server0"), &[1]);
        reveal(mean(&[gradients[0], known, public]), &model_owner());
    });
}

#[test]
fn a_sum_from_which_another_subtracts_all_but_one() {
    refused("secrecy/mixed", &|gradients| {
        let shares: Vec<_> = gradients.iter().map(|gradient| share(*gradient)).collect();
        reveal(add_n(shares.iter().copied()), &model_owner());
        reveal(add_n(shares[1..].iter().copied()), &model_owner());
    });
    // Shared anew, and scaled.
    refused("secrecy/mixed", &|gradients| {
        reveal(mean(gradients), &model_owner());
        reveal(mean(&gradients[1..]), &model_owner());
    });
}

#[test]
fn raw_data_behind_a_transfer() {
    for to in ["model-owner", "server0", "train-data-owner-1"] {
        refused("secrecy/release", &|gradients| {
            transfer(gradients[0], &player(to));
        });
    }
    // What was made of the data, and what was made of it at another player's.
    refused("secrecy/release", &|gradients| {
        let sum = add_n([gradients[0], scale(gradients[0], -0.5)]);
        publish("sum", transfer(sum, &model_owner()));
    });
}

#[test]
fn a_value_published_to_the_driver_that_depends_on_a_secret() {
    refused("secrecy/release", &|gradients| publish("gradient", gradients[0]));
    // What a player that does not release was told.
    let owner = player("train-data-owner-0");
    let policy = setup("ABY3", Fixed::LOW).reveal(&owner, 1);
    let told = Function::new("told", "", |g| {
        let shares = common::data_owners();
        let shares = shares.iter().map(|owner| share(random_normal(g, owner, &[2], 1)));
        publish("sum", reveal(add_n(shares), &owner));
    });
    let error = Plan::new(told.record(&policy).unwrap()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("secrecy/release") && error.contains("to the driver"), "{error}");
    // The secret itself: it is on no single player.
    let secret = Function::new("secret", "", |g| {
        publish("secret", share(random_normal(g, &owner, &[2], 1)));
    });
    let found = secret.record(&policy).map_err(|error| error.to_string());
    let found = found.and_then(|graph| Plan::new(graph).map_err(|error| error.to_string()));
    assert!(found.is_err());
}

/// The plan of the example's training.
fn training() -> Plan {
    let (model_owner, owners) = parties("logistic_regression", Dataset::LrMnist);
    let graph = federated_training(&model_owner, &owners).record(&setup("ABY3", Fixed::LOW));
    Plan::new(graph.unwrap()).unwrap()
}

#[test]
fn the_training_of_the_example_reviewed() {
    let plan = training();
    let review = review(&plan.recorded).unwrap();
    for owner in common::data_owners() {
        let inputs: Vec<_> = review.inputs.iter().filter(|i| i.player == owner).collect();
        let [batch] = inputs[..] else { panic!("{inputs:?}") };
        assert_eq!(plan.recorded.node(batch.node).op.name, "load_batch");
        for exit in &batch.exits {
            let exit = &review.exits[*exit];
            assert_eq!(exit.to, Some(model_owner()));
            let mixed = exit.mixed.as_ref().unwrap();
            assert_eq!((mixed.over, mixed.sum, mixed.owners.len()), (3, true, 3));
        }
        assert_eq!(batch.exits.len(), 2);
    }
    // The weights that owners get have the mean of the step before in them.
    let weights =
        review.exits.iter().position(|exit| exit.to == Some(player("train-data-owner-0")));
    assert_eq!(review.carried[weights.unwrap()].len(), 1);

    let traffic = traffic(&plan.lowered);
    // Weights, masked gradients, shares of the sum.
    assert_eq!(traffic.rounds, 3);
    let bytes = |from: &str, to: &str| traffic.links[&(player(from), player(to))].bytes;
    assert_eq!(bytes("model-owner", "train-data-owner-2"), 785 * 4);
    assert_eq!(bytes("train-data-owner-2", "server2"), 785 * 8);
    assert_eq!(bytes("server0", "model-owner"), 785 * 8);
    assert_eq!(traffic.links.len(), 9);
}

/// Runs `sordino` and returns its exit status, standard output and standard error.
fn sordino(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sordino")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

#[test]
fn a_file_of_plans_is_reviewed() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "plan");
    let plan = training();
    // Without the program's lines, which change with it.
    std::fs::write(&file, print(&plan.recorded)).unwrap();
    let (status, report, errors) = sordino(&["review", &file]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    insta::assert_snapshot!(report);
    assert_eq!(report.lines().last().unwrap(), format!("digest {}", plan.recorded_digest));
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");

    let (status, report, _) = sordino(&["review", &file, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(status, Some(0));
    assert_eq!(json[0]["digest"], plan.recorded_digest.to_string());
    assert_eq!(json[0]["rounds"], 3);
    assert_eq!(json[0]["links"].as_array().unwrap().len(), 9);
    let reveal = json[0]["exits"].as_array().unwrap().iter().find(|e| e["kind"] == "reveal");
    assert_eq!(reveal.unwrap()["mixed"]["over"], 3);

    let (status, _, errors) = sordino(&["review", &file, "--view", &path(folder.path(), "view")]);
    assert_eq!(status, Some(0), "{errors}");
    assert!(folder.path().join("view/federated_training-overall.dot").is_file());
}

#[test]
fn what_is_no_plan_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "plan");
    let good = print_with_sources(&training().recorded);
    let fails = |text: &str, expect: &[&str]| {
        std::fs::write(&file, text).unwrap();
        for command in [&["review", &file][..], &["sign", &file, "--player", "server0"]] {
            let (status, report, errors) = sordino(command);
            assert_eq!((status, report.as_str()), (Some(1), ""), "{errors}");
            for part in [&["sordino: ", &file], expect].concat() {
                assert!(errors.contains(part), "{errors:?} does not say {part:?}");
            }
        }
    };
    fails("", &["empty"]);
    fails("no plan", &["line 1"]);
    fails(
        &good.replacen("transfer(", "transport(", 1),
        &["line 9, column 15", "op that this program knows"],
    );
    fails(
        &good.replacen("  policy release(from=model-owner)\n", "", 1),
        &["secrecy/release", "program.rs:"],
    );
    fails(&good.replacen("ABY3", "ABY4", 1), &["there is no protocol ABY4"]);
    std::fs::remove_file(&file).unwrap();
    let (status, _, errors) = sordino(&["review", &file]);
    assert!(status == Some(1) && errors.contains("cannot read"), "{errors}");
}

#[test]
fn plans_are_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (file, config) = (path(folder.path(), "plan"), path(folder.path(), "config.json"));
    let plan = training();
    let text = print_with_sources(&plan.recorded);
    // Two plans in a file.
    let other = text.replacen("graph federated_training", "graph another", 1);
    std::fs::write(&file, [text, other].join("\n")).unwrap();
    let sign = |player: &str| sordino(&["sign", &file, "--player", player, "--config", &config]);

    let (status, _, errors) = sign("server0");
    assert!(status == Some(1) && errors.contains("sordino keygen server0"), "{errors}");
    let identity = Identity::generate(&servers()[0], 1).unwrap();
    identity.save(folder.path(), false).unwrap();
    let (status, signed, errors) = sign("server0");
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(
        signed.lines().next(),
        Some(&*format!("{} federated_training", plan.recorded_digest))
    );
    assert_eq!(signed.lines().count(), 2);
    let list = SignedPlans::of(&identity, folder.path());
    assert!(list.contains(&plan.recorded_digest).unwrap());
    let (_, again, _) = sign("server0");
    assert_eq!(again.matches("(signed before)").count(), 2);
    let (status, _, errors) = sign("mallory");
    assert!(status == Some(1) && errors.contains("mallory has no part in"), "{errors}");
}
