//! The loops over rings, for each vector unit. Their bodies are in the modules of their subjects.

use super::{Operand, OutBlock, VectorUnit};
use crate::tensor::bits;
use crate::tensor::conversion;
use crate::tensor::digits::{self, DIGIT};
use crate::tensor::ring::{self, Ring};
use crate::tensor::ring_matmul::{self, Cut, Write, thin};
use crate::tensor::ring_ops;
use crate::tensor::truncation;

for_each_vector_unit! {
    /// [`ring::add_assign`].
    fn add_elements as ring::add_anywhere where R: Ring => (x: &[R], acc: &mut [R])
}

for_each_vector_unit! {
    /// [`ring::add3_into`].
    fn add_three as ring::add3_anywhere where R: Ring => (terms: [&[R]; 3], out: &mut [R])
}

for_each_vector_unit! {
    /// `a * b` to a block, on this thread; see [`ring_matmul`].
    fn ring_block as ring_matmul::block_anywhere where R: Ring => (
        k: usize,
        a: Operand<'_, R>,
        b: Operand<'_, R>,
        out: OutBlock<'_, R>,
        write: Write,
        cut: Cut,
        panels: &mut [u64],
    )
}

for_each_vector_unit! {
    /// A matrix times a vector, on this thread; see [`thin`].
    fn ring_thin as thin::product_anywhere where R: Ring => (
        matrix: Operand<'_, R>,
        vector: &[R],
        out: &mut [R],
    )
}

for_each_vector_unit! {
    /// Planes of bits, on this thread; see [`bits`].
    fn slice_block as bits::slice_anywhere where R: Ring => (
        elements: &[R],
        first: u32,
        out: OutBlock<'_, u64>,
    )
}

for_each_vector_unit! {
    /// Elements from planes of bits, on this thread; see [`bits`].
    fn unslice_block as bits::unslice_anywhere where R: Ring => (
        planes: &[u64],
        words: usize,
        from: usize,
        out: &mut [R],
    )
}

for_each_vector_unit! {
    /// [`bits::xor_into`] on this thread.
    fn xor_words as bits::xor_anywhere => (x: &[u64], acc: &mut [u64])
}

for_each_vector_unit! {
    /// [`bits::and_into`] on this thread.
    fn and_words as bits::and_anywhere => (x: &[u64], acc: &mut [u64])
}

for_each_vector_unit! {
    /// [`bits::and_shares`] on this thread.
    fn and_shares as bits::and_shares_anywhere => (
        shares: [&[u64]; 4],
        out: &mut [u64],
        write: Write,
    )
}

for_each_vector_unit! {
    /// [`ring_ops::cross_products`] on this thread.
    fn cross_products as ring_ops::cross_anywhere where R: Ring => (
        server: usize,
        others: [&[R]; 3],
        x: &mut [R],
    )
}

for_each_vector_unit! {
    /// [`truncation::truncate_first`].
    fn truncate_first as truncation::first_anywhere where R: Ring => (
        bits: u32,
        a: &mut [R],
        pad: &mut [R],
        pads: [&[u64]; 3],
        d: &mut [u64],
    )
}

for_each_vector_unit! {
    /// [`truncation::truncate_second`].
    fn truncate_second as truncation::second_anywhere where R: Ring => (
        bits: u32,
        b: &mut [R],
        words: [&[u64]; 2],
        sent: &mut [u64],
    )
}

for_each_vector_unit! {
    /// [`truncation::truncate_last`].
    fn truncate_last as truncation::last_anywhere where R: Ring => (
        bits: u32,
        part: &mut [R],
        received: &[u64],
    )
}

for_each_vector_unit! {
    /// [`ring_ops::shift_left_assign`] on this thread.
    fn shift_left as ring_ops::shift_left_anywhere where R: Ring => (acc: &mut [R], bits: u32)
}

for_each_vector_unit! {
    /// [`ring_ops::shift_right_assign`] on this thread.
    fn shift_right as ring_ops::shift_right_anywhere where R: Ring => (acc: &mut [R], bits: u32)
}

for_each_vector_unit! {
    /// [`ring_ops::shift_right_signed_assign`] on this thread.
    fn shift_right_signed as ring_ops::shift_right_signed_anywhere where R: Ring => (
        acc: &mut [R],
        bits: u32,
    )
}

for_each_vector_unit! {
    /// Carries of a digit, on this thread; see [`digits`].
    fn digit_carries as digits::carries_anywhere => (
        planes: ([&[u64]; 1 << DIGIT], [&[u64]; DIGIT]),
        shape: (usize, u64, bool, bool),
        out: &mut [u64],
    )
}

for_each_vector_unit! {
    /// [`conversion::bits_first`] of an element, on this thread.
    fn bits_first as conversion::bits_first_anywhere where R: Ring => (
        split: u32,
        low: &[u64],
        high: Option<&[u64]>,
        out: &mut [R],
    )
}

for_each_vector_unit! {
    /// [`conversion::bits_second`] of an element, on this thread.
    fn bits_second as conversion::bits_second_anywhere where R: Ring => (
        p: u32,
        low: &[u64],
        high: Option<&[u64]>,
        shared: &[R],
        first: bool,
        out: &mut [R],
    )
}

for_each_vector_unit! {
    /// [`conversion::product_first`] on this thread.
    fn product_first as conversion::product_first_anywhere where R: Ring => (
        u: &[u64],
        x: &[R],
        products: &mut [R],
        bits: &mut [R],
    )
}

for_each_vector_unit! {
    /// [`conversion::product_second`] on this thread.
    fn product_second as conversion::product_second_anywhere where R: Ring => (
        v: &[u64],
        numbers: [&[R]; 4],
        first: bool,
        out: &mut [R],
    )
}
