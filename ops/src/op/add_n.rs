//! `add_n(x, …)`: the sum of tensors of one type.

use sordino_graph::{
    Backward, Element, Role, Secrecy, Signature, Type, TypeError, Value, type_error,
};

use crate::kernel::{Context, KernelError, Op};
use crate::tensor::fixed::HEADROOM_BITS;
use crate::tensor::ring::add_assign;
use crate::value::{Elements, Tensor, TensorRing, slice, slice_mut};

/// `x[0] + x[1] + …`, of plaintext floats, of secrets, or of shares.
///
/// Floats are added from the first to the last.
///
/// Source: ONNX `Sum`; of secrets [ABY3](crate::protocol::aby3).
///
/// Of secrets: up to 2^12 terms of any size, exact, 0 rounds, 0 bytes.
///
/// # Panics
/// When there is nothing to add.
#[track_caller]
pub fn add_n<'r>(terms: impl IntoIterator<Item = Value<'r>>) -> Value<'r> {
    let terms: Vec<_> = terms.into_iter().collect();
    let first = terms.first().expect("add_n takes at least one value");
    first.recording().op(&OP.spec).inputs(terms.iter().copied()).build()
}

/// See [`add_n()`].
pub static OP: Op =
    Op::new("add_n", Role::Sum, infer, kernel).gradient(gradient).accumulate(accumulate);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let Some((&first, rest)) = s.inputs.split_first() else {
        return type_error!("needs at least one input");
    };
    if first.secrecy == Secrecy::Plain && first.element == Element::I32 {
        return type_error!("adds floats, secrets or shares, not {first}");
    }
    if let Some(other) = rest.iter().find(|&&ty| ty != first) {
        return type_error!("adds values of one type, not {first} and {other}");
    }
    if s.inputs.len() > 1 << HEADROOM_BITS {
        return type_error!("adds at most {} values: encoded sums would wrap", 1 << HEADROOM_BITS);
    }
    Ok(vec![first.clone()])
}

fn gradient<'r>(b: &Backward<'r>) -> Vec<Option<Value<'r>>> {
    vec![b.gradient(); b.inputs.len()]
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let mut inputs = inputs.into_iter();
    let Some(mut sum) = inputs.next() else { return cx.bug("got nothing to add") };
    inputs.try_for_each(|term| accumulate(&mut sum, term))?;
    Ok(vec![sum])
}

pub(super) fn accumulate(sum: &mut Tensor, term: Tensor) -> Result<(), KernelError> {
    fn add<T: Copy + std::ops::AddAssign>(sum: &mut [T], term: &[T]) {
        sum.iter_mut().zip(term).for_each(|(sum, term)| *sum += *term);
    }
    fn add_shares<R: TensorRing>(sum: &mut Elements<R>, term: Elements<R>) {
        Elements::spend(vec![term], sum.make_mut(), &|terms, sum| add_assign(sum, terms[0]));
    }
    match (sum, term) {
        (Tensor::Ring64(sum), Tensor::Ring64(term)) => add_shares(sum, term),
        (Tensor::Ring128(sum), Tensor::Ring128(term)) => add_shares(sum, term),
        (Tensor::F32(sum), Tensor::F32(term)) => add(slice_mut(sum), slice(&term)),
        (Tensor::F64(sum), Tensor::F64(term)) => add(slice_mut(sum), slice(&term)),
        _ => return Err(KernelError::Bug("add_n got tensors of two kinds".into())),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_faults, check_gradients, fault, floats, input, labels, value_of};

    #[test]
    fn adds_from_the_first_to_the_last() {
        // In f32 another order gives another sum.
        let x = [1e8, 1.0, -1e8].map(|x| floats(&[], &[x]));
        assert_eq!(value_of(&x, |_, x| add_n(x.iter().copied())), [0.0]);
        assert_eq!(value_of(&x, |_, x| add_n([x[0], x[2], x[1]])), [1.0]);
        assert_eq!(value_of(&x, |_, x| add_n([x[1]])), [1.0]);
    }

    #[test]
    fn gradients_are_right() {
        check_gradients(&[&[2, 3], &[2, 3]], |_, x| add_n([x[0], x[1], x[0]]));
    }

    #[test]
    fn terms_are_of_one_type() {
        let faults = [
            fault(|g| {
                add_n([input(g, "x", &[2]), input(g, "y", &[3])]);
            }),
            fault(|g| {
                add_n([labels(g, 2), labels(g, 2)]);
            }),
            fault(|g| {
                let x = input(g, "x", &[1]);
                add_n(vec![x; 4097]);
            }),
        ];
        let expected = ["of one type, not f32[2] and f32[3]", "not i32[2]", "at most 4096 values"];
        check_faults(faults, expected);
    }
}
