//! What the tests of whole programs share: players, setups, the federated program of the example.

#![allow(dead_code, reason = "each test binary uses a part of it")]

#[path = "../../examples/models/mod.rs"]
pub mod models;
pub mod owners;
pub mod processes;
#[path = "../../examples/federated-learning/program.rs"]
pub mod program;

use std::net::UdpSocket;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use program::{DataOwner, ModelOwner};
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;

/// Where the MNIST files are.
pub fn mnist() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist"))
}

/// A UDP port that is free, and stays so while its player is dead: none that the system gives to sockets
/// that ask for any; held until it is dropped.
pub fn free_port() -> UdpSocket {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Far from what processes take that were started beside.
    let start = std::process::id().wrapping_mul(4999);
    let number = || start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
    let ports = std::iter::repeat_with(|| 20_000 + number() as u16);
    { ports }.find_map(|port| UdpSocket::bind(("127.0.0.1", port)).ok()).expect("a free port")
}

/// Steps of an epoch: 20,000 examples an owner in batches of 128.
pub const EPOCH: u64 = 156;

pub fn player(name: &str) -> PlayerName {
    name.parse().expect("a legal name")
}

fn numbered(name: &str, n: usize) -> Vec<PlayerName> {
    (0..n).map(|i| player(&format!("{name}{i}"))).collect()
}

pub fn servers() -> Vec<PlayerName> {
    numbered("server", 3)
}

pub fn data_owners() -> Vec<PlayerName> {
    numbered("train-data-owner-", 3)
}

pub fn model_owner() -> PlayerName {
    player("model-owner")
}

/// The setup of the federated program: what it is run with.
pub fn setup(protocol: &str, fixed: Fixed) -> Setup {
    let players = [vec![model_owner()], data_owners(), servers()].concat();
    Setup::new(players)
        .secure(protocol, servers(), fixed)
        .reveal(&model_owner(), 2)
        .release(&model_owner())
}

/// The same, where the data owners show their gradients: for programs that look at them.
pub fn open_setup(protocol: &str, fixed: Fixed) -> Setup {
    data_owners().iter().fold(setup(protocol, fixed), Setup::release)
}

/// The owners ann and bob, the receiver carol, and the servers, who may all learn everything: for
/// programs that are about numbers, not about secrecy.
pub fn everyone(protocol: &str, fixed: Fixed) -> Setup {
    let names = [&["ann", "bob", "carol"].map(player)[..], &servers()].concat();
    let setup = Setup::new(names.clone()).secure(protocol, servers(), fixed);
    names.iter().fold(setup, |setup, name| setup.reveal(name, 1).release(name))
}

/// A model owner, who may learn what the servers compute of its secrets.
pub fn one_owner(fixed: Fixed) -> Setup {
    let players = [vec![model_owner()], servers()].concat();
    let setup = Setup::new(players).secure("ABY3", servers(), fixed);
    setup.reveal(&model_owner(), 1).release(&model_owner())
}

/// Model owner and data owners of the federated program, with the data that the example gives them.
pub fn parties(model: &str, dataset: Dataset) -> (ModelOwner, Vec<DataOwner>) {
    let model = models::model(model).expect("a model of that name");
    let owner = |(i, player): (usize, PlayerName)| DataOwner {
        player,
        model: model.clone(),
        batches: BatchRequest {
            dataset,
            split: Split::Train,
            range: i * 20_000..(i + 1) * 20_000,
            batch: 128,
            shuffle: Some(i as u32),
        },
    };
    let data_owners = data_owners().into_iter().enumerate().map(owner).collect();
    (ModelOwner { player: model_owner(), model: model.clone(), dataset, seed: 1 }, data_owners)
}

/// The published values of that name, in the order of their steps.
pub fn published<'a>(run: &'a Run, name: &str) -> Vec<&'a [f64]> {
    let mut values: Vec<_> =
        run.published.iter().map(|(_, value)| value).filter(|value| value.name == name).collect();
    values.sort_by_key(|value| value.step);
    values.into_iter().map(|value| &value.elements[..]).collect()
}

/// Fails unless a text has all of these parts.
#[track_caller]
pub fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
}

/// The greatest difference of two equally long lists, NaN if there is one.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "lengths differ");
    let larger = |max: f64, d: f64| if d.is_nan() || d > max { d } else { max };
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, larger)
}

/// Runs `body` and fails if it has not ended in `seconds`: a guard against waits without end.
pub fn within<T: Send + 'static>(seconds: u64, body: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = sender.send(body());
    });
    match receiver.recv_timeout(Duration::from_secs(seconds)) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("not done after {seconds} s"),
        // The body panicked: its own message is the one to show.
        Err(mpsc::RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a body that ends sends its result"),
        },
    }
}
