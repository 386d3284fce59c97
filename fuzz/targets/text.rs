//! The text of a graph, as a driver sends it: parsed, printed, and made a plan of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sordino_graph::{print_with_sources, text};
use sordino_ops::{Plan, op_set};

/// Larger graphs take time and reach nothing new.
const MOST_NODES: usize = 100;

fuzz_target!(|input: &str| {
    let Ok(graph) = text::parse(input, &op_set()) else { return };
    let printed = print_with_sources(&graph);
    let again = text::parse(&printed, &op_set()).expect("what is printed can be parsed");
    assert_eq!(print_with_sources(&again), printed);
    if graph.len() <= MOST_NODES {
        // Refused or not: it ends, and panics nowhere.
        let _ = Plan::new(graph);
    }
});
