//! `network_exchange(x, moved)`: a layer of a sorting network.

use sordino_graph::{Role, Signature, Type, TypeError, Value, type_error};

use super::network_differences::{LAYER, layer};
use crate::items::{Item, for_numbers};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::order::{self, Difference, Layer};
use crate::value::Tensor;

/// `x`, `[columns, items, lanes]`, with `moved`, `[columns, pairs, lanes]`, added to the lower items
/// of the pairs that a layer compares, and taken from the upper ones. Of secrets without a message.
#[track_caller]
pub(crate) fn network_exchange<'r>(x: Value<'r>, moved: Value<'r>, layer: Layer) -> Value<'r> {
    let op = x.recording().op(&OP.spec).attr("distance", layer.distance);
    op.attr("period", layer.period).attr("phase", layer.phase).input(x).input(moved).build()
}

/// See `network_exchange()`.
pub static OP: Op = Op::new("network_exchange", Role::Compute, infer, kernel).attributes(LAYER);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x, moved] = s.inputs()?;
    let [columns, items, lanes] = x.expect_number()?.expect_rank()?;
    let shape = rules::shape(&[columns, layer(s)?.pairs(items), lanes])?;
    if *moved != x.with_shape(shape) {
        return type_error!("takes what the layer moves, not {moved} for {x}");
    }
    Ok(vec![x.clone()])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x, moved] = cx.inputs(inputs)?;
    for_numbers!(cx, &x, T => run::<T>(cx, x, &moved))
}

fn run<T: Item + Difference>(
    cx: &Context<'_>,
    mut x: Tensor,
    moved: &Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let (sizes, layer) = (cx.sequences(&x)?, cx.layer()?);
    order::exchange(sizes, layer, cx.items(moved)?, cx.items_mut::<T>(&mut x)?);
    Ok(vec![x])
}
