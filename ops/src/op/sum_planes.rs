//! `sum_planes(x..)`: sums, by XOR, of planes of bits.

use sordino_graph::{AttributeKind, Role, Signature, Type, TypeError};

use crate::kernel::{Context, KernelError, Op};
use crate::planes;
use crate::tensor::gates::{Half, sum_layer};
use crate::value::{Elements, Tensor};

/// A plane for each sum that `planes` lists (see [`planes`]) of planes of the inputs,
/// which are one half of a server's shares. `flips` says whether it is the half that is turned over
/// where a sum is.
pub static OP: Op = Op::new("sum_planes", Role::Compute, infer, kernel)
    .attributes(&[("flips", AttributeKind::Flag), ("planes", AttributeKind::Ints)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let (planes, words) = planes::stacks(s)?;
    let sums = planes::sums(s.attributes, "planes", &planes)?;
    Ok(vec![planes::stack_of_words(sums.len(), words)?])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let stacks = cx.stacks(inputs)?;
    let sums = planes::sums(&cx.node.attributes, "planes", &vec![usize::MAX; stacks.len()])?;
    let mut out = Elements::zeros(&cx.node.outputs[0].shape);
    let words = out.shape().axes()[1];
    let stacks: Vec<&[u64]> = stacks.iter().map(Elements::as_slice).collect();
    let half = Half { stacks: &stacks, flips: cx.flag("flips") };
    sum_layer(&sums, half, words, out.make_mut());
    Ok(vec![Tensor::Ring64(out)])
}
