//! `random_normal(shape, seed)`: normally distributed test data.

use sordino_graph::{
    AttributeKind, PlayerName, Recording, Role, Signature, Type, TypeError, Value,
};

use crate::data::random::SplitMix64;
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// f32 numbers of mean 0 and variance 1 on `player`: a function of `seed` and the step alone.
///
/// It stands for private data in examples and tests, so the verifier treats it as such. Source:
/// Box and Muller, *A note on the generation of random normal deviates* (1958).
#[track_caller]
pub fn random_normal<'r>(
    g: &Recording<'r>,
    player: &PlayerName,
    shape: &[usize],
    seed: u32,
) -> Value<'r> {
    g.op(&OP.spec).attr("shape", shape).attr("seed", seed).at(player).build()
}

/// See [`random_normal()`].
pub static OP: Op = Op::new("random_normal", Role::PrivateInput, infer, kernel)
    .attributes(&[("seed", AttributeKind::Int), ("shape", AttributeKind::Ints)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.size("seed")?;
    rules::floats(s)
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let shape = &cx.node.outputs[0].shape;
    let mut random = SplitMix64::new((cx.size("seed")? as u64) ^ (cx.step << 32));
    let normal = |_| {
        let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
        (radius * (std::f64::consts::TAU * random.unit()).cos()) as f32
    };
    Ok(vec![Tensor::f32(shape, (0..shape.elements()).map(normal).collect())])
}
