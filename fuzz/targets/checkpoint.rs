//! The parts of a checkpoint: its envelope, its head, its variables.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sordino_players::sealed::split;
use sordino_runtime::checkpoint::{decode_header, decode_variables};

fuzz_target!(|bytes: &[u8]| {
    if let Ok((head, _)) = split(bytes) {
        let _ = decode_header(head);
    }
    let _ = decode_header(bytes);
    if let Ok(variables) = decode_variables(bytes) {
        let held: usize = variables.values().map(|value| value.as_bytes().len()).sum();
        assert!(held <= bytes.len(), "more elements than bytes");
    }
});
