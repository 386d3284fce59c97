use super::*;
use crate::tensor::kernels::units::with_each_unit;
use crate::tensor::ring::Ring;

const LENGTHS: [usize; 9] = [0, 1, 63, 64, 65, 511, 513, 1000, 40_001];

fn samples<R: Ring>(n: usize) -> Vec<R> {
    let mut x = 7u128;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53_9e37_79b9_7f4a_7c15).wrapping_add(1 << 77 | 5);
            R::from_bits(x ^ x >> 64)
        })
        .collect()
}

fn slices<R: Ring>() {
    let w = R::WIDTH;
    for n in LENGTHS {
        let elements = samples::<R>(n);
        let words = n.div_ceil(64);
        for planes in
            [0..w, 0..0, w - 1..w, 0..1, 3..60, 1..3, w / 2 - 1..w / 2 + 1, 0..64, w - 63..w]
        {
            let mut expected = vec![0; planes.len() * words];
            for (j, x) in elements.iter().enumerate() {
                for (i, p) in planes.clone().enumerate() {
                    expected[i * words + j / 64] |= ((x.to_bits() >> p & 1) as u64) << (j % 64);
                }
            }
            let low: Vec<R> = elements
                .iter()
                .map(|x| {
                    R::from_bits(
                        (0..planes.len() as u32)
                            .fold(0, |bits, i| bits | (x.to_bits() >> (planes.start + i) & 1) << i),
                    )
                })
                .collect();
            let check = || {
                let mut out = vec![u64::MAX; expected.len()];
                slice_bits(&elements, planes.clone(), &mut out);
                assert!(out == expected, "{n} elements, planes {planes:?}");
                let mut back = samples::<R>(n);
                unslice_bits(&expected, &mut back);
                assert!(back == low, "{n} elements back from planes {planes:?}");
            };
            if n > 10_000 { check() } else { with_each_unit(check) }
        }
    }
}

#[test]
fn slices_are_as_documented() {
    slices::<u64>();
    slices::<u128>();
}

fn packs<R: Ring>() {
    for n in LENGTHS {
        for bits in [1, 2, 3, 7, 8, 13, 31, 32, 33, 63, 64] {
            let values = samples::<R>(n);
            let per_word = 64 / bits as usize;
            let mask = u128::MAX >> (128 - bits);
            let mut expected = vec![0u64; n.div_ceil(per_word)];
            for (i, x) in values.iter().enumerate() {
                let low = (x.to_bits() & mask) as u64;
                expected[i / per_word] |= low << (i % per_word * bits as usize);
            }
            let mut packed = vec![u64::MAX; expected.len()];
            pack_low(&values, bits, &mut packed);
            assert!(packed == expected, "{n} of {bits} bits");
            let mut back = samples::<R>(n);
            unpack_low(&packed, bits, &mut back);
            assert!(back.iter().zip(&values).all(|(x, y)| x.to_bits() == y.to_bits() & mask));
        }
    }
}

#[test]
fn packed_numbers_are_as_documented() {
    packs::<u64>();
    packs::<u128>();
}

#[test]
fn words_are_combined_bit_by_bit() {
    for n in LENGTHS {
        let all = samples::<u64>(5 * n);
        let [x0, x1, y0, y1, old] = std::array::from_fn(|i| &all[i * n..(i + 1) * n]);
        let product = |i: usize| (x0[i] & y0[i]) ^ (x0[i] & y1[i]) ^ (x1[i] & y0[i]);
        let check = || {
            let mut out = old.to_vec();
            and_shares(x0, x1, y0, y1, &mut out, Write::Replace);
            assert!((0..n).all(|i| out[i] == product(i)));
            xor_into(old, &mut out);
            assert!((0..n).all(|i| out[i] == product(i) ^ old[i]));
            let mut added = old.to_vec();
            and_shares(x0, x1, y0, y1, &mut added, Write::Add);
            assert!(added == out);
            and_into(x0, &mut out);
            assert!((0..n).all(|i| out[i] == added[i] & x0[i]));
        };
        if n > 10_000 { check() } else { with_each_unit(check) }
    }
}

#[test]
#[should_panic(expected = "slice_bits: planes")]
fn planes_must_exist() {
    slice_bits(&[0u64; 3], 0..65, &mut [0; 65]);
}

#[test]
#[should_panic(expected = "unslice_bits: length")]
fn planes_must_be_whole() {
    unslice_bits(&[0; 3], &mut [0u64; 65]);
}
