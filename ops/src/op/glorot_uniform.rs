//! `glorot_uniform(shape, seed)`: initial weights of a layer.

use sordino_graph::{
    AttributeKind, PlayerName, Recording, Role, Signature, Type, TypeError, Value, type_error,
};

use crate::data::random::SplitMix64;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// f32 numbers uniform in ±√(6 / (fan_in + fan_out)), a function of `seed` alone.
///
/// The last two axes are inputs and outputs, all before them the receptive field of a filter:
/// `[in,out]` or `[h,w,in,out]`. Source: Glorot and Bengio, *Understanding the difficulty of
/// training deep feedforward neural networks* (AISTATS 2010), equation 16. The generator is no
/// secret: initial weights are as public as the seed.
#[track_caller]
pub fn glorot_uniform<'r>(
    g: &Recording<'r>,
    player: &PlayerName,
    shape: &[usize],
    seed: u32,
) -> Value<'r> {
    g.op(&OP.spec).attr("shape", shape).attr("seed", seed).at(player).build()
}

/// See [`glorot_uniform()`].
pub static OP: Op = Op::new("glorot_uniform", Role::Compute, infer, kernel)
    .attributes(&[("seed", AttributeKind::Int), ("shape", AttributeKind::Ints)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let shape = s.shape("shape")?;
    if shape.rank() < 2 {
        return type_error!("takes at least two axes, inputs and outputs, not {shape}");
    }
    s.size("seed")?;
    rules::floats(s)
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let shape = &cx.node.outputs[0].shape;
    let [field @ .., inputs, outputs] = shape.axes() else { return cx.bug("lacks axes") };
    let field: usize = field.iter().product();
    let limit = (6.0 / (field * (inputs + outputs)).max(1) as f64).sqrt();
    let mut random = SplitMix64::new(cx.size("seed")? as u64);
    let weights = (0..shape.elements()).map(|_| (limit * (2.0 * random.unit() - 1.0)) as f32);
    Ok(vec![Tensor::f32(shape, weights.collect())])
}
