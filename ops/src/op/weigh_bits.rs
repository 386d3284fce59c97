//! `weigh_bits(x, weights, constants)`: sums of the numbers that the bits of words stand for.

use sordino_graph::{
    Attribute, AttributeKind, Element, Fixed, Role, Secrecy, Signature, Type, TypeError, Value,
    type_error,
};

use super::constant::expect_encodable;
use super::{reshape, slice};
use crate::kernel::{Context, KernelError, Op};
use crate::rules;
use crate::value::Tensor;

/// `constant + Σ weight[i]·bit[i]`: for each row of `weights`, the constant of the row plus the
/// weights of the bits that are set: numbers of the format `fixed`, of a secret of m words for each
/// of n results, `[m,n]`.
///
/// A row has a weight for each bit, word by word, the lowest bit of each first. All numbers that
/// depend on the same bits cost little more than one of them: in what follows from a comparison, or
/// from the digits of a number, these are coefficients, powers of two, and the like. Each is exact,
/// but for its encoding. Plaintext words give doubles, rounded as the format does.
///
/// Source: [ABY3](crate::protocol::aby3).
///
/// | bits | for | error at most | rounds | bytes a result of one bit |
/// |---|---|---|---|---|
/// | 64 | all | exact | 2 | 24 |
/// | 128 | all | exact | 2 | 48 |
#[track_caller]
pub fn weigh_bits<'r>(
    x: Value<'r>,
    fixed: Fixed,
    weights: &[Vec<f64>],
    constants: &[f64],
) -> Vec<Value<'r>> {
    let list = Attribute::Reals(weights.iter().flatten().copied().collect());
    let op = x.recording().op(&OP.spec).input(x).attr("constants", constants);
    let op = op.attr("fraction", fixed.fraction()).attr("width", fixed.width().bits());
    let all = op.attr("weights", list).build();
    let n = x.ty().and_then(|ty| ty.shape.axes().last().copied()).unwrap_or(0);
    let row = |i| reshape(slice(all, &[i, 0], &[i + 1, n as i64], &[1, 1]), &[n]);
    x.recording().here(|| (0..constants.len() as i64).map(row).collect())
}

/// See [`weigh_bits()`]: the rows, `[rows,n]`.
pub static OP: Op = Op::new("weigh_bits", Role::Compute, infer, kernel).attributes(&[
    ("constants", AttributeKind::Reals),
    ("fraction", AttributeKind::Int),
    ("weights", AttributeKind::Reals),
    ("width", AttributeKind::Int),
]);

fn infer(s: &Signature<'_>) -> Result<Vec<Type>, TypeError> {
    let [x] = s.inputs()?;
    let [words, n] = x.expect_rank()?;
    let rows = s.attributes.reals("constants").unwrap_or_default().len();
    let weights = s.attributes.reals("weights").unwrap_or_default().len();
    if x.secrecy == Secrecy::Share || weights != rows * words * x.expect_bits()? as usize {
        return type_error!("takes a weight for each bit of words and row, not {weights} for {x}");
    }
    let shape = rules::shape(&[rows, n])?;
    let fixed = s.fixed()?;
    for numbers in ["constants", "weights"] {
        expect_encodable(s.attributes.reals(numbers).unwrap_or_default(), fixed)?;
    }
    Ok(vec![match x.secrecy {
        Secrecy::Secret => Type::secret(fixed, shape),
        _ => Type::plain(Element::F64, shape),
    }])
}

fn kernel(cx: &Context<'_>, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, KernelError> {
    let [x] = cx.inputs(inputs)?;
    let &[count, n] = x.axes() else { return cx.bug("got no words for each result") };
    let words: Vec<u128> = match &x {
        Tensor::Ring64(x) => x.as_slice().iter().map(|&x| x.into()).collect(),
        Tensor::Ring128(x) => x.as_slice().to_vec(),
        _ => return cx.bug("got no words"),
    };
    let reals = |name| cx.node.attributes.reals(name).unwrap_or_default();
    let (weights, constants) = (reals("weights"), reals("constants"));
    let unit = (cx.size("fraction")? as f64).exp2();
    let encoded = |x: f64| (x * unit).round() / unit;
    // As the type rule says: a weight for each row, word and bit.
    let bits = weights.len() / (constants.len() * count).max(1);
    let sum = |row: usize, i: usize| {
        let places = (0..count).flat_map(|word| (0..bits).map(move |bit| (word, bit)));
        let set = places.filter(|(word, bit)| words[word * n + i] >> bit & 1 == 1);
        let weight = |(word, bit)| encoded(weights[(row * count + word) * bits + bit]);
        encoded(constants[row]) + set.map(weight).sum::<f64>()
    };
    let rows = 0..constants.len();
    let sums = rows.flat_map(|row| (0..n).map(move |i| (row, i))).map(|(row, i)| sum(row, i));
    Ok(vec![Tensor::f64(&cx.node.outputs[0].shape, sums.collect())])
}
