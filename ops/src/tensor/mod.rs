//! Kernels on slices of numbers and of ring elements: pure functions, no graph types, no I/O.
