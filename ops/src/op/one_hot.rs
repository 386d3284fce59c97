//! `one_hot(labels, classes)`: class numbers as vectors.

use sordino_graph::{AttributeKind, Element, Role, Signature, Type, TypeError, Value};

use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// 1 at the place of each label, 0 elsewhere; for one class, the labels themselves.
///
/// Shapes: `labels` i32`[n]` in 0..`classes` (0 and 1 for one class); returns f32`[n,classes]`.
#[track_caller]
pub fn one_hot(labels: Value<'_>, classes: usize) -> Value<'_> {
    labels.recording().op(&OP.spec).attr("classes", classes).input(labels).build()
}

/// See [`one_hot()`].
pub static OP: Op =
    Op::new("one_hot", Role::Compute, infer, kernel).attributes(&[("classes", AttributeKind::Int)]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [labels] = s.inputs()?;
    let [n] = labels.expect_plain(Element::I32)?.expect_rank()?;
    let shape = rules::shape(&[n, s.size("classes")?])?;
    Ok(vec![Type::plain(Element::F32, shape)])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [labels] = cx.inputs(inputs)?;
    let classes = cx.size("classes")?;
    let shape = &cx.node.outputs[0].shape;
    let mut out = vec![0.0f32; shape.elements()];
    for (index, &label) in cx.labels(&labels)?.iter().enumerate() {
        let label = usize::try_from(label).ok().filter(|&label| label < classes.max(2));
        let Some(label) = label else {
            return Err(KernelError::Label { index, classes: classes.max(2) });
        };
        if classes == 1 {
            out[index] = label as f32;
        } else {
            out[index * classes + label] = 1.0;
        }
    }
    Ok(vec![Tensor::f32(shape, out)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::publish;
    use crate::testing::{evaluate, labels, shape};

    fn of(classes: usize, values: &[i32]) -> Vec<f64> {
        let variables = [("labels", Tensor::i32(&shape(&[values.len()]), values.to_vec()))];
        let n = values.len();
        evaluate(&variables, |g| publish("x", one_hot(labels(g, n), classes))).remove(0)
    }

    #[test]
    fn marks_the_class() {
        assert_eq!(of(3, &[2, 0]), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!(of(1, &[1, 0]), [1.0, 0.0]);
        assert!(of(3, &[]).is_empty());
    }
}
