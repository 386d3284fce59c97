//! What steps allocate: no tensor twice.

#![allow(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use common::program::{federated_training, initialize};
use common::{everyone, mnist, parties, player, setup};
use sordino::graph::{Graph, Role};
use sordino::ops::data::Dataset;
use sordino::prelude::*;

/// The system's allocator, which counts what is at least [`LARGE`].
struct Counting;

/// Bytes of what is counted: tensors, and none of what a session or a thread has for itself.
const LARGE: usize = 100_000;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    if bytes >= LARGE {
        ALLOCATIONS.fetch_add(1, Relaxed);
    }
}

// SAFETY: the system's allocator does all that is asked for, with what it is asked with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many large tensors the players compute in a step: those they send to each other are the same.
fn large_tensors(lowered: &Graph) -> usize {
    let computed = lowered.nodes().filter(|(_, node)| node.op.role != Role::Transfer);
    let outputs = computed.flat_map(|(_, node)| &node.outputs);
    outputs.filter(|ty| ty.bytes() >= LARGE).count()
}

/// Fails unless a step, once others have been run, allocates no more often than it computes a large
/// tensor.
fn allocates_nothing_twice(name: &str, session: &mut Session, function: &Function<'_>) {
    const STEPS: u64 = 10;
    let plan = session.prepare(function).unwrap();
    session.run(function, STEPS).unwrap();
    let before = ALLOCATIONS.load(Relaxed);
    session.run(function, STEPS).unwrap();
    let allocations = (ALLOCATIONS.load(Relaxed) - before) as f64 / STEPS as f64;
    let tensors = large_tensors(&plan.lowered);
    assert!(tensors > 0, "{name} has no large tensors");
    assert!(
        allocations <= tensors as f64,
        "{name}: {allocations} allocations a step for {tensors} tensors"
    );
}

#[secure_function]
fn private(g: &Recording<'_>, which: &str, owner: &PlayerName) {
    let [x, y] = [1, 2].map(|seed| share(random_normal(g, owner, &[160, 160], seed)));
    let result = match which {
        "mul" => mul(x, y),
        "matmul" => matmul(x, y),
        "relu" => relu(x),
        "sigmoid" => sigmoid(x),
        "div" => div(x, y),
        "softmax" => softmax(x),
        "sort" => sort(x, 0),
        _ => unreachable!("no such program"),
    };
    assign_secret("result", add(result, y), std::slice::from_ref(owner));
}

/// One test, since all threads of the process allocate.
#[test]
fn a_step_allocates_no_tensor_twice() {
    for fixed in [Fixed::LOW, Fixed::HIGH] {
        let (model_owner, data_owners) = parties("network_a", Dataset::Mnist);
        let mut session = Session::local(setup("ABY3", fixed), mnist(), None).unwrap();
        session.run(&initialize(&model_owner), 1).unwrap();
        let training = federated_training(&model_owner, &data_owners);
        allocates_nothing_twice("federated training", &mut session, &training);
        drop(session);
        let mut session = Session::local(everyone("ABY3", fixed), mnist(), None).unwrap();
        for which in ["mul", "matmul", "relu", "sigmoid", "div", "softmax", "sort"] {
            allocates_nothing_twice(which, &mut session, &private(which, &player("ann")));
        }
    }
}
