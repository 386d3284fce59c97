//! Layers: shapes, parameters, and what they compute.

use sordino_graph::Value;

use super::Parameter;
use super::parameter::Initial;
use crate::op;
pub use crate::tensor::conv::Padding;

/// One layer of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Layer {
    /// All axes but the first become one.
    Flatten,
    /// Axes of an example become these; the number of elements stays.
    Reshape(Vec<usize>),
    /// `x·W + b` with this many outputs.
    Dense(usize),
    /// Convolution with a bias a filter.
    Conv {
        /// Number of filters.
        filters: usize,
        /// Rows and columns of a filter.
        size: usize,
        /// Step along both axes.
        stride: usize,
        /// What surrounds an image.
        padding: Padding,
    },
    /// Maximum over windows of this many rows and columns.
    MaxPool(usize),
    /// Mean over windows of this many rows and columns.
    AveragePool(usize),
    /// Every channel to mean 0 and variance 1, then to a mean and a scale that are learnt; see
    /// [`Mode`]. Source: Ioffe and Szegedy, *Batch normalization* (ICML 2015).
    BatchNorm,
    /// The positive part.
    Relu,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// e^x over its sum along the last axis.
    Softmax,
}

/// What batch normalisation divides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Mean and variance of the batch; moving averages of them are kept.
    Training,
    /// The moving averages.
    Inference,
}

/// Part of the moving averages that a batch replaces.
const MOMENTUM: f64 = 0.125;
/// Keeps a variance of 0 from being divided by.
const EPSILON: f64 = 1.0 / 1024.0;

/// What a layer made of a batch.
pub(super) struct Output<'r> {
    pub(super) value: Value<'r>,
    /// New values of parameters that are not trained, by their place among the layer's.
    pub(super) averages: Vec<(usize, Value<'r>)>,
}

impl Layer {
    /// Axes of an example after the layer, from those before it; `at` is its place in the model.
    ///
    /// # Panics
    /// When it does not fit.
    pub(super) fn shape(&self, at: usize, before: &[usize]) -> Vec<usize> {
        match *self {
            Self::Flatten => vec![before.iter().product()],
            Self::Reshape(ref axes) => {
                let (n, m): (usize, usize) = (before.iter().product(), axes.iter().product());
                assert_eq!(n, m, "layer {at}: makes {axes:?} of {before:?}");
                axes.clone()
            }
            Self::Dense(outputs) => {
                assert_eq!(before.len(), 1, "layer {at}: flatten before dense");
                vec![outputs]
            }
            Self::Conv { filters, size, stride, padding } => {
                let [h, w, _] = image(at, before);
                assert!(stride > 0, "layer {at}: takes a stride of 1 or more");
                let fits = padding == Padding::Same || size <= h.min(w);
                assert!(fits, "layer {at}: fits no filter of {size} by {size} into {before:?}");
                let out = |extent: usize| match padding {
                    Padding::Same => extent.div_ceil(stride),
                    Padding::Valid => (extent + 1 - size).div_ceil(stride),
                };
                vec![out(h), out(w), filters]
            }
            Self::MaxPool(window) | Self::AveragePool(window) => {
                let [h, w, c] = image(at, before);
                assert!(window > 0, "layer {at}: takes windows of 1 or more");
                vec![h / window, w / window, c]
            }
            Self::BatchNorm => {
                assert!(!before.is_empty(), "layer {at}: takes examples with channels");
                before.to_vec()
            }
            Self::Relu | Self::Sigmoid | Self::Tanh | Self::Softmax => before.to_vec(),
        }
    }

    /// The layer's parameters, from the axes of an example before it.
    pub(super) fn parameters(&self, at: usize, before: &[usize]) -> Vec<Parameter> {
        let parameter = |name: &str, shape: &[usize], initial| Parameter {
            name: format!("{}_{at}/{name}", self.name()),
            shape: shape.to_vec(),
            initial,
            trained: !name.starts_with("moving"),
        };
        match *self {
            Self::Dense(outputs) => {
                let inputs = before.iter().product();
                vec![
                    parameter("weights", &[inputs, outputs], Initial::Glorot),
                    parameter("bias", &[outputs], Initial::Constant(0)),
                ]
            }
            Self::Conv { filters, size, .. } => {
                let [_, _, c] = image(at, before);
                vec![
                    parameter("filters", &[size, size, c, filters], Initial::Glorot),
                    parameter("bias", &[filters], Initial::Constant(0)),
                ]
            }
            Self::BatchNorm => {
                let channels = &before[before.len().saturating_sub(1)..];
                let names = [("scale", 1), ("mean", 0), ("moving_mean", 0), ("moving_variance", 1)];
                names.map(|(name, x)| parameter(name, channels, Initial::Constant(x))).into()
            }
            _ => Vec::new(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv { .. } => "conv",
            Self::BatchNorm => "batch_norm",
            _ => "layer",
        }
    }

    /// Records the layer for a batch.
    #[track_caller]
    pub(super) fn forward<'r>(&self, x: Value<'r>, p: &[Value<'r>], mode: Mode) -> Output<'r> {
        let batch = x.ty().and_then(|ty| ty.shape.axes().first().copied()).unwrap_or(1);
        let value = match *self {
            Self::Flatten => {
                let n = x.ty().map_or(0, |ty| ty.shape.elements());
                op::reshape(x, &[batch, n / batch.max(1)])
            }
            Self::Reshape(ref axes) => op::reshape(x, &[&[batch][..], axes].concat()),
            Self::Dense(_) => op::add_bias(op::matmul(x, p[0]), p[1]),
            Self::Conv { stride, padding, .. } => {
                op::add_bias(op::conv2d(x, p[0], stride, padding), p[1])
            }
            Self::MaxPool(window) => op::max_pool(x, window),
            Self::AveragePool(window) => op::average_pool(x, window),
            Self::BatchNorm => return batch_norm(x, p, mode),
            Self::Relu => op::relu(x),
            Self::Sigmoid => op::sigmoid(x),
            Self::Tanh => op::tanh(x),
            Self::Softmax => op::softmax(x),
        };
        Output { value, averages: Vec::new() }
    }
}

fn image(at: usize, axes: &[usize]) -> [usize; 3] {
    <[usize; 3]>::try_from(axes)
        .unwrap_or_else(|_| panic!("layer {at}: takes images of rows, columns and channels"))
}

#[track_caller]
fn batch_norm<'r>(x: Value<'r>, p: &[Value<'r>], mode: Mode) -> Output<'r> {
    let &[scale, mean, moving_mean, moving_variance] = p else {
        panic!("`Layer::parameters` has four for batch normalisation")
    };
    let rank = x.ty().map_or(1, |ty| ty.shape.rank());
    let channels: Vec<usize> = (0..rank.saturating_sub(1)).collect();
    let (center, variance, averages) = match mode {
        Mode::Inference => (moving_mean, moving_variance, Vec::new()),
        Mode::Training => {
            let center = op::reduce_mean(x, &channels, false);
            let variance = op::reduce_mean(op::square(op::sub(x, center)), &channels, false);
            let moved = |old: Value<'r>, new| op::add(old, op::scale(op::sub(new, old), MOMENTUM));
            let averages =
                vec![(2, moved(moving_mean, center)), (3, moved(moving_variance, variance))];
            (center, variance, averages)
        }
    };
    let factor = op::mul(scale, op::rsqrt(op::add_constant(variance, EPSILON)));
    let value = op::add(op::mul(op::sub(x, center), factor), mean);
    Output { value, averages }
}
