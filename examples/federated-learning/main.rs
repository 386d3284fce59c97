//! stub
#[path = "../models/mod.rs"]
mod models;
mod program;
use program::*;
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;
fn main() {
    let n = |s: &str| s.parse::<PlayerName>().unwrap();
    let servers: Vec<_> = (0..3).map(|i| n(&format!("server{i}"))).collect();
    let owners: Vec<_> = (0..3).map(|i| n(&format!("train-data-owner-{i}"))).collect();
    let mo = n("model-owner");
    let name = std::env::args().nth(1).unwrap();
    let model = models::model(&name).unwrap();
    let setup = Setup::new([vec![mo.clone()], owners.clone(), servers.clone()].concat())
        .secure("ABY3", servers, Fixed::LOW)
        .reveal(&mo, 2)
        .release(&mo);
    let model_owner =
        ModelOwner { player: mo, model: model.clone(), dataset: Dataset::Mnist, seed: 1 };
    let data_owners: Vec<_> = owners
        .iter()
        .enumerate()
        .map(|(i, p)| DataOwner {
            player: p.clone(),
            model: model.clone(),
            batches: BatchRequest {
                dataset: Dataset::Mnist,
                split: Split::Train,
                range: i * 20000..(i + 1) * 20000,
                batch: 128,
                shuffle: Some(i as u32),
            },
        })
        .collect();
    let t = std::time::Instant::now();
    let g = federated_training(&model_owner, &data_owners).record(&setup).unwrap();
    let t1 = t.elapsed();
    let plan = sordino::ops::Plan::new(g).unwrap();
    eprintln!(
        "record {t1:?} plan {:?} nodes {} lowered {}",
        t.elapsed(),
        plan.recorded.len(),
        plan.lowered.len()
    );
    std::fs::write("/tmp/rec.graph", sordino::graph::print_with_sources(&plan.recorded)).unwrap();
    std::fs::write("/tmp/low.graph", sordino::graph::print_with_sources(&plan.lowered)).unwrap();
    let mut session = Session::local(setup, "data/mnist".as_ref(), None).unwrap();
    session.run(&initialize(&model_owner), 1).unwrap();
    for _ in 0..5 {
        let run = session.run(&federated_training(&model_owner, &data_owners), 156).unwrap();
        let v = session.run(&validate_model(&model_owner), 100).unwrap();
        eprintln!(
            "{:.3} s, {:.3} ms/step; loss {:?} acc {:?}",
            run.seconds,
            run.seconds / 0.156,
            v.mean("loss"),
            v.mean("accuracy")
        );
    }
    let run = session.run(&federated_training(&model_owner, &data_owners), 156).unwrap();
    for r in &run.reports {
        eprintln!(
            "{} computing {:.3} waiting {:.3} sending {:.3} total {:.3} {:?}",
            r.player,
            r.computing / 156. * 1e3,
            r.waiting / 156. * 1e3,
            r.sending / 156. * 1e3,
            r.seconds / 156. * 1e3,
            r.links.iter().map(|l| l.bytes / 156).sum::<u64>()
        );
    }
}
