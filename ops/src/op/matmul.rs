//! `matmul(a, b)`: the product of two matrices.

use sordino_graph::{AttributeKind, Backward, Role, Signature, Type, TypeError, Value, type_error};

use crate::items::{Item, for_floats};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::tensor::matmul::MatmulShape;
use crate::tensor::number::Float;
use crate::value::Tensor;

/// `c[i, j] = Σ a[i, k] · b[k, j]`, of plaintext floats or of secrets.
///
/// Shapes: `a` `[m,k]`, `b` `[k,n]`; returns `[m,n]`, of the same elements.
///
/// Source: Python array API 2023.12, `matmul`; of secrets [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes an element of the product |
/// |---|---|---|---|---|
/// | 64 | products below 2^30 | 1 unit | 2 | 30 |
/// | 128 | products below 2^62 | 1 unit | 2 | 60 |
#[track_caller]
pub fn matmul<'r>(a: Value<'r>, b: Value<'r>) -> Value<'r> {
    product(a, false, b, false)
}

/// The product of `a` and `b`, each transposed first if so said.
#[track_caller]
fn product<'r>(a: Value<'r>, transpose_a: bool, b: Value<'r>, transpose_b: bool) -> Value<'r> {
    let op = a.recording().op(&OP.spec).input(a).input(b);
    op.attr("transpose_a", transpose_a).attr("transpose_b", transpose_b).build()
}

/// See [`matmul()`].
pub static OP: Op = Op::new("matmul", Role::Compute, infer, kernel)
    .attributes(&[("transpose_a", AttributeKind::Flag), ("transpose_b", AttributeKind::Flag)])
    .gradient(gradient);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let (m, _, n) = sizes(s)?;
    let shape = rules::shape(&[m, n])?;
    Ok(vec![s.inputs[0].with_shape(shape)])
}

fn sizes(s: &Signature<'_>) -> Result<(usize, usize, usize), TypeError> {
    let [a, b] = s.inputs()?;
    if (a.secrecy, a.element) != (b.secrecy, b.element) {
        return type_error!("multiplies values of one kind, not {a} by {b}");
    }
    let [a0, a1] = a.expect_number()?.expect_rank()?;
    let [b0, b1] = b.expect_number()?.expect_rank()?;
    let flag = |name| s.attributes.flag(name).unwrap_or_default();
    let (m, k) = if flag("transpose_a") { (a1, a0) } else { (a0, a1) };
    let (inner, n) = if flag("transpose_b") { (b1, b0) } else { (b0, b1) };
    if k == inner {
        Ok((m, k, n))
    } else {
        type_error!("multiplies {a} by {b}: inner sizes {k} and {inner} differ")
    }
}

/// For y = a·b: da = dy·bᵀ, db = aᵀ·dy; for a factor that stands transposed, the transpose of that.
fn gradient<'r>(backward: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let [a, b] = backward.inputs[..] else { return vec![] };
    let flag = |name| backward.attributes.flag(name).unwrap_or_default();
    let (of_a, of_b) = (flag("transpose_a"), flag("transpose_b"));
    let Some(dy) = backward.gradient() else { return vec![None, None] };
    let da = if of_a { product(b, of_b, dy, true) } else { product(dy, false, b, !of_b) };
    let db = if of_b { product(dy, true, a, of_a) } else { product(a, !of_a, dy, false) };
    vec![Some(da), Some(db)]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [a, b] = cx.inputs(inputs)?;
    for_floats!(cx, &a, T => run::<T>(cx, &a, &b))
}

fn run<T: Item + Float>(
    cx: &Context<'_>,
    a: &Tensor,
    b: &Tensor,
) -> Result<Vec<Tensor>, KernelError> {
    let (&[a0, a1], &[_, n]) = (a.axes(), cx.node.outputs[0].shape.axes()) else {
        return cx.bug("got no matrix");
    };
    let (transpose_a, transpose_b) = (cx.flag("transpose_a"), cx.flag("transpose_b"));
    let (m, k) = if transpose_a { (a1, a0) } else { (a0, a1) };
    let shape = MatmulShape { m, k, n, transpose_a, transpose_b };
    let (a, b) = (cx.items(a)?, cx.items(b)?);
    Ok(cx.output(|out| T::matmul(shape, a, b, out)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FLOATS, check_gradients, check_values, fault, floats, input, value_of};

    #[test]
    fn multiplies() {
        let a = floats(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let b = floats(&[3, 1], &[1.0, 10.0, 100.0]);
        assert_eq!(value_of(&[a.clone(), b], |_, x| matmul(x[0], x[1])), [321.0, 654.0]);
        // The product with itself, transposed on either side.
        let right = value_of(std::slice::from_ref(&a), |_, x| product(x[0], false, x[0], true));
        assert_eq!(right, [14.0, 32.0, 32.0, 77.0]);
        let left = value_of(&[a], |_, x| product(x[0], true, x[0], false));
        assert_eq!(left, [17.0, 22.0, 27.0, 22.0, 29.0, 36.0, 27.0, 36.0, 45.0]);
    }

    #[test]
    fn multiplies_any_floats() {
        let (a, b) = ((&[2, 2][..], &[1, 2, 3, 4][..]), (&[2, 1][..], &[10, 1][..]));
        check_values(FLOATS, &[a, b], (&[2, 1], &[12, 34]), |_, x| matmul(x[0], x[1]));
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[3, 4], &[4, 2]], |_, x| matmul(x[0], x[1]));
        check_gradients(&[&[2, 2]], |_, x| matmul(x[0], x[0]));
        check_gradients(&[&[4, 3], &[4, 2]], |_, x| product(x[0], true, x[1], false));
        check_gradients(&[&[3, 4], &[2, 4]], |_, x| product(x[0], false, x[1], true));
        check_gradients(&[&[4, 3], &[2, 4]], |_, x| product(x[0], true, x[1], true));
    }

    #[test]
    fn inner_sizes_must_agree() {
        let sizes = fault(|g| {
            matmul(input(g, "a", &[2, 3]), input(g, "b", &[2, 3]));
        });
        assert!(sizes.contains("inner sizes 3 and 2 differ"), "{sizes}");
        let rank = fault(|g| {
            matmul(input(g, "a", &[2]), input(g, "b", &[2, 3]));
        });
        assert!(rank.contains("takes a tensor of 2 axes, not f32[2]"), "{rank}");
    }
}
