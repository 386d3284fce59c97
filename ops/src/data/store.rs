//! A player's data sets: loaded from its own disk when a plan first asks, then kept.

use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sordino_graph::{Node, Shape};

use super::artificial::{self, Artificial};
use super::batches::{Batches, Order};
use super::idx::DataError;
use super::mnist::{Mnist, Split};
use super::npy;
use crate::kernel::{KernelError, Op};
use crate::op::{load_batch, load_tensor, save_tensor};
use crate::value::Tensor;

/// Data sets that a graph can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dataset {
    /// Handwritten digits, labelled 0 to 9.
    Mnist,
    /// The same digits, labelled 0 for 0–4 and 1 for 5–9: two classes for logistic regression.
    LrMnist,
    /// Made-up points on both sides of a hidden plane; see [`Artificial`].
    LogisticArtificial,
}

impl Dataset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mnist, Self::LrMnist, Self::LogisticArtificial];

    /// Its name in graphs and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mnist => "Mnist",
            Self::LrMnist => "LRMnist",
            Self::LogisticArtificial => "LogisticArtificial",
        }
    }

    /// The data set of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dataset| dataset.name() == name)
    }

    /// The names of all, for messages.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Number of examples of a split.
    #[must_use]
    pub fn examples(self, split: Split) -> usize {
        match (self, split) {
            (Self::Mnist | Self::LrMnist, _) => split.len(),
            (Self::LogisticArtificial, Split::Train) => 20_000,
            (Self::LogisticArtificial, Split::Test) => 1000,
        }
    }

    /// Axes of an example.
    #[must_use]
    pub fn shape(self) -> &'static [usize] {
        match self {
            Self::Mnist | Self::LrMnist => &[28, 28, 1],
            Self::LogisticArtificial => &[artificial::FEATURES],
        }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(self) -> usize {
        match self {
            Self::Mnist => 10,
            Self::LrMnist | Self::LogisticArtificial => 2,
        }
    }

    fn label(self, digit: i32) -> i32 {
        match self {
            Self::Mnist | Self::LogisticArtificial => digit,
            Self::LrMnist => i32::from(digit >= 5),
        }
    }
}

impl Split {
    /// Its name in graphs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// The split of that name.
pub(crate) fn split_from_name(name: &str) -> Option<Split> {
    [Split::Train, Split::Test].into_iter().find(|split| split.name() == name)
}

/// Which batches a node loads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BatchRequest {
    /// The data set.
    pub dataset: Dataset,
    /// The part of it.
    pub split: Split,
    /// The examples of the part that are this player's.
    pub range: Range<usize>,
    /// Examples a batch.
    pub batch: usize,
    /// Seed of the permutations; `None` for the order of the file.
    pub shuffle: Option<u32>,
}

/// The data sets under a folder of the player.
#[derive(Debug)]
pub struct DataStore {
    folder: PathBuf,
    loaded: Mutex<HashMap<BatchRequest, Arc<Mutex<Loaded>>>>,
}

#[derive(Debug)]
struct Loaded {
    examples: Examples,
    batches: Batches,
}

#[derive(Debug)]
enum Examples {
    Mnist(Mnist),
    Artificial(Artificial),
}

impl Examples {
    fn load(folder: &Path, request: &BatchRequest) -> Result<Self, DataError> {
        let range = request.range.clone();
        Ok(match request.dataset {
            Dataset::Mnist | Dataset::LrMnist => {
                Self::Mnist(Mnist::load(folder, request.split, range)?)
            }
            Dataset::LogisticArtificial => {
                // Test points are numbered after those to train on.
                let first = match request.split {
                    Split::Train => 0,
                    Split::Test => request.dataset.examples(Split::Train),
                };
                Self::Artificial(Artificial::new(first + range.start..first + range.end))
            }
        })
    }

    fn gather(&self, indices: &[u32], features: &mut [f32], labels: &mut [i32]) {
        match self {
            Self::Mnist(mnist) => mnist.gather(indices, features, labels),
            Self::Artificial(artificial) => artificial.gather(indices, features, labels),
        }
    }
}

impl DataStore {
    /// The data sets under `folder`, of which none is read yet.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, loaded: Mutex::new(HashMap::new()) }
    }

    /// The player's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Examples and labels of the batch of `step`.
    ///
    /// # Errors
    /// [`KernelError::Data`] when a file is missing or not what it should be.
    pub fn batch(
        &self,
        request: &BatchRequest,
        step: u64,
    ) -> Result<(Tensor, Tensor), KernelError> {
        let loaded = self.load(request)?;
        let loaded = &mut *loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let indices = loaded.batches.indices(step);
        let axes = [&[request.batch], request.dataset.shape()].concat();
        let mut features = vec![0.0; axes.iter().product()];
        let mut labels = vec![0; request.batch];
        loaded.examples.gather(indices, &mut features, &mut labels);
        labels.iter_mut().for_each(|label| *label = request.dataset.label(*label));
        let shape =
            |axes: &[usize]| Shape::new(axes).map_err(|error| KernelError::Bug(error.to_string()));
        let features = Tensor::f32(&shape(&axes)?, features);
        Ok((features, Tensor::i32(&shape(&[request.batch])?, labels)))
    }

    /// Looks for what a node reads from the player's own files, before anything runs: that there is a
    /// tensor of that shape, a folder to write to, a data set, which is loaded.
    ///
    /// # Errors
    /// What the node's kernel would say in the first step.
    pub fn check(&self, node: &Node) -> Result<(), KernelError> {
        let is = |op: &Op| std::ptr::eq(node.op, &op.spec);
        if is(&load_batch::OP) {
            self.load(&load_batch::request(&node.attributes)?)?;
        } else if is(&load_tensor::OP) {
            let name = node.attributes.text("name").unwrap_or_default();
            npy::check(&self.folder, name, &node.outputs[0].shape)?;
        } else if is(&save_tensor::OP) {
            npy::check_folder(&self.folder)?;
        }
        Ok(())
    }

    fn load(&self, request: &BatchRequest) -> Result<Arc<Mutex<Loaded>>, KernelError> {
        // Held while loading: whoever asks for the same data meanwhile waits instead of loading
        // it again.
        let mut all = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = all.get(request) {
            return Ok(Arc::clone(loaded));
        }
        let examples = Examples::load(&self.folder, request)?;
        let Some(batch) = NonZero::new(request.batch) else {
            return Err(KernelError::Bug("an empty batch passed the type rule".into()));
        };
        let order =
            request.shuffle.map_or(Order::Stored, |seed| Order::Shuffled { seed: u64::from(seed) });
        let batches = Batches::new(request.range.len(), batch, order);
        let loaded = Arc::new(Mutex::new(Loaded { examples, batches }));
        all.insert(request.clone(), Arc::clone(&loaded));
        Ok(loaded)
    }
}
