//! What the type rules of several ops check, and sizes that several kernels need.

use sordino_graph::{Element, Fixed, Secrecy, Shape, Signature, Type, TypeError, type_error};

/// A shape of these axes.
pub(crate) fn shape(axes: &[usize]) -> Result<Shape, TypeError> {
    Shape::new(axes).map_err(|e| TypeError(e.to_string()))
}

/// The attribute `axis`, one of the axes of `x`.
pub(crate) fn axis(s: &Signature<'_>, x: &Type) -> Result<usize, TypeError> {
    let axis = s.size("axis")?;
    if axis < x.shape.rank() { Ok(axis) } else { type_error!("finds no axis {axis} in {x}") }
}

/// The attribute `axes`: some of the axes of `x`, in any order, each once.
pub(crate) fn axes(s: &Signature<'_>, x: &Type) -> Result<Vec<usize>, TypeError> {
    let axes = sizes(s, "axes")?;
    for (i, axis) in axes.iter().enumerate() {
        if *axis >= x.shape.rank() {
            return type_error!("finds no axis {axis} in {x}");
        }
        if axes[..i].contains(axis) {
            return type_error!("is given axis {axis} twice");
        }
    }
    Ok(axes)
}

/// A list attribute as sizes or positions.
pub(crate) fn sizes(s: &Signature<'_>, name: &str) -> Result<Vec<usize>, TypeError> {
    let list = s.attributes.ints(name).unwrap_or_default();
    let sizes = list.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>();
    sizes.ok_or_else(|| TypeError(format!("{name} must be whole numbers, 0 or more")))
}

/// As [`sizes`], one for each axis of `x`.
pub(crate) fn sizes_of(s: &Signature<'_>, name: &str, x: &Type) -> Result<Vec<usize>, TypeError> {
    let sizes = sizes(s, name)?;
    if sizes.len() == x.shape.rank() {
        Ok(sizes)
    } else {
        type_error!("takes {name} for each axis of {x}, not {sizes:?}")
    }
}

/// The type of a function of each number of one input: that of the input.
pub(crate) fn elementwise(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    Ok(vec![number(x)?.clone()])
}

/// The type of shares of numbers that the attribute `type` says, and their format.
pub(crate) fn shares<'a>(s: &Signature<'a>) -> Result<(&'a Type, Fixed), TypeError> {
    let ty = s.attributes.ty("type").filter(|ty| ty.secrecy == Secrecy::Share);
    let shares = ty.and_then(|ty| Some((ty, ty.fixed()?)));
    shares.map_or_else(|| type_error!("makes shares of numbers: say their type"), Ok)
}

/// The type of floats that have no inputs, of the shape that the attribute `shape` says.
pub(crate) fn floats(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    s.inputs::<0>()?;
    Ok(vec![Type::plain(Element::F32, s.shape("shape")?)])
}

/// `x`, if it is plaintext floats or secret numbers, but no share of them.
pub(crate) fn number(x: &Type) -> Result<&Type, TypeError> {
    if x.secrecy == Secrecy::Share {
        return type_error!("takes floats or secret numbers, not {x}");
    }
    x.expect_number()
}

/// How many matrices a tensor is when an axis stands for their rows, how many rows each has, and
/// how many elements a row has.
pub(crate) fn matrices(axes: &[usize], axis: usize) -> [usize; 3] {
    [axes[..axis].iter().product(), axes[axis], axes[axis + 1..].iter().product()]
}
