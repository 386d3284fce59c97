//! `add_pads(x, …)`: the sum of shares and of pads, the pads added as they are generated.

use sordino_graph::{
    AttributeKind, PlayerName, Role, Secrecy, Signature, Type, TypeError, type_error,
};

use super::add_n;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::pad::sum_pads_into;
use crate::value::{Elements, Tensor, TensorRing};

/// The sum of any number of shares and of the pads numbered `pads`, each of the secret that the
/// player of the same place in `peers` has with the node's player, all of one `lane`.
///
/// One pass over memory for all pads; no share of a single peer is ever a tensor.
pub static OP: Op = Op::new("add_pads", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("lane", AttributeKind::Int),
    ("pads", AttributeKind::Ints),
    ("peers", AttributeKind::Players),
    ("type", AttributeKind::Type),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let ty = s.attributes.ty("type").filter(|ty| ty.secrecy == Secrecy::Share);
    let Some(ty) = ty else { return type_error!("makes a share: say its type") };
    let pads = s.attributes.ints("pads").unwrap_or_default();
    let peers = s.attributes.players("peers").unwrap_or_default();
    if pads.len() != peers.len() || pads.iter().any(|&pad| u32::try_from(pad).is_err()) {
        return type_error!("takes the number of a pad for each peer");
    }
    if s.inputs.iter().any(|&input| input != ty) {
        return type_error!("adds shares of {ty} only");
    }
    Ok(vec![ty.clone()])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let attributes = &cx.node.attributes;
    let lane = cx.number("lane")?;
    let me = cx.node.place.player().cloned();
    let holders = |peer: &PlayerName| [Some(peer.clone()), me.clone()].into_iter().flatten();
    let numbers = attributes.ints("pads").unwrap_or_default().iter();
    let peers = attributes.players("peers").unwrap_or_default().iter();
    let pads = numbers.zip(peers).map(|(&pad, peer)| {
        let group: Vec<_> = holders(peer).collect();
        cx.host.pad(&group, u32::try_from(pad).unwrap_or(u32::MAX), lane, cx.step)
    });
    let pads = pads.collect::<Result<Vec<_>, _>>()?;
    let mut sum = Elements::<R>::zeros(&cx.node.outputs[0].shape);
    sum_pads_into(pads, sum.make_mut());
    let mut sum = R::tensor(sum);
    for term in inputs {
        add_n::accumulate(&mut sum, term)?;
    }
    Ok(vec![sum])
}
