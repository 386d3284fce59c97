//! Models: layers in a row, their parameters, forward pass and loss.

use sordino_graph::{Element, PlayerName, Recording, Shape, Type, Value};

use crate::op;
pub use crate::tensor::conv::Padding;

/// One layer of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// All axes but the first become one.
    Flatten,
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
    /// The positive part.
    Relu,
}

/// A tensor that training changes: a variable of the player that owns the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Name of the variable.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Parameter {
    /// Its type: plaintext f32.
    ///
    /// # Panics
    /// When the shape has more than 2^31 elements.
    #[must_use]
    pub fn ty(&self) -> Type {
        match Shape::new(&self.shape) {
            Ok(shape) => Type::plain(Element::F32, shape),
            Err(error) => panic!("parameter {}: {error}", self.name),
        }
    }
}

/// Layers in a row, from the shape of one example to logits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sequential {
    /// Axes of an example.
    pub input: Vec<usize>,
    /// The layers, first to last.
    pub layers: Vec<Layer>,
}

impl Sequential {
    /// A model of these layers for examples of the shape `input`.
    #[must_use]
    pub fn new(input: &[usize], layers: &[Layer]) -> Self {
        Self { input: input.to_vec(), layers: layers.to_vec() }
    }

    /// The parameters in the order in which [`logits`](Self::logits) takes them: weights and bias
    /// of each layer that has them.
    ///
    /// # Panics
    /// When a layer does not fit the output of the one before it.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        let mut push = |name: String, shape: Vec<usize>| parameters.push(Parameter { name, shape });
        let mut shape = self.input.clone();
        for (i, layer) in self.layers.iter().enumerate() {
            match *layer {
                Layer::Flatten => shape = vec![shape.iter().product()],
                Layer::Relu => {}
                Layer::Dense(outputs) => {
                    let &[inputs] = &shape[..] else { panic!("layer {i}: flatten before dense") };
                    push(format!("dense_{i}/weights"), vec![inputs, outputs]);
                    push(format!("dense_{i}/bias"), vec![outputs]);
                    shape = vec![outputs];
                }
                Layer::Conv { filters, size, stride, padding } => {
                    let &[h, w, c] = &shape[..] else { panic!("layer {i}: takes images") };
                    push(format!("conv_{i}/filters"), vec![size, size, c, filters]);
                    push(format!("conv_{i}/bias"), vec![filters]);
                    let out = |extent: usize| match padding {
                        Padding::Same => extent.div_ceil(stride),
                        Padding::Valid => (extent + 1 - size).div_ceil(stride),
                    };
                    shape = vec![out(h), out(w), filters];
                }
                Layer::MaxPool(window) => {
                    let &[h, w, c] = &shape[..] else { panic!("layer {i}: takes images") };
                    shape = vec![h / window, w / window, c];
                }
            }
        }
        parameters
    }

    /// Records the initialisation of all parameters as variables of `owner`: weights by
    /// [`glorot_uniform`](op::glorot_uniform()) with `seed` and the parameter's number, biases 0.
    #[track_caller]
    pub fn initialize(&self, g: &Recording<'_>, owner: &PlayerName, seed: u32) {
        for (i, parameter) in (0u32..).zip(self.parameters()) {
            let value = if parameter.shape.len() == 1 {
                op::zeros(g, owner, &parameter.shape)
            } else {
                let seed = seed.wrapping_mul(1000).wrapping_add(i);
                op::glorot_uniform(g, owner, &parameter.shape, seed)
            };
            op::assign(&parameter.name, value);
        }
    }

    /// Records the forward pass of a batch: f32`[n, input…]` to logits f32`[n, outputs]`.
    ///
    /// # Panics
    /// When there are fewer `parameters` than the layers take.
    #[track_caller]
    pub fn logits<'r>(&self, examples: Value<'r>, parameters: &[Value<'r>]) -> Value<'r> {
        let mut parameters = parameters.iter().copied();
        let mut next = || parameters.next().expect("a parameter for each weight and bias");
        let mut x = examples;
        for layer in &self.layers {
            x = match *layer {
                Layer::Flatten => {
                    let axes = x.ty().map(|ty| ty.shape.axes().to_vec()).unwrap_or_default();
                    let batch = axes.first().copied().unwrap_or(1);
                    op::reshape(x, &[batch, axes.iter().skip(1).product()])
                }
                Layer::Relu => op::relu(x),
                Layer::Dense(_) => {
                    let weights = next();
                    op::add_bias(op::matmul(x, weights), next())
                }
                Layer::Conv { stride, padding, .. } => {
                    let filters = next();
                    op::add_bias(op::conv2d(x, filters, stride, padding), next())
                }
                Layer::MaxPool(window) => op::max_pool(x, window),
            };
        }
        x
    }

    /// Records the mean loss of a batch: sigmoid cross-entropy for one logit an example, softmax
    /// cross-entropy for several.
    #[track_caller]
    pub fn loss<'r>(&self, logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
        match logits.ty().map(|ty| ty.shape.axes().to_vec()).as_deref() {
            Some([_, 1]) => op::sigmoid_cross_entropy(logits, labels),
            _ => op::softmax_cross_entropy(logits, labels),
        }
    }
}
