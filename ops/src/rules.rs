//! What the type rules of several ops check, and sizes that several kernels need.

use sordino_graph::{Secrecy, Shape, Signature, Type, TypeError, type_error};

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

/// `x`, if it is a number that can be multiplied by others: plaintext floats, or a secret, but no
/// share of one.
pub(crate) fn factor(x: &Type) -> Result<&Type, TypeError> {
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
