//! `network_differences(x)`: what a layer of a sorting network compares.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError, Value, type_error};

use crate::items::for_numbers;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::order::{self, Layer, Sequences};
use crate::value::Tensor;

/// `x[.., i + distance, ..] − x[.., i, ..]` for the items i of `[columns, items, lanes]` that the
/// layer compares: `[columns, pairs, lanes]`. Of secrets without a message.
#[track_caller]
pub(crate) fn network_differences(x: Value<'_>, layer: Layer) -> Value<'_> {
    let op = x.recording().op(&OP.spec).attr("distance", layer.distance);
    op.attr("period", layer.period).attr("phase", layer.phase).input(x).build()
}

/// See `network_differences()`.
pub static OP: Op = Op::new("network_differences", Role::Compute, infer, kernel).attributes(LAYER);

/// The attributes of a [`Layer`].
pub(super) const LAYER: &[(&str, AttributeKind)] = &[
    ("distance", AttributeKind::Int),
    ("period", AttributeKind::Int),
    ("phase", AttributeKind::Int),
];

/// The layer that a node's attributes describe.
pub(super) fn layer(s: &Signature<'_>) -> Result<Layer, TypeError> {
    let (distance, period, phase) = (s.size("distance")?, s.size("period")?, s.size("phase")?);
    if distance == 0 || !period.is_power_of_two() || phase != 0 && phase != period {
        return type_error!("has no layer of distance {distance}, period {period}, phase {phase}");
    }
    Ok(Layer { distance, period, phase })
}

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let [columns, items, lanes] = x.expect_number()?.expect_rank()?;
    let shape = rules::shape(&[columns, layer(s)?.pairs(items), lanes])?;
    Ok(vec![x.with_shape(shape)])
}

impl Context<'_> {
    /// The layer that the node's attributes describe.
    pub(super) fn layer(&self) -> Result<Layer, KernelError> {
        let (distance, period) = (self.size("distance")?, self.size("period")?);
        Ok(Layer { distance, period, phase: self.size("phase")? })
    }

    /// The sizes of sequences.
    pub(super) fn sequences(&self, x: &Tensor) -> Result<Sequences, KernelError> {
        Sequences::of(x.axes()).map_or_else(|| self.bug("got no sequences"), Ok)
    }
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let (sizes, layer) = (cx.sequences(&x)?, cx.layer()?);
    for_numbers!(cx, &x, T => {
        let x = cx.items::<T>(&x)?;
        Ok(cx.output::<T>(|out| order::layer_differences(sizes, layer, x, out)))
    })
}
