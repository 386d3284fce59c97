use super::*;
use crate::tensor::kernels::units::with_each_unit;

const MIX: u128 = 0xc4ce_b9fe_1a85_ec53_9e37_79b9_7f4a_7c15;

fn samples<R: Ring>(n: usize, seed: u128) -> Vec<R> {
    let mut x = seed;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(MIX).wrapping_add(MIX >> 3);
            R::from_bits(x ^ x >> 64)
        })
        .collect()
}

fn transposed<R: Ring>(x: &[R], rows: usize, columns: usize) -> Vec<R> {
    (0..columns).flat_map(|j| (0..rows).map(move |i| x[i * columns + j])).collect()
}

fn by_hand<R: Ring>(m: usize, k: usize, n: usize, a: &[R], b: &[R]) -> Vec<R> {
    let mut out = vec![R::default(); m * n];
    for i in 0..m {
        for l in 0..k {
            for j in 0..n {
                let product = a[i * k + l].wrapping_mul(b[l * n + j]);
                out[i * n + j] = out[i * n + j].wrapping_add(product);
            }
        }
    }
    out
}

/// Products of these factors, however stored and written, cut or not.
fn agrees<R: Ring>(m: usize, k: usize, n: usize, a: &[R], b: &[R]) {
    let expected = by_hand(m, k, n, a, b);
    for (transpose_a, transpose_b) in [(false, false), (true, false), (false, true), (true, true)] {
        let a = if transpose_a { transposed(a, m, k) } else { a.to_vec() };
        let b = if transpose_b { transposed(b, k, n) } else { b.to_vec() };
        let shape = MatmulShape { m, k, n, transpose_a, transpose_b };
        let mut out = samples::<R>(m * n, 9);
        matmul_ring(shape, &a, &b, &mut out, Write::Replace);
        assert!(out == expected, "{shape:?}");
        for piece in [1, 5000] {
            matmul(shape, &a, &b, &mut out, Write::Replace, piece);
            assert!(out == expected, "{shape:?} in pieces of {piece}");
        }
        with_each_unit(|| {
            out = samples::<R>(m * n, 9);
            matmul_ring_here(shape, &a, &b, &mut out, Write::Add);
            for (i, (x, y)) in samples::<R>(m * n, 9).iter().zip(&expected).enumerate() {
                assert_eq!(out[i], x.wrapping_add(*y), "{shape:?} added to");
            }
        });
    }
}

fn shapes<R: Ring>() {
    let sizes = [0, 1, 2, 7, 8, 9, 17, 63, 64, 65];
    for m in sizes {
        for n in sizes {
            for k in [0, 1, 3, 65] {
                agrees(m, k, n, &samples::<R>(m * k, 1), &samples::<R>(k * n, 2));
            }
        }
    }
    let large = [
        (33, 256, 17),
        (9, 257, 31),
        (20, 1000, 70),
        (3, 300, 1500),
        (128, 784, 1),
        (1, 70, 2500),
        (2500, 7, 1),
    ];
    for (m, k, n) in large {
        agrees(m, k, n, &samples::<R>(m * k, 1), &samples::<R>(k * n, 2));
    }
}

#[test]
fn products_of_64_bits_are_right() {
    shapes::<u64>();
}

#[test]
fn products_of_128_bits_are_right() {
    shapes::<u128>();
}

/// The largest parts, so that a sum that must not wrap would.
#[test]
fn products_of_ones_are_right() {
    for bits in [u128::MAX, u128::MAX >> 64, u128::MAX << 32, u128::MAX >> 96, 1 << 127] {
        let (a, b) = (vec![bits; 9 * 513], vec![bits; 513 * 9]);
        agrees(9, 513, 9, &a, &b);
    }
}

#[test]
#[should_panic(expected = "right factor: length")]
fn lengths_must_fit_the_shape() {
    matmul_ring(MatmulShape::new(2, 2, 2), &[0u64; 4], &[0; 3], &mut [0; 4], Write::Replace);
}
