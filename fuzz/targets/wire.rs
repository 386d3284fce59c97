//! Control messages and announcements of values, as a peer sends them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sordino_runtime::transport::quic::{Announcement, decode_control, encode_control};

fuzz_target!(|bytes: &[u8]| {
    if let Some(message) = decode_control(bytes) {
        let frame = encode_control(&message).expect("what was read can be written");
        let again = decode_control(&frame[4..]).expect("what was written can be read");
        assert_eq!(format!("{message:?}"), format!("{again:?}"));
    }
    if let Some(header) = bytes.first_chunk::<{ Announcement::BYTES }>() {
        assert_eq!(Announcement::decode(header).encode()[1..], header[1..]);
    }
});
