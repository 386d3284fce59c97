//! Training, testing and predicting, wherever the model is kept.

use sordino_graph::{PlayerName, Recording, Value};

use super::layer::Mode;
use super::{Home, Loss, Optimizer, Sequential};
use crate::op;

/// A model with a home, a loss and an optimizer. Each method records what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Trainer {
    /// The layers.
    pub model: Sequential,
    /// Where the parameters are kept.
    pub home: Home,
    /// What training makes small.
    pub loss: Loss,
    /// How.
    pub optimizer: Optimizer,
}

impl Trainer {
    /// First values of all parameters, drawn by `player` from `seed`, and of what the optimizer
    /// keeps.
    #[track_caller]
    pub fn initialize(&self, g: &Recording<'_>, player: &PlayerName, seed: u32) {
        for (i, parameter) in (0u32..).zip(self.model.parameters()) {
            let seed = seed.wrapping_mul(1000).wrapping_add(i);
            let value = parameter.initial(g, player, seed);
            self.home.assign(&parameter.name, self.home.bring(value));
            let slots = self.optimizer.slots().iter().filter(|_| parameter.trained);
            for slot in slots {
                let zeros = self.home.bring(op::zeros(g, player, &parameter.shape));
                self.home.assign(&format!("{}/{slot}", parameter.name), zeros);
            }
        }
    }

    /// Takes the parameters from the variables of the same names that `player` has in plaintext.
    #[track_caller]
    pub fn import(&self, g: &Recording<'_>, player: &PlayerName) {
        for parameter in self.model.parameters() {
            let value = op::read_variable(g, player, &parameter.name, &parameter.ty());
            self.home.assign(&parameter.name, self.home.bring(value));
        }
    }

    /// Reveals the parameters to `player`, as variables of the same names.
    #[track_caller]
    pub fn export(&self, g: &Recording<'_>, player: &PlayerName) {
        for (parameter, value) in self.model.parameters().iter().zip(self.parameters(g)) {
            op::assign(
                &parameter.name,
                op::cast(op::reveal(value, player), parameter.ty().element),
            );
        }
    }

    #[track_caller]
    fn parameters<'r>(&self, g: &Recording<'r>) -> Vec<Value<'r>> {
        let parameters = self.model.parameters();
        g.here(|| parameters.iter().map(|p| self.home.read(g, &p.name, &p.ty())).collect())
    }

    /// One step of training with a batch, which is where the parameters are; returns the sum of
    /// the losses before the step.
    #[track_caller]
    pub fn fit<'r>(&self, g: &Recording<'r>, x: Value<'r>, targets: Value<'r>) -> Value<'r> {
        g.here(|| self.step(g, x, targets))
    }

    fn step<'r>(&self, g: &Recording<'r>, x: Value<'r>, targets: Value<'r>) -> Value<'r> {
        let values = self.parameters(g);
        let (outputs, averages) = self.model.forward(x, &values, Mode::Training);
        let loss = self.loss.sum(outputs, targets);
        let parameters = self.model.parameters();
        let (trained, variables): (Vec<_>, Vec<_>) =
            parameters.iter().zip(&values).filter(|(p, _)| p.trained).unzip();
        let n = x.ty().and_then(|ty| ty.shape.axes().first().copied()).unwrap_or(1);
        let gradients = op::gradients(loss, &variables);
        for ((parameter, w), gradient) in trained.iter().zip(variables).zip(gradients) {
            self.optimizer.step(g, &self.home, parameter, w, gradient, n);
        }
        for (name, value) in averages {
            self.home.assign(&name, value);
        }
        loss
    }

    /// The outputs for a batch, which is where the parameters are.
    #[track_caller]
    pub fn predict<'r>(&self, g: &Recording<'r>, x: Value<'r>) -> Value<'r> {
        self.model.forward(x, &self.parameters(g), Mode::Inference).0
    }

    /// The sum of the losses of a batch, which is where the parameters are.
    #[track_caller]
    pub fn evaluate<'r>(&self, g: &Recording<'r>, x: Value<'r>, targets: Value<'r>) -> Value<'r> {
        self.loss.sum(self.predict(g, x), targets)
    }
}

#[cfg(test)]
mod tests;
