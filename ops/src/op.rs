//! The ops: one a file, with its type rule, gradient rule, kernel, documentation and tests.
//!
//! To add an op, write its file and name it in the list below.
//!
//! The page of a function of secrets says for which of them it is, how far off it may be, and what
//! it costs under ABY3: messages between the servers one after the other, and bytes of all of them
//! for an element, of many. *All* are those that can be encoded: words, and magnitudes below 2^34 at
//! 64 bits, 2^82 at 128. A unit is 2^-16 at 64 bits and 2^-32 at 128.

use sordino_graph::{GradientOps, OpSet};

use crate::kernel::Op;

mod arithmetic;
mod cross_entropy;
mod structure;

/// Declares the modules of ops and lists their `OP`s.
macro_rules! ops {
    ($($module:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Every op that has one kernel.
        pub static ALL: &[&Op] = &[$(&$module::OP),*];
    };
}

ops! {
    accuracy,
    add_bias,
    add_n,
    add_pads,
    and,
    and_planes,
    assign,
    assign_secret,
    average_pool,
    binary_cross_entropy,
    bit,
    bit_to_number,
    bits_first,
    bits_second,
    broadcast,
    cast,
    categorical_cross_entropy,
    change_ring,
    concat,
    constant,
    conv2d,
    conv2d_grad_filters,
    conv2d_grad_images,
    cross_conv2d,
    cross_conv2d_grad_filters,
    cross_conv2d_grad_images,
    cross_matmul,
    cross_mul,
    cumsum,
    decode,
    descend,
    digit_carries,
    div,
    encode,
    exp,
    floor,
    from_bits,
    gather,
    glorot_uniform,
    is_zero,
    join_bits,
    load_batch,
    load_tensor,
    log,
    log_softmax,
    mask,
    mask_planes,
    matmul,
    max_pool,
    max_pool_grad,
    mul,
    mul_bit,
    mul_bit_first,
    mul_bit_second,
    negative,
    network_differences,
    network_exchange,
    not,
    one_hot,
    ones_like,
    order,
    pad,
    pad_zeros,
    pair_differences,
    place,
    polynomial,
    position,
    publish,
    random_normal,
    ranks_first,
    ranks_second,
    read_secret,
    read_variable,
    reciprocal,
    reduce_sum,
    regroup_planes,
    relu,
    relu_grad,
    reshape,
    reveal,
    reverse,
    round,
    rsqrt,
    save_tensor,
    scale,
    scatter,
    share,
    share_bits,
    shift,
    shuffle,
    sigmoid,
    sigmoid_cross_entropy,
    sigmoid_cross_entropy_grad,
    slice,
    slice_planes,
    softmax,
    softmax_cross_entropy,
    softmax_cross_entropy_grad,
    softplus,
    sort,
    split_bits,
    sqrt,
    square,
    sum_of_products,
    sum_planes,
    sum_rows,
    tanh,
    tile,
    to_bits,
    transpose,
    truncate_first,
    truncate_last,
    truncate_second,
    truncate_third,
    unslice_planes,
    weigh_bits,
    weigh_first,
    weigh_second,
    weighted_sum,
    winners,
    xor,
    zero_mask,
    zeros,
}

pub use crate::compare::{
    abs, equal, equal_constant, greater, greater_constant, greater_equal, greater_equal_constant,
    less, less_constant, less_equal, less_equal_constant, maximum, minimum, not_equal, or,
    positive, select, sign,
};
pub use crate::extremes::{argmax, argmin, one_hot_max, reduce_max, reduce_min};
pub use crate::ordering::top_k;
pub use accuracy::accuracy;
pub use add_bias::add_bias;
pub use add_n::add_n;
pub use and::and;
pub use arithmetic::{
    add, add_constant, div_constant, mul_constant, neg, pow, prod, reduce_mean, sub,
};
pub use assign::assign;
pub use assign_secret::assign_secret;
pub use average_pool::average_pool;
pub use binary_cross_entropy::binary_cross_entropy;
pub use bit::bit;
pub use bit_to_number::bit_to_number;
pub use broadcast::broadcast;
pub use cast::cast;
pub use categorical_cross_entropy::categorical_cross_entropy;
pub use concat::concat;
pub use constant::{constant, constant_of};
pub use conv2d::conv2d;
pub use cumsum::cumsum;
pub use descend::descend;
pub use div::div;
pub use encode::encode;
pub use exp::exp;
pub use floor::{ceil, floor};
pub use from_bits::from_bits;
pub use gather::gather;
pub use glorot_uniform::glorot_uniform;
pub use is_zero::is_zero;
pub use join_bits::join_bits;
pub use load_batch::load_batch;
pub use load_tensor::load_tensor;
pub use log::log;
pub use log_softmax::log_softmax;
pub use matmul::matmul;
pub use max_pool::max_pool;
pub use mul::mul;
pub use mul_bit::mul_bit;
pub use negative::negative;
pub use not::not;
pub use one_hot::one_hot;
pub use pad_zeros::pad_zeros;
pub use polynomial::polynomial;
pub use position::position;
pub use publish::publish;
pub use random_normal::random_normal;
pub use read_secret::read_secret;
pub use read_variable::read_variable;
pub use reciprocal::reciprocal;
pub use reduce_sum::reduce_sum;
pub use relu::relu;
pub use reshape::reshape;
pub use reveal::reveal;
pub use reverse::reverse;
pub use round::round;
pub use rsqrt::rsqrt;
pub use save_tensor::save_tensor;
pub use scale::scale;
pub use scatter::scatter;
pub use share::share;
pub use shift::{shift_left, shift_right};
pub use sigmoid::sigmoid;
pub use sigmoid_cross_entropy::sigmoid_cross_entropy;
pub use slice::slice;
pub use softmax::softmax;
pub use softmax_cross_entropy::softmax_cross_entropy;
pub use softplus::softplus;
pub use sort::{sort, sort_by_key};
pub use split_bits::split_bits;
pub use sqrt::sqrt;
pub use square::square;
pub use structure::{broadcast_to, expand_dims, flatten, slice_axis, split, squeeze, stack};
pub use sum_of_products::sum_of_products;
pub use sum_rows::sum_rows;
pub use tanh::tanh;
pub use tile::tile;
pub use to_bits::to_bits;
pub use transpose::transpose;
pub use weigh_bits::weigh_bits;
pub use weighted_sum::weighted_sum;
pub use xor::xor;
pub use zeros::zeros;

/// The ops by name, for the parser.
#[must_use]
pub fn op_set() -> OpSet {
    OpSet::new(ALL.iter().map(|op| &op.spec))
}

/// The op of that name, with its kernel.
#[must_use]
pub fn op(name: &str) -> Option<&'static Op> {
    ALL.iter().copied().find(|op| op.spec.name == name)
}

/// Records the gradients of the scalar `loss` by each of `variables`: see
/// [`sordino_graph::gradients()`].
#[track_caller]
pub fn gradients<'r>(
    loss: sordino_graph::Value<'r>,
    variables: &[sordino_graph::Value<'r>],
) -> Vec<sordino_graph::Value<'r>> {
    let ops = GradientOps { ones_like: &ones_like::OP.spec, sum: &add_n::OP.spec };
    sordino_graph::gradients(ops, loss, variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_those_of_the_files() {
        let mut names: Vec<_> = ALL.iter().map(|op| op.spec.name).collect();
        let listed = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), listed);
        assert_eq!(op_set().iter().count(), listed + 3, "transfer, send and receive come on top");
    }
}
