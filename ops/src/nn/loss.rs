//! Losses.

use sordino_graph::Value;

use crate::op;

/// How far outputs are from targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Loss {
    /// −ln softmax(logits) at the class; targets are one-hot, of the logits' shape.
    CategoricalCrossEntropy,
    /// −ln of the probability that sigmoid(logit) gives the target; targets are 0 or 1, of the
    /// logits' shape.
    BinaryCrossEntropy,
    /// Half of the squared distance; targets are of the outputs' shape.
    SquaredError,
}

impl Loss {
    /// The loss of a model with that many outputs an example.
    #[must_use]
    pub fn for_outputs(outputs: usize) -> Self {
        if outputs == 1 { Self::BinaryCrossEntropy } else { Self::CategoricalCrossEntropy }
    }

    /// The sum over the examples of a batch: a scalar.
    ///
    /// A sum and not a mean, as the gradients of a mean have fewer digits left in fixed point.
    #[track_caller]
    pub fn sum<'r>(self, outputs: Value<'r>, targets: Value<'r>) -> Value<'r> {
        match self {
            Self::CategoricalCrossEntropy => op::categorical_cross_entropy(outputs, targets),
            Self::BinaryCrossEntropy => op::binary_cross_entropy(outputs, targets),
            Self::SquaredError => {
                let rank = outputs.ty().map_or(0, |ty| ty.shape.rank());
                let axes: Vec<usize> = (0..rank).collect();
                let squares = op::square(op::sub(outputs, targets));
                op::scale(op::reduce_sum(squares, &axes, false), 0.5)
            }
        }
    }
}
