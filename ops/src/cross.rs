//! Products of replicated secrets: what each server can multiply by itself.
//!
//! x = x0 + x1 + x2 and y likewise; server i holds the summands i and i+1 of both, its own and the
//! next. The nine products of summands fall to the servers as five: server 0 computes
//! (x0 + x1)·(y0 + y1), server 1 the three that hold a summand 2 beside a summand 1 or 2, and
//! server 2 the two that are left. What the servers get adds up to the product. Source of products of
//! replicated secrets: Araki et al., *High-throughput semi-honest secure three-party computation with
//! an honest majority* (CCS 2016); ABY3, section 3.2.

use sordino_graph::{OpSpec, Secrecy, Signature, Type, TypeError, type_error};

use crate::kernel::{Context, KernelError};
use crate::tensor::ring::add_into;
use crate::value::{Elements, Tensor, TensorRing};

/// Type of a cross product from those of own and next summands of both factors, by the rule of the
/// op that multiplies the secrets.
pub(crate) fn infer(s: &Signature<'_>, of: &OpSpec) -> Result<Vec<Type>, TypeError> {
    let [x, next_x, y, next_y] = s.inputs()?;
    if x != next_x || y != next_y || x.fixed() != y.fixed() || x.secrecy != Secrecy::Share {
        return type_error!("takes both shares of two secrets, not {:?}", s.inputs);
    }
    if s.size("server")? > 2 {
        return type_error!("is for the servers 0, 1 and 2");
    }
    (of.infer)(&Signature { inputs: &[x, y], attributes: s.attributes })
}

/// The products that fall to the server of the attribute `server`. `product` adds the product of
/// its first two arguments to the third.
pub(crate) fn run<R: TensorRing>(
    cx: &Context<'_>,
    inputs: Vec<Tensor>,
    mut product: impl FnMut(&[R], &[R], &mut [R]),
) -> Result<Vec<Tensor>, KernelError> {
    let shares = cx.shares::<R>(inputs)?;
    let [x, next_x, y, next_y] = &shares[..] else { return cx.bug("takes four shares") };
    let total = |own: &Elements<R>, next: &Elements<R>| {
        let mut sum = Elements::zeros(own.shape());
        add_into(own.as_slice(), next.as_slice(), sum.make_mut());
        sum
    };
    let mut result = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    let out = result.make_mut();
    match cx.size("server")? {
        0 => product(total(x, next_x).as_slice(), total(y, next_y).as_slice(), out),
        1 => {
            product(x.as_slice(), next_y.as_slice(), out);
            product(next_x.as_slice(), total(y, next_y).as_slice(), out);
        }
        _ => {
            product(x.as_slice(), next_y.as_slice(), out);
            product(next_x.as_slice(), y.as_slice(), out);
        }
    }
    Ok(vec![R::tensor(result)])
}

#[cfg(test)]
mod tests {
    /// The table of the module's documentation.
    #[test]
    fn the_servers_multiply_all_nine_pairs_once() {
        let mut pairs = Vec::new();
        for server in 0..3 {
            let (own, next) = (server, (server + 1) % 3);
            match server {
                0 => pairs.extend([(own, own), (own, next), (next, own), (next, next)]),
                1 => pairs.extend([(own, next), (next, own), (next, next)]),
                _ => pairs.extend([(own, next), (next, own)]),
            }
        }
        pairs.sort_unstable();
        let all: Vec<_> = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).collect();
        assert_eq!(pairs, all);
    }
}
