//! `mask(x)`: what is left of a value when pads are taken from it.

use sordino_graph::{AttributeKind, Role, Secrecy, Signature, Type, TypeError, type_error};

use super::encode::out_of_range;
use crate::kernel::{Context, KernelError, Op, in_ring};
use crate::tensor::fixed::encode_minus_pads;
use crate::tensor::pad::Pad;
use crate::value::{Elements, Tensor, TensorRing, slice};

/// `x − pad(first) − pad(second)`, a share: `x` is a float, encoded on the way, an encoded value,
/// or a share; the pads have the number `pad` and the lanes 0 and 1, each of the secret of its
/// holders. An empty list of holders stands for no pad.
///
/// One pass over memory. Whoever lacks one of the secrets sees uniformly random elements.
pub static OP: Op = Op::new("mask", Role::Pad, infer, in_ring!(run)).attributes(&[
    ("first", AttributeKind::Players),
    ("fraction", AttributeKind::Int),
    ("pad", AttributeKind::Int),
    ("second", AttributeKind::Players),
    ("width", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let fixed = s.fixed()?;
    let fits = x.element.is_float() || x.fixed() == Some(fixed);
    if x.secrecy == Secrecy::Secret || !fits {
        return type_error!(
            "makes a share of {fixed} of a float, of {fixed} or of its share, not of {x}"
        );
    }
    if s.attributes.players("first").unwrap_or_default().is_empty() {
        return type_error!("needs the holders of the first pad");
    }
    s.size("pad")?;
    Ok(vec![Type::share(fixed, x.shape.clone())])
}

fn run<R: TensorRing>(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let (pads, fraction) = (pads(cx)?, cx.number("fraction")?);
    let mut out = match &x {
        Tensor::F32(_) | Tensor::F64(_) => Elements::<R>::zeros(&cx.node.outputs[0].shape),
        _ => match R::elements(x.clone()) {
            Some(elements) => elements,
            None => return cx.bug("got another ring"),
        },
    };
    match x {
        Tensor::F32(x) => encode_minus_pads(slice(&x), fraction, pads, out.make_mut()),
        Tensor::F64(x) => encode_minus_pads(slice(&x), fraction, pads, out.make_mut()),
        other => {
            // The handle goes first, so that the elements can be changed in place.
            drop(other);
            pads.into_iter().for_each(|pad| pad.sub_from(out.make_mut()));
            Ok(())
        }
    }
    .map_err(|error| out_of_range::<R>(error, fraction))?;
    Ok(vec![R::tensor(out)])
}

fn pads(cx: &Context<'_>) -> Result<Vec<Pad>, KernelError> {
    let groups = [("first", 0), ("second", 1)].into_iter();
    let held = |name| cx.node.attributes.players(name).is_some_and(|holders| !holders.is_empty());
    groups.filter(|(name, _)| held(name)).map(|(name, lane)| cx.pad(name, lane)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sordino_graph::{Attributes, Element, Emitter, Fixed, Graph, Port, Setup, Shape, Stage};

    use super::*;
    use crate::testing::{Own, floats, me, pad_of, player, shape};

    const NUMBER: u32 = 5;

    /// What masking gives for a value of this type, with one pad or two.
    fn masked(x: Tensor, ty: &Type, two: bool) -> Result<Tensor, KernelError> {
        let graph = Graph::new("masking", Arc::new(Setup::new([me()])), Stage::Lowered);
        let mut emitter = Emitter::new(graph);
        let mut attributes = Attributes::default();
        attributes.set("variable", "x");
        attributes.set("type", Type::plain(ty.element, ty.shape.clone()));
        let place = (&me()).into();
        let x_port: Port =
            emitter.emit(&crate::op::read_variable::OP.spec, attributes, &[], &place)?;
        let fixed = ty.fixed().unwrap_or(Fixed::LOW);
        let mut attributes = Attributes::default();
        attributes.set("first", vec![me(), player("s0")]);
        attributes.set("second", if two { vec![me(), player("s1")] } else { vec![] });
        attributes.set("pad", NUMBER);
        attributes.set("width", fixed.width().bits());
        attributes.set("fraction", fixed.fraction());
        let port = emitter.emit(&OP.spec, attributes, &[x_port], &place)?;
        let node = emitter.graph().node(port.node).clone();
        let own = Own::default();
        let outputs = (OP.kernel)(&Context { node: &node, step: 2, host: &own }, vec![x])?;
        Ok(outputs.into_iter().next().unwrap())
    }

    /// The elements of a 64-bit share with its pads put back on.
    fn unmasked(share: Tensor, two: bool) -> Vec<u64> {
        let Tensor::Ring64(mut share) = share else { panic!("not 64 bits") };
        pad_of(&[me(), player("s0")], NUMBER, 0, 2).add_to(share.make_mut());
        if two {
            pad_of(&[me(), player("s1")], NUMBER, 1, 2).add_to(share.make_mut());
        }
        share.as_slice().to_vec()
    }

    #[test]
    fn the_pads_and_the_rest_are_the_value() {
        let float = Type::plain(Element::F32, shape(&[3]));
        let encoded = Type::plain(Element::Fixed(Fixed::LOW), shape(&[3]));
        let units = [1 << 16, 3 << 15, (-(2i64 << 16)) as u64];
        for two in [true, false] {
            let share = masked(floats(&[3], &[1.0, 1.5, -2.0]), &float, two).unwrap();
            assert_eq!(unmasked(share, two), units);
            let value = Tensor::Ring64(Elements::new(shape(&[3]), units.to_vec()));
            let kept = value.clone();
            let share = masked(value, &encoded, two).unwrap();
            assert_ne!(share, kept, "nothing was taken off");
            assert_eq!(unmasked(share, two), units);
        }
        let empty = Type::plain(Element::F32, Shape::new(&[0]).unwrap());
        assert_eq!(masked(floats(&[0], &[]), &empty, true).unwrap().axes(), [0]);
    }

    #[test]
    fn errors_name_place_and_range_and_never_the_value() {
        let float = Type::plain(Element::F32, shape(&[2]));
        let secret = 31_415_926_535.0;
        for (x, what) in [(f32::NAN, "is not a number"), (secret, "is too large for the ring")] {
            let error = masked(floats(&[2], &[0.0, x]), &float, true).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("element 1 of the value to share {what}")),
                "{error}"
            );
            assert!(error.contains("1.7179869184e10") && !error.contains("3141"), "{error}");
        }
    }
}
