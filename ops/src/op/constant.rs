//! `constant(place, values, shape)`: public numbers.

use sordino_graph::{
    AttributeKind, Element, Fixed, Place, Recording, Role, Secrecy, Signature, Type, TypeError,
    Value, Width, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::fixed::{encode, limit};
use crate::tensor::ring::Ring;
use crate::value::{Elements, Tensor, TensorRing};

/// Numbers that everyone may know: `values` row-major, or one for all elements of `shape`.
///
/// On a player they are f32. On [`Place::Secure`] they are of the type of secrets, in the precision
/// of the program, so that they can meet secrets; nobody takes them for secret.
///
/// Source: Python array API 2023.12, `asarray`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn constant<'r>(
    g: &Recording<'r>,
    place: impl Into<Place>,
    values: &[f64],
    shape: &[usize],
) -> Value<'r> {
    let place = place.into();
    let shape = match rules::shape(shape) {
        Ok(shape) => shape,
        Err(error) => return g.faulty(OP.spec.name, error.to_string()),
    };
    let ty = match (&place, &g.setup().secure) {
        (Place::Player(_), _) => Type::plain(Element::F32, shape),
        (Place::Secure, Some(secure)) => Type::secret(secure.fixed, shape),
        (Place::Secure, None) => {
            let message = "needs a protocol: give the setup its `secure` servers";
            return g.faulty(OP.spec.name, message);
        }
    };
    constant_of(g, place, values, &ty)
}

/// As [`constant()`], of any type of numbers: f32, f64, fixed point.
///
/// Source: Python array API 2023.12, `asarray`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: all, exact, 0 rounds, 0 bytes.
#[track_caller]
pub fn constant_of<'r>(
    g: &Recording<'r>,
    place: impl Into<Place>,
    values: &[f64],
    ty: &Type,
) -> Value<'r> {
    g.op(&OP.spec).attr("type", ty.clone()).attr("values", values).at(place).build()
}

/// The numbers of a value that is a constant; none of other values.
pub(super) fn values(x: Value<'_>) -> Vec<f64> {
    let constant = x.op().is_some_and(|op| std::ptr::eq(op, &OP.spec));
    let attributes = x.attributes().filter(|_| constant);
    attributes.and_then(|of| Some(of.reals("values")?.to_vec())).unwrap_or_default()
}

/// See [`constant()`]. Where the type is a share, or encoded plaintext, the elements are the
/// encoded numbers.
pub static OP: Op = Op::new("constant", Role::Compute, infer, kernel)
    .attributes(&[("type", AttributeKind::Type), ("values", AttributeKind::Reals)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    let values = s.attributes.reals("values").unwrap_or_default();
    let Some(ty) = s.attributes.ty("type") else { return type_error!("needs a type") };
    match ty.element {
        Element::Fixed(fixed) => expect_encodable(values, fixed)?,
        Element::F32 if ty.secrecy == Secrecy::Plain => {
            if let Some(value) = values.iter().find(|&&value| (value as f32).is_infinite()) {
                return type_error!("cannot hold {value} as f32, below 2^128: make it f64");
            }
        }
        Element::F64 if ty.secrecy == Secrecy::Plain => {}
        _ => return type_error!("is made of floats or fixed-point numbers, not {ty}"),
    }
    if values.len() == 1 || values.len() == ty.shape.elements() {
        Ok(vec![ty.clone()])
    } else {
        type_error!("takes one value, or one for each element of {ty}, not {}", values.len())
    }
}

/// Whether the ring holds numbers in this format.
pub(super) fn expect_encodable(values: &[f64], fixed: Fixed) -> Result<(), TypeError> {
    let limit = match fixed.width() {
        Width::W64 => limit::<u64>(fixed.fraction()),
        Width::W128 => limit::<u128>(fixed.fraction()),
    };
    // Half a unit below the limit, which no rounding reaches.
    let limit = limit - 0.5;
    match values.iter().find(|value| value.abs() >= limit) {
        Some(value) => type_error!(
            "cannot encode {value} as {fixed}, which holds magnitudes below 2^{}",
            fixed.width().bits() - 14 - fixed.fraction()
        ),
        None => Ok(()),
    }
}

fn kernel(cx: &Context<'_>, _: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let ty = &cx.node.outputs[0];
    let values = cx.node.attributes.reals("values").unwrap_or_default();
    let elements = ty.shape.elements();
    let repeats = if values.len() == elements { 1 } else { elements };
    let values = || values.iter().flat_map(move |&x| std::iter::repeat_n(x, repeats));
    let tensor = match ty.element {
        Element::F32 => Tensor::f32(&ty.shape, values().map(|x| x as f32).collect()),
        Element::F64 => Tensor::f64(&ty.shape, values().collect()),
        Element::Fixed(fixed) => match fixed.width() {
            Width::W64 => encoded::<u64>(cx, ty, fixed, values())?,
            Width::W128 => encoded::<u128>(cx, ty, fixed, values())?,
        },
        _ => return cx.bug("has a type that is none of numbers"),
    };
    Ok(vec![tensor])
}

fn encoded<R: TensorRing + Ring>(
    cx: &Context<'_>,
    ty: &Type,
    fixed: Fixed,
    values: impl Iterator<Item = f64>,
) -> Result<Tensor, KernelError> {
    let values: Vec<f64> = values.collect();
    let mut elements = Elements::<R>::zeros(&ty.shape);
    match encode(&values, fixed.fraction(), elements.make_mut()) {
        Ok(()) => Ok(R::tensor(elements)),
        Err(_) => cx.bug("has a value that the ring does not hold"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_faults, fault, me, shape, value_of};
    use sordino_graph::{Setup, record};

    #[test]
    fn one_value_or_one_an_element() {
        let y = value_of(&[], |g, _| constant(g, me(), &[0.5, -2.0], &[2]));
        assert_eq!(y, [0.5, -2.0]);
        assert_eq!(value_of(&[], |g, _| constant(g, me(), &[0.5], &[2, 1])), [0.5, 0.5]);
        assert_eq!(value_of(&[], |g, _| constant(g, me(), &[0.5], &[])), [0.5]);
        assert!(value_of(&[], |g, _| constant(g, me(), &[0.5], &[3, 0])).is_empty());
        assert!(value_of(&[], |g, _| constant(g, me(), &[], &[3, 0])).is_empty());
        let third = value_of(&[], |g, _| {
            constant_of(g, me(), &[1.0 / 3.0], &Type::plain(Element::F64, shape(&[])))
        });
        assert_eq!(third, [1.0 / 3.0]);
    }

    #[test]
    fn shares_are_encoded() {
        for fixed in [Fixed::LOW, Fixed::HIGH] {
            let mut node = None;
            let graph = record("test", &Setup::new([me()]), |g| {
                let ty = Type::share(fixed, shape(&[2]));
                node = constant_of(g, me(), &[-1.5, 2.0], &ty).port();
            });
            let values =
                crate::testing::run(&graph.unwrap(), &crate::testing::Own::default()).unwrap();
            let one = f64::from(fixed.fraction()).exp2();
            match &values[node.unwrap().node.index()][0] {
                Tensor::Ring64(x) => {
                    assert_eq!(x.as_slice(), [-1.5, 2.0].map(|x| u64::from_whole(x * one)))
                }
                Tensor::Ring128(x) => {
                    assert_eq!(x.as_slice(), [-1.5, 2.0].map(|x| u128::from_whole(x * one)))
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn on_secure_it_meets_secrets() {
        let servers = ["s0", "s1", "s2"].map(crate::testing::player);
        let setup = Setup::new(servers.clone()).secure("ABY3", servers, Fixed::HIGH);
        let graph = record("test", &setup, |g| {
            let ty = constant(g, Place::Secure, &[2.0], &[3]).ty();
            assert_eq!(ty, Some(Type::secret(Fixed::HIGH, shape(&[3]))));
        });
        graph.unwrap();
    }

    #[test]
    fn values_fit() {
        let faults = [
            fault(|g| {
                constant(g, me(), &[1.0, 2.0], &[3]);
            }),
            fault(|g| {
                constant(g, Place::Secure, &[1.0], &[3]);
            }),
            fault(|g| {
                constant(g, me(), &[f64::NAN], &[3]);
            }),
            fault(|g| {
                constant_of(g, Place::Secure, &[1e11], &Type::secret(Fixed::LOW, shape(&[1])));
            }),
            fault(|g| {
                constant_of(g, me(), &[1.0], &Type::plain(Element::I32, shape(&[1])));
            }),
            fault(|g| {
                constant(g, me(), &[-1e39], &[3]);
            }),
            fault(|g| {
                constant(g, me(), &[1.0], &[1 << 31, 2]);
            }),
        ];
        let expected = [
            "one for each element of f32[3], not 2",
            "needs a protocol",
            "reals must be finite",
            "cannot encode 100000000000 as fix64.16",
            "not i32[1]",
            "as f32, below 2^128",
            "where a tensor has at most 8, and 2^31 elements",
        ];
        check_faults(faults, expected);
    }
}
