//! What runs when a node runs.

use std::path::Path;

use sordino_graph::{
    AttributeKind, Expanding, GradientRule, Node, OpSpec, PlayerName, Role, Shape, Signature,
    TypeError, TypeRule, Value,
};

use crate::data::store::BatchRequest;
use crate::data::{DataError, TensorFileError};
use crate::tensor::fixed::OutOfRangeKind;
use crate::tensor::pad::Pad;
use crate::value::{Elements, Tensor, TensorRing};

/// An op whole: its static spec and its kernel.
pub struct Op {
    /// Name, attributes, types, role, gradient.
    pub spec: OpSpec,
    /// Computes a node's outputs.
    pub kernel: Kernel,
    /// For sums whose result does not depend on the order of the terms: adds a term that has
    /// arrived to the sum so far, so that memory is that of one value and not of all.
    pub accumulate: Option<Accumulate>,
    /// For ops of secrets that a protocol may have no rule for: what computes the same with ops
    /// that it has rules for.
    pub expand: Option<Expand>,
}

impl Op {
    /// An op of this name, role, type rule and kernel. What it may have besides, the methods below
    /// add.
    pub(crate) const fn new(
        name: &'static str,
        role: Role,
        infer: TypeRule,
        kernel: Kernel,
    ) -> Self {
        let spec = OpSpec { name, role, attributes: &[], infer, gradient: None };
        Self { spec, kernel, accumulate: None, expand: None }
    }

    /// With attributes of these names and kinds.
    pub(crate) const fn attributes(
        mut self,
        attributes: &'static [(&'static str, AttributeKind)],
    ) -> Self {
        self.spec.attributes = attributes;
        self
    }

    /// With the gradients of its inputs.
    pub(crate) const fn gradient(mut self, rule: GradientRule) -> Self {
        self.spec.gradient = Some(rule);
        self
    }

    /// As a sum that takes its terms one by one.
    pub(crate) const fn accumulate(mut self, add: Accumulate) -> Self {
        self.accumulate = Some(add);
        self
    }

    /// With the ops that it stands for where a protocol has no rule for it.
    pub(crate) const fn expand(mut self, expand: Expand) -> Self {
        self.expand = Some(expand);
        self
    }
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.spec.fmt(f)
    }
}

/// Computes the outputs of a node from its inputs. Inputs are handed over: what no other node
/// still reads may be reused in place.
pub type Kernel = fn(&Context<'_>, Vec<Tensor>) -> Result<Vec<Tensor>, KernelError>;

/// Records what a node of secrets stands for, in simpler ops; returns its outputs.
pub type Expand = for<'r> fn(&Expanding<'_, 'r>) -> Vec<Value<'r>>;

/// Adds the second tensor to the first.
pub type Accumulate = fn(&mut Tensor, Tensor) -> Result<(), KernelError>;

/// What a kernel sees beside its inputs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The node: attributes and types.
    pub node: &'a Node,
    /// The step of the plan, from 0.
    pub step: u64,
    /// The player's own things.
    pub host: &'a dyn Host,
}

/// What a player has of its own: variables, files, pads, a line to the driver.
pub trait Host: Send + Sync {
    /// The pad of number `pad` and `lane` in this step, from the secret of `holders`.
    ///
    /// # Errors
    /// [`KernelError::NoSecret`] when the session has no secret of these players.
    fn pad(
        &self,
        holders: &[PlayerName],
        pad: u32,
        lane: u32,
        step: u64,
    ) -> Result<Pad, KernelError>;

    /// The value of a variable.
    ///
    /// # Errors
    /// [`KernelError::NoVariable`] when it was never assigned.
    fn read_variable(&self, name: &str) -> Result<Tensor, KernelError>;

    /// Sets a variable.
    fn assign_variable(&self, name: &str, value: Tensor);

    /// Changes a variable in place: nobody can read it meanwhile.
    ///
    /// # Errors
    /// [`KernelError::NoVariable`] when it was never assigned, and what `change` returns.
    fn update_variable(
        &self,
        name: &str,
        change: &mut dyn FnMut(&mut Tensor) -> Result<(), KernelError>,
    ) -> Result<(), KernelError>;

    /// Images and labels of a batch of the player's own data.
    ///
    /// # Errors
    /// [`KernelError::Data`] when the files are missing or not what they should be.
    fn batch(&self, request: &BatchRequest, step: u64) -> Result<(Tensor, Tensor), KernelError>;

    /// The folder of the player's own data.
    fn folder(&self) -> &Path;

    /// Hands a value to the driver under a name.
    fn publish(&self, name: &str, step: u64, value: Tensor);
}

/// Why a kernel could not compute. Never holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A number cannot be encoded.
    #[error(
        "element {index} of the value to share {kind}; the ring holds numbers below {limit:e} in \
         magnitude. Check the data and the learning rate, or clip"
    )]
    OutOfRange {
        /// Position of the first such element.
        index: usize,
        /// What is wrong with it.
        kind: OutOfRangeKind,
        /// Numbers must be smaller than this.
        limit: f64,
    },
    /// A label is not a class.
    #[error("label {index} of the batch is not one of the {classes} classes")]
    Label {
        /// Position in the batch.
        index: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A variable was read before it was assigned.
    #[error("variable {name} has no value yet: run the function that assigns it first")]
    NoVariable {
        /// Its name.
        name: String,
    },
    /// A variable is read as another type than it was assigned.
    #[error(
        "variable {name} is read as {expected}, but holds another type, of axes {axes:?}: read it as it was assigned"
    )]
    VariableType {
        /// Its name.
        name: String,
        /// The type that is read.
        expected: String,
        /// Axes of its value.
        axes: Vec<usize>,
    },
    /// The session has no secret of a group of players.
    #[error("no session secret of {holders:?}: the players did not set one up")]
    NoSecret {
        /// The group.
        holders: Vec<PlayerName>,
    },
    /// The player's own data.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A tensor in a file of the player's own.
    #[error(transparent)]
    TensorFile(#[from] TensorFileError),
    /// A kernel was given values that its types rule out: a bug of ours.
    #[error("bug: {0}. Please report it with the graph's text")]
    Bug(String),
}

/// The kernel that a function generic over the ring is in the ring of a node's first output.
macro_rules! in_ring {
    ($run:ident) => {
        |cx, inputs| match cx.node.outputs[0].fixed().map(|fixed| fixed.width()) {
            Some(sordino_graph::Width::W64) => $run::<u64>(cx, inputs),
            Some(sordino_graph::Width::W128) => $run::<u128>(cx, inputs),
            None => cx.bug("computes on shares"),
        }
    };
}
pub(crate) use in_ring;

/// The kernel of an op for which every protocol has a rule.
pub(crate) fn lowered(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    cx.bug("is lowered before it runs")
}

impl From<TypeError> for KernelError {
    fn from(error: TypeError) -> Self {
        Self::Bug(error.to_string())
    }
}

impl Context<'_> {
    /// A bug: the verifier lets no graph through that gets here.
    pub(crate) fn bug<T>(&self, what: &str) -> Result<T, KernelError> {
        Err(KernelError::Bug(format!("{} {what}", self.node.op.name)))
    }

    /// The inputs, which are exactly `N`.
    pub(crate) fn inputs<const N: usize>(
        &self,
        inputs: Vec<Tensor>,
    ) -> Result<[Tensor; N], KernelError> {
        inputs.try_into().or_else(|_| self.bug("got the wrong number of inputs"))
    }

    /// The elements of shares in one ring.
    pub(crate) fn shares<R: TensorRing>(
        &self,
        inputs: impl IntoIterator<Item = Tensor>,
    ) -> Result<Vec<Elements<R>>, KernelError> {
        let shares = inputs.into_iter().map(R::elements).collect::<Option<_>>();
        shares.map_or_else(|| self.bug("got no shares of its ring"), Ok)
    }

    /// The pad of the attribute `pad` with this lane, of the holders that the attribute `group`
    /// lists: as many elements as `shape` has.
    pub(crate) fn draw<R: TensorRing>(
        &self,
        group: &str,
        lane: u32,
        shape: &Shape,
    ) -> Result<Elements<R>, KernelError> {
        let mut elements = Elements::zeros(shape);
        self.pad(group, lane)?.fill(elements.make_mut());
        Ok(elements)
    }

    /// The pad of the attribute `pad` with this lane, of the holders that the attribute `group`
    /// lists.
    pub(crate) fn pad(&self, group: &str, lane: u32) -> Result<Pad, KernelError> {
        let holders = self.node.attributes.players(group).unwrap_or_default();
        self.host.pad(holders, self.number("pad")?, lane, self.step)
    }

    /// The attributes, as a type rule sees them.
    pub(crate) fn signature(&self) -> Signature<'_> {
        Signature { inputs: &[], attributes: &self.node.attributes }
    }

    /// The attribute that is a flag.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.node.attributes.flag(name).unwrap_or(false)
    }

    /// The attribute that is a name.
    pub(crate) fn name(&self, attribute: &str) -> Result<&str, KernelError> {
        let name = self.node.attributes.text(attribute);
        name.map_or_else(|| self.bug("lacks a name"), Ok)
    }

    /// An integer attribute as a small number.
    pub(crate) fn number(&self, name: &str) -> Result<u32, KernelError> {
        Ok(u32::try_from(self.size(name)?).unwrap_or(u32::MAX))
    }

    /// An integer attribute as a size.
    pub(crate) fn size(&self, name: &str) -> Result<usize, KernelError> {
        let value = self.node.attributes.int(name).and_then(|x| usize::try_from(x).ok());
        value.map_or_else(|| self.bug("lacks an attribute"), Ok)
    }
}
