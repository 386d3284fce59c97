//! The loops over rings, for each vector unit. Their bodies are in the modules of their subjects.

use super::{Operand, OutBlock, VectorUnit};
use crate::tensor::ring::Ring;
use crate::tensor::ring_matmul::{self, Write, thin};

for_each_vector_unit! {
    /// `a * b` to a block, on this thread; see [`ring_matmul`].
    fn ring_block as ring_matmul::block_anywhere where R: Ring => (
        k: usize,
        a: Operand<'_, R>,
        b: Operand<'_, R>,
        out: OutBlock<'_, R>,
        write: Write,
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
