//! Kernels on slices of numbers and of ring elements: pure functions, no graph types, no I/O.
//!
//! Read first: [`ring`] (what a share is made of), then [`fixed`] (how a real number becomes one)
//! and [`pad`] (the random streams that hide it). [`matmul`], [`conv`], [`pool`] and [`loss`] are
//! plaintext kernels on `f32`.
//!
//! Tensors are row-major slices; a shape is an argument, never a header in the data. A slice whose
//! length contradicts the shape is a bug of the caller and panics; whatever data can cause is an
//! error value. Kernels that can use a second core split their work over the current rayon pool at
//! points that depend on the shape alone, so a result never depends on the number of threads.

pub mod arrange;
pub mod bits;
pub mod conv;
pub mod conversion;
pub mod digits;
pub mod fixed;
pub mod gates;
mod kernels;
pub mod loss;
pub mod matmul;
pub mod number;
pub mod order;
pub mod pad;
mod pieces;
pub mod pool;
pub mod ring;
pub mod ring_matmul;
pub mod ring_ops;
mod scratch;
pub mod segments;
pub(crate) mod spend;
pub mod sums;
pub mod truncation;
pub mod weighing;
