//! `cross_mul(x, x', y, y')`: what one server adds to the product of two secrets.

use sordino_graph::{AttributeKind, Role};

use super::mul;
use crate::cross;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::ring_ops::cross_products;
use crate::value::{Tensor, TensorRing};

/// The products of summands that fall to `server`, element by element; see
/// [`cross`]. One pass over memory, in the place of `x`.
pub static OP: Op =
    Op::new("cross_mul", Role::Compute, |s| cross::infer(s, &mul::OP.spec), in_ring!(run))
        .attributes(&[("server", AttributeKind::Int)]);

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [mut x, next_x, y, next_y] =
        cx.shares::<R>(inputs)?.try_into().or_else(|_| cx.bug("takes four shares"))?;
    let others = [next_x.as_slice(), y.as_slice(), next_y.as_slice()];
    cross_products(cx.size("server")?, x.make_mut(), others);
    Ok(vec![R::tensor(x)])
}
