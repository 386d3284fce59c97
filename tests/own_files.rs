//! Files of a player's own that are missing, broken or of another shape are an error before anything
//! runs, which names the player, the op, the program's line, the file and what is wrong with it.

mod common;

use std::path::Path;

use common::{mnist, model_owner, one_owner, says};
use sordino::ops::data::{BatchRequest, Dataset, Split};
use sordino::prelude::*;

/// What the model owner says when it is to prepare a program, with its files in `folder`: nothing has
/// run then.
fn refused(folder: &Path, program: impl Fn(&Recording<'_>)) -> String {
    let mut session = Session::local(one_owner(Fixed::LOW), folder, None).unwrap();
    match session.prepare(&Function::new("program", "", |g| program(g))) {
        Err(RunError::Failed(failure)) => {
            assert_eq!(failure.player, "model-owner");
            failure.reason
        }
        other => panic!("{other:?}"),
    }
}

/// What is said of a weight file that holds an array of `shape`, for weights of 4 by 2.
fn imported(shape: &str, bytes: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("tensors")).unwrap();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let file = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), &vec![0; bytes]].concat();
    std::fs::write(folder.path().join("tensors/weights.npy"), file).unwrap();
    refused(folder.path(), |g| {
        assign("weights", load_tensor(g, &model_owner(), "weights", &[4, 2]));
    })
}

#[test]
fn a_weight_file_of_the_wrong_shape() {
    for (shape, bytes, found) in
        [("(2, 4)", 32, "f32[2,4]"), ("(8,)", 32, "f32[8]"), ("()", 4, "f32[]")]
    {
        let expected = ["load_tensor", "own_files.rs:", "weights.npy", found, "f32[4,2]"];
        says(&imported(shape, bytes), &expected);
    }
    says(&imported("(4, 2)", 28), &["weights.npy", "length"]);
}

#[test]
fn no_weight_file() {
    let folder = tempfile::tempdir().unwrap();
    let load = |g: &Recording<'_>| {
        assign("weights", load_tensor(g, &model_owner(), "weights", &[4, 2]));
    };
    says(
        &refused(folder.path(), load),
        &["load_tensor", "own_files.rs:", "no file", "weights.npy"],
    );
}

/// Weights that could not be written at the end of a training.
#[test]
fn no_folder_for_a_weight_file() {
    let folder = tempfile::tempdir().unwrap();
    let save = |g: &Recording<'_>| save_tensor("weights", zeros(g, model_owner(), &[4, 2]));
    let expected = ["save_tensor", "own_files.rs:", "no folder", "tensors"];
    says(&refused(folder.path(), save), &expected);
    std::fs::create_dir(folder.path().join("tensors")).unwrap();
    let mut session = Session::local(one_owner(Fixed::LOW), folder.path(), None).unwrap();
    session.prepare(&Function::new("save", "", save)).unwrap();
}

/// What the loader says of a folder whose file of test labels was changed.
fn loaded_after(change: fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"] {
        std::fs::copy(mnist().join(name), folder.path().join(name)).unwrap();
    }
    change(&folder.path().join("t10k-labels-idx1-ubyte.gz"));
    let (dataset, split) = (Dataset::Mnist, Split::Test);
    let request = BatchRequest { dataset, split, range: 0..100, batch: 100, shuffle: None };
    let error = refused(folder.path(), |g| {
        publish("images", load_batch(g, &model_owner(), &request).0);
    });
    says(&error, &["load_batch", "own_files.rs:", "t10k-labels-idx1-ubyte.gz"]);
    error
}

#[test]
fn broken_data_files() {
    says(&loaded_after(|file| std::fs::remove_file(file).unwrap()), &["no file"]);
    let truncated = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
    };
    says(&loaded_after(truncated), &["is truncated", "copy it again"]);
    let longer = |file: &Path| {
        let bytes = std::fs::read(file).unwrap();
        std::fs::write(file, [&bytes[..], b"x"].concat()).unwrap();
    };
    says(&loaded_after(longer), &["another file"]);
    let corrupt = |file: &Path| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[2000] ^= 1;
        std::fs::write(file, bytes).unwrap();
    };
    says(&loaded_after(corrupt), &["is corrupt"]);
}
