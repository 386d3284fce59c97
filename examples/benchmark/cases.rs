//! What is measured: operations at sizes that papers and other systems measure them at.

use sordino::graph::Element;
use sordino::ops::tensor::conv::Padding;
use sordino::prelude::*;

/// The fewest elements that every case works on.
pub const LEAST: usize = 256;

/// A function of secrets, at a size.
#[derive(Debug)]
pub struct Case {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it takes.
    pub input: Input,
    /// Shapes of the secrets that it takes.
    pub inputs: Vec<Vec<usize>>,
    /// What it computes.
    pub compute: for<'r> fn(&[Value<'r>]) -> Value<'r>,
}

/// Kinds of secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Numbers.
    Numbers,
    /// The words that encode numbers.
    Words,
}

impl Case {
    /// The size of its first input, as `65536` or `128x784`.
    pub fn size(&self) -> String {
        let axes = self.inputs[0].iter().map(ToString::to_string);
        axes.collect::<Vec<_>>().join("x")
    }
}

/// Every case; `n`, at least [`LEAST`], is the number of elements of those that work element by
/// element.
pub fn all(n: usize) -> Vec<Case> {
    let groups = [arithmetic(n), bits(n), comparisons(n), functions(n), layers(), structure(n)];
    groups.into_iter().flatten().collect()
}

fn case(
    name: &'static str,
    inputs: &[&[usize]],
    compute: for<'r> fn(&[Value<'r>]) -> Value<'r>,
) -> Case {
    let inputs = inputs.iter().map(|axes| axes.to_vec()).collect();
    Case { name, input: Input::Numbers, inputs, compute }
}

fn arithmetic(n: usize) -> Vec<Case> {
    vec![
        case("add", &[&[n], &[n]], |x| add(x[0], x[1])),
        case("sub", &[&[n], &[n]], |x| sub(x[0], x[1])),
        case("neg", &[&[n]], |x| neg(x[0])),
        case("scale", &[&[n]], |x| scale(x[0], 0.3)),
        case("mul", &[&[n], &[n]], |x| mul(x[0], x[1])),
        case("square", &[&[n]], |x| square(x[0])),
        case("pow-5", &[&[n]], |x| pow(x[0], 5)),
        case("polynomial", &[&[n]], |x| polynomial(x[0], &[0.5, -1.0, 0.25, 0.1])),
        case("div-public", &[&[n]], |x| div_constant(x[0], 3.0)),
        case("div", &[&[n], &[n]], |x| div(x[0], x[1])),
        case("reduce-sum", &[&[256, n / 256]], |x| reduce_sum(x[0], &[0], false)),
        case("reduce-mean", &[&[256, n / 256]], |x| reduce_mean(x[0], &[0], false)),
        case("cumsum", &[&[n]], |x| cumsum(x[0], 0)),
        case("prod-of-4", &[&[n, 4]], |x| prod(x[0], 1)),
        case("floor", &[&[n]], |x| floor(x[0])),
        case("matmul", &[&[128, 784], &[784, 128]], |x| matmul(x[0], x[1])),
        case("matmul-large", &[&[1000, 1000], &[1000, 1000]], |x| matmul(x[0], x[1])),
        case("conv2d", &[&[128, 28, 28, 1], &[5, 5, 1, 16]], |x| {
            conv2d(x[0], x[1], 1, Padding::Valid)
        }),
        case("conv2d-same", &[&[128, 28, 28, 1], &[5, 5, 1, 5]], |x| {
            conv2d(x[0], x[1], 2, Padding::Same)
        }),
    ]
}

fn bits(n: usize) -> Vec<Case> {
    let case = |name, inputs: &[&[usize]], compute| Case {
        input: Input::Words,
        ..case(name, inputs, compute)
    };
    vec![
        case("and", &[&[n], &[n]], |x| and(x[0], x[1])),
        case("or", &[&[n], &[n]], |x| or(x[0], x[1])),
        case("xor", &[&[n], &[n]], |x| xor(x[0], x[1])),
        case("not", &[&[n]], |x| not(x[0])),
        case("shift-left", &[&[n]], |x| shift_left(x[0], 3)),
        case("shift-right", &[&[n]], |x| shift_right(x[0], 3)),
        case("bit", &[&[n]], |x| bit(x[0], 5)),
        case("from-bits", &[&[n]], |x| from_bits(x[0])),
    ]
}

fn comparisons(n: usize) -> Vec<Case> {
    vec![
        case("to-bits", &[&[n]], |x| to_bits(x[0])),
        case("negative", &[&[n]], |x| negative(x[0])),
        case("is-zero", &[&[n]], |x| is_zero(x[0])),
        case("less", &[&[n], &[n]], |x| less(x[0], x[1])),
        case("less-equal", &[&[n], &[n]], |x| less_equal(x[0], x[1])),
        case("greater", &[&[n], &[n]], |x| greater(x[0], x[1])),
        case("greater-equal", &[&[n], &[n]], |x| greater_equal(x[0], x[1])),
        case("equal", &[&[n], &[n]], |x| equal(x[0], x[1])),
        // What it chooses by is compared first.
        case("select", &[&[n], &[n]], |x| select(negative(x[0]), x[0], x[1])),
        case("maximum", &[&[n], &[n]], |x| maximum(x[0], x[1])),
        case("minimum", &[&[n], &[n]], |x| minimum(x[0], x[1])),
        case("maximum-of-4", &[&[n, 4]], |x| reduce_max(x[0], 1)),
        case("argmax", &[&[128, 10]], |x| argmax(x[0], 1)),
        case("top-10", &[&[1024]], |x| top_k(x[0], 10, 0)),
        case("sort", &[&[1024]], |x| sort(x[0], 0)),
        case("sort-by-key", &[&[1024], &[1024]], |x| sort_by_key(x[0], &[x[1]], 0)[1]),
        case("sort-large", &[&[65_536]], |x| sort(x[0], 0)),
    ]
}

fn functions(n: usize) -> Vec<Case> {
    vec![
        case("relu", &[&[n]], |x| relu(x[0])),
        case("exp", &[&[n]], |x| exp(x[0])),
        case("log", &[&[n]], |x| log(x[0])),
        case("reciprocal", &[&[n]], |x| reciprocal(x[0])),
        case("sqrt", &[&[n]], |x| sqrt(x[0])),
        case("rsqrt", &[&[n]], |x| rsqrt(x[0])),
        case("sigmoid", &[&[n]], |x| sigmoid(x[0])),
        case("tanh", &[&[n]], |x| tanh(x[0])),
        case("softmax", &[&[128, 10]], |x| softmax(x[0])),
        case("log-softmax", &[&[128, 10]], |x| log_softmax(x[0])),
    ]
}

fn layers() -> Vec<Case> {
    vec![
        case("max-pool", &[&[128, 24, 24, 16]], |x| max_pool(x[0], 2)),
        case("average-pool", &[&[128, 24, 24, 16]], |x| average_pool(x[0], 2)),
    ]
}

/// What moves elements; casts between the rings.
fn structure(n: usize) -> Vec<Case> {
    vec![
        case("transpose", &[&[256, n / 256]], |x| transpose(x[0], &[1, 0])),
        case("reshape", &[&[128, 28, 28]], |x| reshape(x[0], &[128, 784])),
        case("expand-dims", &[&[n]], |x| expand_dims(x[0], 0)),
        case("squeeze", &[&[1, n]], |x| squeeze(x[0], &[0])),
        case("broadcast", &[&[256]], |x| broadcast_to(x[0], &[256, 256])),
        case("concat", &[&[n], &[n]], |x| concat([x[0], x[1]], 0)),
        case("stack", &[&[n], &[n]], |x| stack([x[0], x[1]], 0)),
        case("split", &[&[4, n / 4]], |x| split(x[0], 4, 0)[3]),
        case("slice", &[&[16, n / 16]], |x| slice_axis(x[0], 0, 4..12)),
        case("strided-slice", &[&[16, n / 16]], |x| slice(x[0], &[1, 0], &[16, 16], &[2, 3])),
        case("gather", &[&[16, n / 16]], |x| gather(x[0], &[7, 0, 15, 7], 0)),
        case("scatter", &[&[4, n / 16]], |x| scatter(x[0], &[7, 0, 15, 3], 0, 16)),
        case("pad", &[&[256, n / 256]], |x| pad_zeros(x[0], &[1, 1], &[1, 1])),
        case("tile", &[&[n / 4]], |x| tile(x[0], &[4])),
        case("reverse", &[&[n]], |x| reverse(x[0], &[0])),
        case("cast", &[&[n]], |x| {
            let wide = x[0].ty().and_then(|ty| ty.fixed()) == Some(Fixed::HIGH);
            cast(x[0], Element::Fixed(if wide { Fixed::LOW } else { Fixed::HIGH }))
        }),
    ]
}
