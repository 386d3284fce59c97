//! Parameters of a model, and where they are kept.

use sordino_graph::{Element, PlayerName, Recording, Shape, Type, Value};

use crate::op;

/// A tensor that a model consists of: a variable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// Name of the variable.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it is before training.
    pub initial: Initial,
    /// Whether gradients change it; moving averages are kept without.
    pub trained: bool,
}

/// What a parameter is before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Initial {
    /// Every element is this number.
    Constant(i32),
    /// See [`glorot_uniform`](op::glorot_uniform()).
    Glorot,
}

impl Parameter {
    /// Its type in plaintext: f32.
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

    /// Records its first value on `player`, from `seed`.
    #[track_caller]
    pub(super) fn initial<'r>(
        &self,
        g: &Recording<'r>,
        player: &PlayerName,
        seed: u32,
    ) -> Value<'r> {
        match self.initial {
            Initial::Glorot => op::glorot_uniform(g, player, &self.shape, seed),
            Initial::Constant(0) => op::zeros(g, player, &self.shape),
            Initial::Constant(x) => op::constant(g, player, &[f64::from(x)], &self.shape),
        }
    }
}

/// Where variables are kept, and so where a model computes: the one difference between training in
/// plaintext and in secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Home {
    /// On one player, in plaintext.
    Player(PlayerName),
    /// On the servers, secret. The players are those from whose data the values derive, all of
    /// them: what a policy counts when a value is revealed.
    Secure(Vec<PlayerName>),
}

impl Home {
    /// Records a read of a variable.
    #[track_caller]
    pub fn read<'r>(&self, g: &Recording<'r>, name: &str, plain: &Type) -> Value<'r> {
        match self {
            Self::Player(player) => op::read_variable(g, player, name, plain),
            Self::Secure(owners) => {
                let fixed = g.setup().secure.as_ref().map(|secure| secure.fixed);
                let fixed = fixed.unwrap_or(sordino_graph::Fixed::LOW);
                let ty = Type::secret(fixed, plain.shape.clone());
                op::read_secret(g, name, &ty, owners)
            }
        }
    }

    /// Records an assignment.
    #[track_caller]
    pub fn assign(&self, name: &str, value: Value<'_>) {
        match self {
            Self::Player(_) => op::assign(name, value),
            Self::Secure(owners) => op::assign_secret(name, value, owners),
        }
    }

    /// Records what brings plaintext of `from` here: a share, or nothing.
    #[track_caller]
    pub fn bring<'r>(&self, value: Value<'r>) -> Value<'r> {
        match self {
            Self::Player(_) => value,
            Self::Secure(_) => op::share(value),
        }
    }
}
