//! MNIST: 70,000 images of handwritten digits, 28 x 28 bytes each, 0 = background, 255 = ink.
//!
//! Y. LeCun, C. Cortes and C. Burges, <http://yann.lecun.com/exdb/mnist/>, CC BY-SA 3.0. The files
//! are in the repository's `data/mnist`.

use super::idx::{DataError, IdxFile};
use std::ops::Range;
use std::path::Path;

/// Pixels of an image, 28 x 28.
pub const PIXELS: usize = 784;

/// Kinds of digits.
pub const CLASSES: usize = 10;

/// Which part of the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// 60,000 images to train on.
    Train,
    /// 10,000 images to test with, by other writers.
    Test,
}

impl Split {
    /// How many images it has.
    pub fn len(self) -> usize {
        self.files().0.sizes[0] as usize
    }

    /// Never.
    pub fn is_empty(self) -> bool {
        false
    }

    fn files(self) -> &'static (IdxFile, IdxFile) {
        match self {
            Split::Train => &TRAIN,
            Split::Test => &TEST,
        }
    }
}

/// Some images and their labels, in memory. Private to the player that loaded them: it prints as
/// its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Mnist {
    /// The images, [`PIXELS`] bytes each, row by row.
    pub images: Vec<u8>,
    /// The digit of each image, `0..=9`.
    pub labels: Vec<u8>,
}

/// What a byte is multiplied by to be in 0..=1: a product is many times faster than a quotient.
const SHADE: f32 = 1.0 / 255.0;

impl Mnist {
    /// The images `range` of a split, from the files in `dir`.
    ///
    /// # Errors
    /// A file that is missing or is not, to the byte, the one known here; a range that the split
    /// does not have.
    pub fn load(dir: &Path, split: Split, range: Range<usize>) -> Result<Self, DataError> {
        let (images, labels) = split.files();
        let labels = labels.load(dir, range.clone())?;
        let images = images.load(dir, range)?;
        Ok(Self { images, labels })
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The images `indices` as numbers `0.0..=1.0` in `pixels` ([`PIXELS`] an image), and their
    /// digits in `labels`.
    ///
    /// # Panics
    /// If an index is not below [`len`](Mnist::len), or a slice has another length than the
    /// indices call for.
    pub fn gather(&self, indices: &[u32], pixels: &mut [f32], labels: &mut [i32]) {
        assert_eq!(pixels.len(), indices.len() * PIXELS, "gather: pixels");
        assert_eq!(labels.len(), indices.len(), "gather: labels");
        for ((&i, pixels), label) in
            indices.iter().zip(pixels.as_chunks_mut::<PIXELS>().0).zip(labels)
        {
            let i = i as usize;
            *label = i32::from(self.labels[i]);
            for (pixel, &byte) in pixels.iter_mut().zip(&self.images[i * PIXELS..][..PIXELS]) {
                *pixel = f32::from(byte) * SHADE;
            }
        }
    }
}

impl std::fmt::Debug for Mnist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<MNIST [{}]>", self.len())
    }
}

const TRAIN: (IdxFile, IdxFile) = (
    IdxFile {
        name: "train-images-idx3-ubyte.gz",
        compressed_len: 9_719_438,
        sha256: "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
        sizes: &[60_000, 28, 28],
    },
    IdxFile {
        name: "train-labels-idx1-ubyte.gz",
        compressed_len: 28_857,
        sha256: "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
        sizes: &[60_000],
    },
);

const TEST: (IdxFile, IdxFile) = (
    IdxFile {
        name: "t10k-images-idx3-ubyte.gz",
        compressed_len: 1_616_508,
        sha256: "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
        sizes: &[10_000, 28, 28],
    },
    IdxFile {
        name: "t10k-labels-idx1-ubyte.gz",
        compressed_len: 4_517,
        sha256: "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
        sizes: &[10_000],
    },
);

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/mnist")
    }

    #[test]
    fn the_first_images_are_the_well_known_ones() {
        let train = Mnist::load(&dir(), Split::Train, 0..10).unwrap();
        assert_eq!(train.labels, [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
        let test = Mnist::load(&dir(), Split::Test, 0..5).unwrap();
        assert_eq!(test.labels, [7, 2, 1, 0, 4]);
        assert_eq!(format!("{test:?}"), "<MNIST [5]>");
    }

    #[test]
    fn a_range_is_a_part_of_the_whole() {
        let whole = Mnist::load(&dir(), Split::Test, 0..Split::Test.len()).unwrap();
        assert_eq!(whole.images.len(), 10_000 * PIXELS);
        assert!(whole.labels.iter().all(|&digit| usize::from(digit) < CLASSES));
        let part = Mnist::load(&dir(), Split::Test, 9_000..9_010).unwrap();
        assert_eq!(part.images, whole.images[9_000 * PIXELS..9_010 * PIXELS]);
        assert_eq!(part.labels, whole.labels[9_000..9_010]);
    }

    #[test]
    fn gathers_a_batch() {
        let data = Mnist::load(&dir(), Split::Test, 0..3).unwrap();
        let (mut pixels, mut labels) = (vec![0.0; 2 * PIXELS], [0; 2]);
        data.gather(&[2, 0], &mut pixels, &mut labels);
        assert_eq!(labels, [1, 7]);
        for (x, y) in pixels.iter().zip(data.images[2 * PIXELS..].iter().chain(&data.images)) {
            assert_eq!(*x, f32::from(*y) * SHADE);
        }
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Mnist::load(Path::new("/nowhere"), Split::Test, 0..1).unwrap_err().to_string();
        assert!(error.starts_with("no file /nowhere/t10k-"), "{error}");
    }
}
