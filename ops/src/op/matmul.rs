//! `matmul(a, b)`: the product of two matrices.

use sordino_graph::{
    AttributeKind, AttributeSpec, Backward, OpSpec, Role, Shape, Signature, TypeError, Value,
    type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::tensor::matmul::{MatmulShape, matmul_f32};
use crate::value::Tensor;

/// `a · b`.
///
/// Shapes: `a` f32`[m,k]`, `b` f32`[k,n]`; returns f32`[m,n]`.
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
pub static OP: Op = Op {
    spec: OpSpec {
        name: "matmul",
        role: Role::Compute,
        attributes: &[
            AttributeSpec { name: "transpose_a", kind: AttributeKind::Flag },
            AttributeSpec { name: "transpose_b", kind: AttributeKind::Flag },
        ],
        infer: |s| {
            let (m, _, n) = sizes(s)?;
            let shape = Shape::new(&[m, n]).map_err(|e| TypeError(e.to_string()))?;
            Ok(vec![s.inputs[0].with_shape(shape)])
        },
        gradient: Some(gradient),
    },
    kernel,
    accumulate: None,
    expand: None,
};

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

/// For y = a·b: da = dy·bᵀ, db = aᵀ·dy. Only products without transposes are differentiated.
fn gradient<'r>(backward: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    let [a, b] = backward.inputs[..] else { return vec![] };
    let transposed = |name| backward.attributes.flag(name) == Some(true);
    if transposed("transpose_a") || transposed("transpose_b") {
        backward.recording.fault("matmul", "has no gradient when its inputs are transposed");
    }
    let Some(dy) = backward.gradient() else { return vec![None, None] };
    vec![Some(product(dy, false, b, true)), Some(product(a, true, dy, false))]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [a, b] = cx.inputs(inputs)?;
    let (&[a0, a1], shape) = (a.axes(), &cx.node.outputs[0].shape) else {
        return cx.bug("got no matrix");
    };
    let flag = |name| cx.node.attributes.flag(name).unwrap_or_default();
    let (transpose_a, transpose_b) = (flag("transpose_a"), flag("transpose_b"));
    let (m, k) = if transpose_a { (a1, a0) } else { (a0, a1) };
    let n = shape.axes()[1];
    let mut out = vec![0.0; m * n];
    let sizes = MatmulShape { m, k, n, transpose_a, transpose_b };
    matmul_f32(sizes, cx.floats(&a)?, cx.floats(&b)?, &mut out);
    Ok(vec![Tensor::f32(shape, out)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_gradients, fault, floats, input, value_of};

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
    fn gradients_are_right() {
        check_gradients(&[&[3, 4], &[4, 2]], |_, x| matmul(x[0], x[1]));
        check_gradients(&[&[2, 2]], |_, x| matmul(x[0], x[0]));
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
        let transposed = fault(|g| {
            let x = input(g, "x", &[1, 1]);
            crate::op::gradients(product(x, true, x, false), &[x]);
        });
        assert!(transposed.contains("no gradient when its inputs are transposed"), "{transposed}");
    }
}
