//! A data set's file whose length and checksum are the expected ones, and whose bytes are not: as
//! they are, and compressed.
#![no_main]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use sordino_ops::data::idx::IdxFile;
use tempfile::TempDir;

const SIZES: [u32; 3] = [7, 3, 2];

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

fn load(file: &[u8]) {
    let sha256 = Sha256::digest(file).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    });
    // Lives on, as those of the real files do: 64 bytes an input.
    let (sha256, compressed_len) = (&*sha256.leak(), file.len() as u64);
    let known = IdxFile { name: "idx", compressed_len, sha256, sizes: &SIZES };
    fs::write(FOLDER.path().join("idx"), file).expect("a file");
    if let Ok(items) = known.load(FOLDER.path(), 2..5) {
        assert_eq!(items.len(), 3 * known.item_len());
    }
}

fuzz_target!(|bytes: &[u8]| {
    load(bytes);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory takes all");
    load(&gzip.finish().expect("memory takes all"));
});
