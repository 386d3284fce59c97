//! Models: layers in a row, their parameters, forward pass, loss and training, the same for
//! plaintext on a player and for secrets on the servers.
//!
//! Read [`Sequential`] first, then [`Trainer`]: where its [`Home`] is, there a model computes.

mod layer;
mod loss;
mod optimizer;
mod parameter;
mod training;

use sordino_graph::{PlayerName, Recording, Value};

use crate::op;
pub use layer::{Layer, Mode, Padding};
pub use loss::Loss;
pub use optimizer::Optimizer;
pub use parameter::{Home, Initial, Parameter};
pub use training::Trainer;

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

    /// Each layer with its parameters.
    fn layers(&self) -> Vec<(&Layer, Vec<Parameter>)> {
        let mut shape = self.input.clone();
        let with_parameters = |(at, layer): (usize, _)| {
            let layer: &Layer = layer;
            let parameters = layer.parameters(at, &shape);
            shape = layer.shape(at, &shape);
            (layer, parameters)
        };
        self.layers.iter().enumerate().map(with_parameters).collect()
    }

    /// The parameters in the order in which [`logits`](Self::logits) takes them.
    ///
    /// # Panics
    /// When a layer does not fit the output of the one before it.
    #[must_use]
    pub fn parameters(&self) -> Vec<Parameter> {
        self.layers().into_iter().flat_map(|(_, parameters)| parameters).collect()
    }

    /// Axes of the output for one example.
    ///
    /// # Panics
    /// When a layer does not fit the output of the one before it.
    #[must_use]
    pub fn output(&self) -> Vec<usize> {
        let layers = self.layers.iter().enumerate();
        layers.fold(self.input.clone(), |shape, (at, layer)| layer.shape(at, &shape))
    }

    /// Records the initialisation of all parameters as variables of `owner`: weights by
    /// [`glorot_uniform`](op::glorot_uniform()) with `seed` and the parameter's number, biases 0.
    #[track_caller]
    pub fn initialize(&self, g: &Recording<'_>, owner: &PlayerName, seed: u32) {
        for (i, parameter) in (0u32..).zip(self.parameters()) {
            let seed = seed.wrapping_mul(1000).wrapping_add(i);
            op::assign(&parameter.name, parameter.initial(g, owner, seed));
        }
    }

    /// Records the forward pass of a batch: `[n, input…]` to logits `[n, outputs]`, where the
    /// parameters are.
    ///
    /// # Panics
    /// When there are fewer `parameters` than the layers take.
    #[track_caller]
    pub fn logits<'r>(&self, examples: Value<'r>, parameters: &[Value<'r>]) -> Value<'r> {
        self.forward(examples, parameters, Mode::Inference).0
    }

    /// The forward pass, and new values of parameters that are averaged and not trained.
    #[track_caller]
    fn forward<'r>(
        &self,
        examples: Value<'r>,
        parameters: &[Value<'r>],
        mode: Mode,
    ) -> (Value<'r>, Vec<(String, Value<'r>)>) {
        let (mut x, mut rest, mut averages) = (examples, parameters, Vec::new());
        for (layer, own) in self.layers() {
            let (values, others) = rest.split_at(own.len());
            rest = others;
            let output = layer.forward(x, values, mode);
            x = output.value;
            averages.extend(output.averages.into_iter().map(|(i, v)| (own[i].name.clone(), v)));
        }
        (x, averages)
    }

    /// Records the mean loss of a batch with class numbers as labels, in plaintext: sigmoid
    /// cross-entropy for one logit an example, softmax cross-entropy for several.
    #[track_caller]
    pub fn loss<'r>(&self, logits: Value<'r>, labels: Value<'r>) -> Value<'r> {
        match logits.ty().map(|ty| ty.shape.axes().to_vec()).as_deref() {
            Some([_, 1]) => op::sigmoid_cross_entropy(logits, labels),
            _ => op::softmax_cross_entropy(logits, labels),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients_of, floats, input, inputs, labels, me, shape};
    use crate::value::Tensor;

    const CLASSES: [i32; 3] = [1, 0, 1];

    /// Compares the gradients of the loss by every parameter with differences.
    fn check_model(layers: &[Layer], tolerance: f64) {
        let model = Sequential::new(&[8, 8, 2], layers);
        let shapes: Vec<_> = model.parameters().into_iter().map(|p| p.shape).collect();
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        // Weights as small as trained ones are, so that no unit is far from its corner.
        let shrunk = |x: Tensor| {
            let n = x.as_f32().unwrap().len() as f32;
            let scaled: Vec<f32> = x.as_f32().unwrap().iter().map(|x| x * 8.0 / n).collect();
            floats(x.axes(), &scaled)
        };
        let parameters: Vec<_> = inputs(&shapes).into_iter().map(shrunk).collect();
        let axes = [CLASSES.len(), 8, 8, 2];
        let images = inputs(&[&axes]).remove(0);
        let images: Vec<f32> = images.as_f32().unwrap().iter().map(|x| x / 12.0).collect();
        let classes = Tensor::i32(&shape(&[CLASSES.len()]), CLASSES.to_vec());
        let others = [("images", floats(&axes, &images)), ("labels", classes)];
        check_gradients_of(&parameters, &others, 1.0 / 512.0, tolerance, &|g, weights| {
            let logits = model.logits(input(g, "images", &axes), weights);
            model.loss(logits, labels(g, CLASSES.len()))
        });
    }

    fn conv(filters: usize, stride: usize, padding: Padding) -> Layer {
        Layer::Conv { filters, size: 3, stride, padding }
    }

    #[test]
    fn gradients_of_dense_models_are_right() {
        use Layer::{Dense, Flatten, Relu};
        check_model(&[Flatten, Dense(1)], 1e-3);
        check_model(&[Flatten, Dense(6), Relu, Dense(5), Relu, Dense(3)], 1e-3);
    }

    #[test]
    fn gradients_of_convolutional_models_are_right() {
        use Layer::{Dense, Flatten, MaxPool, Relu};
        let head = [Flatten, Dense(4), Relu, Dense(3)];
        let valid = [conv(3, 1, Padding::Valid), MaxPool(2), Relu, conv(2, 1, Padding::Valid)];
        check_model(&[&valid[..], &[Relu], &head].concat(), 1e-3);
        let same = [conv(3, 2, Padding::Same), Relu, conv(2, 2, Padding::Same), MaxPool(2)];
        check_model(&[&same[..], &head].concat(), 1e-3);
    }

    #[test]
    fn parameters_have_the_shapes_that_layers_take() {
        let layers = [
            conv(5, 2, Padding::Same),
            Layer::MaxPool(2),
            Layer::Relu,
            Layer::Flatten,
            Layer::Dense(7),
        ];
        let parameters = Sequential::new(&[9, 8, 1], &layers).parameters();
        let named = |name: &str, shape: &[usize]| Parameter {
            name: name.into(),
            shape: shape.into(),
            initial: if shape.len() > 1 { Initial::Glorot } else { Initial::Constant(0) },
            trained: true,
        };
        let expected = [
            named("conv_0/filters", &[3, 3, 1, 5]),
            named("conv_0/bias", &[5]),
            named("dense_4/weights", &[20, 7]),
            named("dense_4/bias", &[7]),
        ];
        assert_eq!(parameters, expected);
    }

    #[test]
    fn initial_weights_are_a_function_of_the_seed() {
        let model = Sequential::new(&[4], &[Layer::Dense(3), Layer::Relu, Layer::Dense(2)]);
        let initial = |seed| {
            crate::testing::evaluate(&[], |g| {
                model.initialize(g, &me(), seed);
                for parameter in model.parameters() {
                    let value = op::read_variable(g, &me(), &parameter.name, &parameter.ty());
                    op::publish("w", value);
                }
            })
        };
        let [first, again, other] = [initial(1), initial(1), initial(2)];
        assert_eq!(first, again);
        assert_ne!(first[0], other[0]);
        assert_ne!(first[0][..6], first[2][..], "two layers have one seed");
        assert_eq!((&first[1], &first[3]), (&vec![0.0; 3], &vec![0.0; 2]));
        let limit = (6.0 / 7.0f64).sqrt();
        assert!(first[0].iter().all(|x| x.abs() <= limit));
        assert!(first[0].iter().any(|x| x.abs() > limit / 2.0));
    }
}
